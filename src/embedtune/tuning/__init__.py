"""Tuners: a dataset in, a tuned embedder out."""
