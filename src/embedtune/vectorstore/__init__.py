"""Vectors in Milvus, kept in step with documents and an embedder."""
