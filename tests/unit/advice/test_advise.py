"""An advice as a caller gets it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import numpy as np
import pytest

import embedtune as et
from embedtune.catalog import TuningWay
from embedtune.types import FloatMatrix

MakeTask = Callable[..., et.TuningDataset]


class Own:
    """An embedder of somebody's own, which counts what it embeds."""

    def __init__(self, folder: Path, name: str = "own") -> None:
        self._embedder = et.LocalEmbedder(folder)
        self.name = name
        self.dimension = self._embedder.dimension
        self.fingerprint = f"own {self._embedder.fingerprint}"
        self.embedded = 0

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the rows of another embedder."""
        self.embedded += len(texts)
        return self._embedder.embed_queries(texts)

    def embed_documents(self, documents: Sequence[et.Document | str]) -> FloatMatrix:
        """Return the rows of another embedder."""
        self.embedded += len(documents)
        return self._embedder.embed_documents(documents)


@pytest.fixture(scope="module")
def dataset(make_task: MakeTask) -> et.TuningDataset:
    """A task that tuning helps, with 30 training queries."""
    task = make_task(queries=180)
    train = dict(list(task.train.items())[:30])
    return attrs.evolve(task, train=train)


@pytest.fixture(scope="module")
def own(base_folder: Path) -> Own:
    """What is advised on."""
    return Own(base_folder)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the trials."""
    return tmp_path_factory.mktemp("advice") / "runs"


@pytest.fixture(scope="module")
def advice(dataset: et.TuningDataset, own: Own, runs: Path) -> et.Advice:
    """An advice after all trials."""
    return et.advise(dataset, own, runs=runs, progress=False)


def test_base_is_measured(
    advice: et.Advice, dataset: et.TuningDataset, own: Own
) -> None:
    """Where the base stands is what an evaluation says."""
    report = et.evaluate(own, dataset)

    assert advice.base
    assert advice.headroom
    assert report["nDCG@10"] == advice.base["nDCG@10"] == advice.headroom.base
    assert len(dataset.test) == advice.headroom.queries
    assert not advice.is_held_out


def test_curve(advice: et.Advice) -> None:
    """Every size that was planned is there, in order, with its draws."""
    points = advice.curve.points

    assert [(16, 3), (30, 1)] == [(point.queries, point.draws) for point in points]
    assert "an adapter of the query side" == advice.curve.tuner
    for point in points:
        assert point.interval.low <= point.gain <= point.interval.high
    assert "a forecast needs 3 sizes" in advice.curve.note


def test_any_embedder_can_have_an_adapter(advice: et.Advice) -> None:
    """What the catalog does not know can be tuned by an adapter."""
    assert (TuningWay.ADAPTER,) == advice.evidence.ways
    assert advice.recommendation in {
        et.Recommendation.ADAPTER,
        et.Recommendation.FIX_DATA,
    }


def test_each_text_is_embedded_once(
    advice: et.Advice, dataset: et.TuningDataset, base_folder: Path, runs: Path
) -> None:
    """A later call in the same folder embeds nothing, and says the same."""
    again = Own(base_folder)

    found = et.advise(dataset, again, runs=runs, progress=False)

    assert 0 == again.embedded
    assert advice.curve.points == found.curve.points
    assert advice.reasons == found.reasons


def test_words(advice: et.Advice) -> None:
    """It prints as text and as HTML, with the answer first."""
    text, page = str(advice), advice._repr_html_()

    assert text.startswith("Should own be tuned on this data? ")
    assert repr(advice) == text
    for words in ("Where it stands", "What tuning gains", "the base, nDCG@10"):
        assert words in text
        assert words in page
    assert "3 times" in text
    assert "<table" in page


def test_no_text_of_the_data(advice: et.Advice, dataset: et.TuningDataset) -> None:
    """What is printed or stored holds no text of a query or document."""
    everything = str(advice) + advice._repr_html_() + json.dumps(advice.to_dict())

    for record in (*dataset.corpus.values(), *dataset.queries.values()):
        assert record.text not in everything


def test_json(advice: et.Advice) -> None:
    """All figures are JSON values."""
    data = json.loads(json.dumps(advice.to_dict()))

    assert advice.recommendation.name.lower() == data["recommendation"]
    assert [16, 30] == [point["queries"] for point in data["points"]]
    assert advice.base
    assert advice.base["nDCG@10"] == data["measures"]["nDCG@10"]
    assert data["headroom"]["base"] == data["measures"]["nDCG@10"]


def test_local_embedder(make_task: MakeTask, base_folder: Path) -> None:
    """A static model is tried with the local tuner, whatever folder it came from."""
    task = make_task(queries=90)
    small = attrs.evolve(task, train=dict(list(task.train.items())[:12]))

    found = et.advise(small, et.LocalEmbedder(base_folder), progress=False)

    assert "the local tuner" == found.curve.tuner
    assert [12] == [point.queries for point in found.curve.points]
    assert (TuningWay.LOCAL_LINEAR, TuningWay.ADAPTER) == found.evidence.ways


def test_no_test_labels(dataset: et.TuningDataset, own: Own) -> None:
    """Without test labels, a quarter of the training queries is held out."""
    untested = attrs.evolve(dataset, train=dataset.test, test={})

    found = et.advise(untested, own, seconds=0, progress=False)

    assert found.is_held_out
    assert found.headroom
    assert round(len(dataset.test) / 4) == found.headroom.queries
    assert len(dataset.test) - found.headroom.queries == found.evidence.train_queries
    assert "held out because there are no test labels" in str(found)
    assert "no trial run was asked for" in str(found)


def test_time_is_kept(dataset: et.TuningDataset, own: Own) -> None:
    """A trial that does not end in time is stopped, and the advice says so."""
    found = et.advise(dataset, own, seconds=0.01, progress=False)

    assert () == found.curve.points
    assert "no trial run came to an end in the time allowed" in found.curve.note
    assert et.Recommendation.ADAPTER == found.recommendation


def test_unknown_document(dataset: et.TuningDataset, own: Own) -> None:
    """Labels that name what is not there are the first thing to mend."""
    broken = attrs.evolve(dataset, test={"q0": {"ghost": 1}})

    found = et.advise(broken, own, progress=False)

    assert et.Recommendation.FIX_DATA == found.recommendation
    assert found.base is None
    assert "unknown-document" in str(found)
    assert "blocks" in str(found)


def test_too_few_labels(dataset: et.TuningDataset, own: Own) -> None:
    """With a handful of labels there is nothing to measure."""
    few = attrs.evolve(dataset, train=dict(list(dataset.train.items())[:5]), test={})

    found = et.advise(few, own, progress=False)

    assert et.Recommendation.FIX_DATA == found.recommendation
    assert "of 5 queries to learn from none can be held out" in str(found)


def test_too_few_tests(dataset: et.TuningDataset, own: Own) -> None:
    """Where no difference could be seen, none is said to be detectable."""
    few = attrs.evolve(dataset, test=dict(list(dataset.test.items())[:3]))

    found = et.advise(few, own, seconds=0, progress=False)

    assert found.evidence.detectable is None


def test_perfect_base(base_folder: Path) -> None:
    """Where the base finds everything, it stays."""
    words = ["anchor", "apple", "arrow", "autumn", "bakery", "balloon", "bamboo"]
    dataset = et.TuningDataset(
        corpus={word: word for word in words},
        queries={f"q{word}": f"{word} please" for word in words},
        train={},
        test={f"q{word}": {word: 1} for word in words},
    )

    found = et.advise(dataset, et.LocalEmbedder(base_folder), progress=False)

    assert et.Recommendation.LEAVE == found.recommendation


def test_catalog(dataset: et.TuningDataset, base_folder: Path) -> None:
    """The model's name in the catalog says how it can be tuned, and when it ends."""
    named = Own(base_folder, name="text-embedding-005")

    found = et.advise(dataset, named, seconds=0, progress=False)
    other = et.advise(
        dataset, named, model="embeddinggemma-2", seconds=0, progress=False
    )

    assert TuningWay.MANAGED in found.evidence.ways
    assert "2027-04-01" in str(found)
    assert TuningWay.FULL in other.evidence.ways


@pytest.mark.parametrize("seconds", [-1.0, np.inf, np.nan, "60"])
def test_wrong_seconds(dataset: et.TuningDataset, own: Own, seconds: float) -> None:
    """A time that is none is refused before anything is embedded."""
    with pytest.raises(
        et.errors.ConfigurationError, match="'seconds' must be a finite"
    ):
        et.advise(dataset, own, seconds=seconds)


def test_unknown_model(dataset: et.TuningDataset, own: Own) -> None:
    """A model that the catalog does not know is refused."""
    with pytest.raises(et.errors.ConfigurationError, match="'ghost'"):
        et.advise(dataset, own, model="ghost")


def test_progress(dataset: et.TuningDataset, own: Own, runs: Path) -> None:
    """Every trial is a step."""
    events: list[et.progress.ProgressEvent] = []

    et.advise(dataset, own, runs=runs, progress=events.append)

    assert 5 == events[-1].done == events[-1].total
    assert {"the base", "16 training queries"} <= {event.note for event in events}
