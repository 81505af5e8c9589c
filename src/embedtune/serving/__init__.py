"""Embedders: texts in, unit rows out."""
