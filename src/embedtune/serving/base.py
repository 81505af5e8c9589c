"""What an embedder is, wherever its model runs.

Embedders that share a document space and embed queries differently (an adapter of the
query side, say) have one more property, `query_fingerprint`; it is optional, and the
function `query_fingerprint` below reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from embedtune.datasets.values import Document
from embedtune.types import FloatMatrix


@runtime_checkable
class Embedder(Protocol):
    """Texts in, unit rows out: any object with these members is an embedder.

    Queries and documents have a verb each because models treat them differently.

    - One row per text, in the order given: `float32`, `dimension` long, of norm 1.
      A text in which the model knows no token (an empty one, say) still gets a unit
      row, the same for all such texts.
    - Documents come as :class:`~embedtune.Document` values, or as strings; of a
      document, `.embedding_text` (title and text) is the text to embed.
    - No texts give a matrix of shape (0, `dimension`).
    - Equal texts give equal rows, in whatever company they are sent.
    - Calls from several threads at once are safe.
    - Equal fingerprints mean one document space: such embedders may share a
      collection. A fingerprint changes with all that changes a row, and not from one
      process to the next.

    Example:
        >>> import numpy as np
        >>> class Letters:
        ...     name = "letters"
        ...     dimension = 27
        ...     fingerprint = "letters, version 1"
        ...
        ...     def embed_queries(self, texts):
        ...         rows = np.zeros((len(texts), self.dimension), np.float32)
        ...         rows[:, 26] = 1  # so that no row is 0
        ...         for row, text in zip(rows, texts):
        ...             for letter in text.lower():
        ...                 row["abcdefghijklmnopqrstuvwxyz".find(letter)] += 1
        ...         return rows / np.linalg.norm(rows, axis=1, keepdims=True)
        ...
        ...     def embed_documents(self, documents):
        ...         return self.embed_queries(
        ...             [d if isinstance(d, str) else d.embedding_text for d in documents]
        ...         )
        >>> isinstance(Letters(), Embedder)
        True
        >>> Letters().embed_documents([Document(doc_id="pin", text="The PIN")]).shape
        (1, 27)
    """

    @property
    def name(self) -> str:
        """What a person calls this embedder."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a row."""
        ...

    @property
    def fingerprint(self) -> str:
        """The identity of the document space."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return one row for each of *texts*."""
        ...

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return one row for each of *documents*; a string is a text, untitled.

        The library passes :class:`~embedtune.Document` values: embed their
        `.embedding_text`.
        """
        ...


def query_fingerprint(embedder: Embedder) -> str:
    """Return the identity of the query side: equal ones embed a query alike.

    It is the embedder's own `query_fingerprint`, where it has one. Without one, the
    query side follows from the document space, and its fingerprint serves for both.
    """
    own: str = getattr(embedder, "query_fingerprint", embedder.fingerprint)
    return own
