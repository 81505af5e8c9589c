"""A cache lives through any script of calls as a dictionary does."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedtune.datasets.values import Document
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.local import LocalEmbedder

# Few words, so that texts repeat and the border of title and text matters.
words = st.sampled_from(["", "a", "b", "a b", "a. b", "\ud800", "\x00"])
queries = st.tuples(st.just("queries"), st.lists(words, max_size=6))
documents = st.tuples(
    st.just("documents"),
    st.lists(
        words | st.builds(Document, doc_id=st.just("d"), title=words, text=words),
        max_size=6,
    ),
)
reopen = st.tuples(st.just("reopen"), st.just([]))
scripts = st.lists(queries | documents | reopen, max_size=12)

Step = tuple[str, Sequence[str | Document]]


@pytest.fixture(scope="module")
def local() -> LocalEmbedder:
    """Open the bundled model."""
    return LocalEmbedder()


def keys(step: Step) -> list[tuple[str, str, str]]:
    """Return what tells the rows of a step apart."""
    verb, values = step
    return [
        (verb, "", value) if isinstance(value, str) else (verb, value.title, value.text)
        for value in values
    ]


@given(script=scripts)
def test_story(local: LocalEmbedder, script: list[Step]) -> None:
    """Rows are the wrapped embedder's; each distinct text is embedded once, ever."""
    seen: set[tuple[str, str, str]] = set()
    asked = given = misses = hits = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cache.db")
        cached = CachedEmbedder(local, path)
        for step in script:
            verb, values = step
            if verb == "reopen":
                misses, hits = misses + cached.misses, hits + cached.hits
                cached.close()
                cached = CachedEmbedder(local, path)
                continue
            rows = getattr(cached, f"embed_{verb}")(values)
            expected = getattr(local, f"embed_{verb}")(values)
            asked += len(set(keys(step)) - seen)
            given += len(values)
            seen.update(keys(step))

            assert np.array_equal(expected, rows)
        misses, hits = misses + cached.misses, hits + cached.hits
        cached.close()

    assert (asked, given - asked) == (misses, hits)
