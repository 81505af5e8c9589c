"""What the tests of the index share."""

from __future__ import annotations

import pytest

from embedtune.serving.local import LocalEmbedder


@pytest.fixture(scope="session")
def embedder() -> LocalEmbedder:
    """Open the bundled model."""
    return LocalEmbedder()
