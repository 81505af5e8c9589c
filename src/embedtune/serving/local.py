"""The embedder that needs no network: a static model in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embedtune.datasets.values import Document
from embedtune.serving import bundled
from embedtune.serving.inputs import checked_documents
from embedtune.serving.static import StaticModel
from embedtune.types import FloatMatrix


class LocalEmbedder:
    """Embeds with a static model on this machine, tens of thousands of texts a second.

    Queries and documents are embedded alike; a document's title stands before its text.
    A text in which the model knows no token gets the opposite of the table's mean row,
    so that it is found late.

    Example:
        >>> from embedtune.serving.local import LocalEmbedder
        >>> embedder = LocalEmbedder()
        >>> embedder.embed_queries(["reset my password", "open a door"]).shape
        (2, 256)
    """

    def __init__(self, model: str | Path | StaticModel = bundled.NAME) -> None:
        """Open the model.

        Args:
            model: `"wordllama-256"`, a folder in the model2vec format, or a model that
                is open already.

        Raises:
            ConfigurationError: If there is no such model.
            DataError: If a file of the folder is missing or wrong.
        """
        if not isinstance(model, StaticModel):
            model = StaticModel.open(model)
        self._model = model

    def __repr__(self) -> str:
        """Name the model."""
        return f"LocalEmbedder({self.name!r})"

    @property
    def model(self) -> StaticModel:
        """The tokenizer and the table."""
        return self._model

    @property
    def name(self) -> str:
        """What a person calls the model."""
        return self._model.name

    @property
    def dimension(self) -> int:
        """The length of a row."""
        return self._model.dimension

    @property
    def fingerprint(self) -> str:
        """The identity of the document space."""
        return self._model.fingerprint

    @property
    def query_fingerprint(self) -> str:
        """The identity of the query side; the same, as queries are no special texts."""
        return self._model.fingerprint

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return one unit row for each of *texts*, in their order.

        Raises:
            TypeError: If *texts* is no sequence of strings.
        """
        return self._model.embed(texts)

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return one unit row for each of *documents*, in their order.

        Raises:
            TypeError: If *documents* is no sequence of documents and strings.
        """
        texts = [
            document if isinstance(document, str) else document.embedding_text
            for document in checked_documents(documents)
        ]
        return self._model.embed(texts)
