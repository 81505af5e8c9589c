"""Groups of nearly equal texts: what is joined, what is not, and how it is shown."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

import embedtune as et
from embedtune.datasets.minhash import VALUES, Bands
from embedtune.datasets.near_duplicates import (
    SHORTEST,
    are_near_duplicates,
    near_duplicate_groups,
)
from embedtune.datasets.shingles import WIDTH, Shingles, overlaps

ENGLISH = (
    "You can block a lost card in the app under Cards, or call us at any hour of the "
    "day; a new one is sent to your address within three working days at no cost."
)
CHINESE = "如果您的银行卡丢失请立即在手机应用程序的卡片页面中将其冻结或者随时致电客户服务中心我们会免费为您补办新卡三个工作日内寄到您的地址"
JAPANESE = "カードを紛失した場合はアプリのカード画面からすぐに利用を停止するかまたはいつでもお電話ください新しいカードは三営業日以内に無料でご住所にお届けします"
THAI = "หากคุณทำบัตรหายโปรดระงับบัตรทันทีในแอปหรือโทรหาเราได้ตลอดเวลาเราจะส่งบัตรใหม่ไปยังที่อยู่ของคุณภายในสามวันทำการโดยไม่มีค่าใช้จ่าย"


def jaccard(one: str, other: str) -> float:
    """Compare two texts in the most obvious way."""
    first, second = (
        {text[i : i + WIDTH] for i in range(len(text) - WIDTH + 1)}
        for text in (one, other)
    )
    return len(first & second) / len(first | second)


def random_texts(count: int, seed: int = 0) -> list[str]:
    """Make texts of random words."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlu"))
    words = ["".join(rng.choice(letters, rng.integers(2, 9))) for _ in range(2000)]
    return [" ".join(rng.choice(words, rng.integers(20, 60))) for _ in range(count)]


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, JAPANESE, THAI])
def test_small_changes_are_found_in_any_script(text: str) -> None:
    """A text with a character more or less is a near-duplicate; another is not."""
    others = [t for t in (ENGLISH, CHINESE, JAPANESE, THAI) if t != text]
    texts = [*others, text, text[:-2], f"{text}!", text[1:]]

    assert [0, 1, 2, 3, 3, 3, 3] == near_duplicate_groups(texts).tolist()


def test_equal_texts_are_one_group() -> None:
    """Case, form and spacing make no difference, and length none for equal texts."""
    texts = ["Yes", ENGLISH, " yes ", ENGLISH.upper(), "no", "\uff39es"]

    assert [0, 1, 0, 1, 4, 0] == near_duplicate_groups(texts).tolist()


def test_short_texts_are_grouped_with_equal_ones_only() -> None:
    """Numbered short texts stay apart, however much they share."""
    texts = [f"question number {i}" for i in range(200)]
    long = "x" * (SHORTEST - 1)

    assert list(range(200)) == near_duplicate_groups(texts).tolist()
    assert [0, 1] == near_duplicate_groups([long, f"{long}x"]).tolist()
    assert [0, 0] == near_duplicate_groups([f"{long}x", f"{long}xx"]).tolist()


def test_blank_texts_are_alone() -> None:
    """Texts without content have nothing in common."""
    assert [0, 1, 2] == near_duplicate_groups(["", " \t", "\n"]).tolist()
    assert [] == near_duplicate_groups([]).tolist()


def test_the_threshold_is_exact() -> None:
    """Two texts are joined from their similarity on, and not above it."""
    other = ENGLISH.replace("three working", "eleven")
    one, two = (" ".join(text.lower().split()) for text in (ENGLISH, other))
    similarity = jaccard(one, two)
    assert 0.7 < similarity < 0.9

    for threshold, expected in ((similarity - 0.001, 0), (similarity + 0.001, 1)):
        groups = near_duplicate_groups([ENGLISH, other], threshold=threshold)

        assert [0, expected] == groups.tolist()


def test_similarities_are_those_of_the_sets() -> None:
    """The similarity is the one of the sets of pieces, repeated pieces counted once."""
    texts = [*random_texts(20), "abababababababab", "ab" * 50, "abc"]
    pairs = list(itertools.product(texts[:22], repeat=2))
    one, other = (Shingles.of(part) for part in zip(*pairs, strict=True))

    assert [jaccard(*pair) for pair in pairs] == pytest.approx(overlaps(one, other))


def test_planted_copies_are_found_and_nothing_else() -> None:
    """Of 300 copies with a changed word all are joined to their source alone."""
    texts = random_texts(1500)
    copies = [f"{text} indeed" for text in texts[:300]]
    groups = near_duplicate_groups([*texts, *copies])

    assert list(range(1500)) == groups[:1500].tolist()
    assert list(range(300)) == groups[1500:].tolist()


def test_chains_are_one_group() -> None:
    """What a chain of near-duplicates connects is one group, its ends far apart."""
    words = random_texts(1)[0].split()[:20] * 2
    words = [f"{word}{i}" for i, word in enumerate(words)]
    chain = [" ".join(words[i : i + 20]) for i in range(20)]
    assert jaccard(chain[0], chain[-1]) < 0.3

    assert [0] * 20 == near_duplicate_groups(chain).tolist()


def test_crowded_bands_are_compared() -> None:
    """Very many copies of a template are one group, and slow nothing down."""
    texts = [f"{ENGLISH} {ENGLISH[::-1]} Reference {i}." for i in range(5000)]

    assert {0} == set(near_duplicate_groups(texts).tolist())


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
def test_bands_find_what_is_at_the_threshold(threshold: float) -> None:
    """At every threshold, 99 of 100 pairs that just reach it are candidates."""
    bands = Bands.for_threshold(threshold)

    assert bands.count * bands.rows <= VALUES
    assert 1 - (1 - threshold**bands.rows) ** bands.count >= 0.99


def test_every_equal_set_is_found_at_one() -> None:
    """At threshold 1, texts with the same set of pieces are joined."""
    one, other = "ab" * 20, "ab" * 30

    assert [0, 0, 2] == near_duplicate_groups(
        [one, other, "ab" * 20 + "c"], threshold=1
    ).tolist()


def test_progress_is_told() -> None:
    """Every text counts as a step, and the last event says that all are done."""
    events: list[et.progress.ProgressEvent] = []
    near_duplicate_groups(random_texts(10), progress=events.append)

    assert (10, 10) == (events[-1].done, events[-1].total)


@pytest.mark.parametrize(
    ("threshold", "error"), [(0.4, ValueError), (1.1, ValueError), (True, TypeError)]
)
def test_bad_thresholds_are_refused(threshold: float, error: type[Exception]) -> None:
    """A threshold outside of its range is refused at once."""
    with pytest.raises(error, match=r"threshold of near-duplicates must be"):
        near_duplicate_groups([], threshold=threshold)


def test_groups_are_the_same_in_another_process() -> None:
    """Nothing depends on the salt of Python's hashes."""
    script = (
        "from embedtune.datasets.minhash import Bands, Signer\n"
        "from embedtune.datasets.shingles import Shingles\n"
        f"shingles = Shingles.of([{ENGLISH!r}])\n"
        "signature, keys = Signer(3, Bands.for_threshold(0.8)).sign(shingles)\n"
        "print(signature.tobytes().hex()[:16], keys[0, 0])\n"
    )
    outs = {
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    }

    assert {"00e02ff0d34e3d52 14202342850186233142\n"} == outs


def test_clusters_of_a_corpus() -> None:
    """Clusters come largest first, by id, and can be asked for a document."""
    dataset = et.TuningDataset.from_pairs([("q", "d")])
    corpus = {
        "a": "another text",
        "b1": et.Document(doc_id="b1", text=THAI),
        "c1": ENGLISH,
        "b2": f"{THAI}ๆ",
        "c2": f"{ENGLISH}!",
        "c3": ENGLISH.upper(),
    }
    found = et.near_duplicates(corpus, progress=False)

    assert (("c1", "c2", "c3"), ("b1", "b2")) == found.clusters
    assert (3, 2) == found.sizes
    assert (6, 3, 2) == (found.documents, found.surplus, len(found))
    assert ("b1", "b2") == found.of("b2")
    assert () == found.of("a")
    assert "5 of 6 in 2 clusters" in str(found)
    assert "3: 'c1', 'c2', 'c3'" in repr(found)
    assert "none among 1 documents" in str(et.near_duplicates(dataset, progress=False))


@pytest.mark.parametrize(
    ("source", "got"), [(["a"], "list"), ("a", "str"), ({"d": 5}, "int")]
)
def test_what_is_no_corpus_is_refused(source: object, got: str) -> None:
    """Texts without ids are refused, with a way to give them some."""
    with pytest.raises(TypeError, match=rf"by id \(got {got}\); of a list, "):
        et.near_duplicates(source, progress=False)


def test_pairs_are_compared_as_groups_are() -> None:
    """Equal, near, short and blank texts are what they are for groups."""
    one = [ENGLISH, ENGLISH, "answer 12", "Answer  12", "", ENGLISH]
    other = [f"{ENGLISH}!", ENGLISH.upper(), "answer 13", "answer 12", "", THAI]
    expected = [
        0 == near_duplicate_groups(pair)[1] for pair in zip(one, other, strict=True)
    ]

    assert expected == are_near_duplicates(one, other).tolist()
    assert [] == are_near_duplicates([], []).tolist()


def test_long_lists_of_clusters_are_shortened() -> None:
    """The first ten clusters and five ids of each are shown; ids are escaped."""
    texts = random_texts(12)
    corpus = {f"<d{i}>": texts[i % 12] for i in range(72)}
    found = et.near_duplicates(corpus, progress=False)
    page = found._repr_html_()

    assert "and 2 more clusters" in str(found)
    assert "'<d0>', '<d12>', '<d24>', '<d36>', '<d48>', ...\n" in str(found)
    assert 11 == page.count("<tr>")
    assert "<d0>" not in page
    assert "&lt;d0&gt;" in page
    assert "table" not in et.near_duplicates({}, progress=False)._repr_html_()
