"""What the local tuner refuses before it writes anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import (
    ConfigurationError,
    DataError,
    DatasetIntegrityError,
    NotFoundError,
)
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.spec import TuningSpec

MakeTask = Callable[..., TuningDataset]

HERE = "LocalTuner tunes base_model='wordllama-256', or the path of a folder"

SPECS: list[tuple[dict[str, Any], str]] = [
    ({"base_model": "ghost"}, f"'ghost' is neither a base .* nor a folder; {HERE}"),
    ({"base_model": "/no/such/folder"}, f"'/no/such/folder' is neither .*; {HERE}"),
    ({"base_model": "\x00"}, "is neither a base model of the catalog nor a folder"),
    ({}, f"'text-embedding-005' is not tuned on this .* by Vertex AI's .*; {HERE}"),
    ({"base_model": "gemini-embedding-001"}, f"by an adapter over its .*; {HERE}"),
    ({"base_model": "embeddinggemma-300m"}, f"its open weights or by .*; {HERE}"),
    ({"base_model": "textembedding-gecko@003"}, f"cannot be tuned any more; {HERE}"),
    (
        {"base_model": "wordllama-256", "output_dimensionality": 128},
        r"'output_dimensionality' must be None or 256, .* \(got 128\)",
    ),
    (
        {"base_model": "wordllama-256", "task_type": "CLUSTERING"},
        r"'task_type' must be 'DEFAULT', .* \(got 'CLUSTERING'\)",
    ),
    (
        {
            "base_model": "wordllama-256",
            "output_dimensionality": 1,
            "task_type": "RETRIEVAL_QUERY",
        },
        "cannot do this: 'output_dimensionality' must .*; 'task_type' must",
    ),
]


@pytest.mark.parametrize(("settings", "message"), SPECS)
def test_wrong_spec(
    make_task: MakeTask, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    """What cannot be tuned here is a ConfigurationError that names what can."""
    with pytest.raises(ConfigurationError, match=message):
        LocalTuner(tmp_path / "runs").submit(make_task(), TuningSpec(**settings))

    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_is_no_model(make_task: MakeTask, tmp_path: Path) -> None:
    """An empty folder as base model is a DataError that names what it lacks."""
    (tmp_path / "empty").mkdir()
    spec = TuningSpec(base_model=str(tmp_path / "empty"))
    with pytest.raises(DataError, match="empty"):
        LocalTuner(tmp_path / "runs").submit(make_task(), spec)

    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("goal", ["everything", "", None, 3])
def test_wrong_goal(tmp_path: Path, goal: Any) -> None:
    """An unknown goal is a ConfigurationError that lists the known ones."""
    with pytest.raises(ConfigurationError, match="one of 'all', 'seen', 'unseen'"):
        LocalTuner(tmp_path, optimize_for=goal)


@pytest.mark.parametrize("seed", [-1, 1.0, True, "1", None, 2**63])
def test_wrong_seed(tmp_path: Path, seed: Any) -> None:
    """A seed is an integer from 0 on that fits a file."""
    message = rf"'seed' must be an integer .* \(got {re.escape(repr(seed))}\)"
    with pytest.raises(ConfigurationError, match=message):
        LocalTuner(tmp_path, seed=seed)


def changed(dataset: TuningDataset, **parts: Mapping[str, Any]) -> TuningDataset:
    """Return a dataset with other parts."""
    names = ("corpus", "queries", "train", "validation", "test")
    return TuningDataset(**{n: parts.get(n, getattr(dataset, n)) for n in names})


def only_zeros(labels: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Return labels of relevance 0."""
    return {key: dict.fromkeys(label, 0) for key, label in labels.items()}


def first(values: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return the first few."""
    return dict(list(values.items())[:count])


DATASETS: list[tuple[str, Callable[[TuningDataset], TuningDataset], str]] = [
    (
        "no training labels",
        lambda d: changed(d, train={}),
        r"at least 9 training queries \(got 0\); some hundred give",
    ),
    (
        "test labels alone",
        lambda d: changed(d, train={}, test=d.train),
        r"at least 9 training queries \(got 0\)",
    ),
    (
        "too few queries",
        lambda d: changed(d, train=first(d.train, 8)),
        r"at least 9 training queries \(got 8\)",
    ),
    (
        "too few documents",
        lambda d: changed(d, train={q: {"d0": 1, "d1": 2, "d2": 0} for q in d.train}),
        r"at least 3 documents that are relevant .* \(got 2\); label more",
    ),
    ("no documents", lambda d: changed(d, corpus={}), "60 problems"),
    ("no queries", lambda d: changed(d, queries={}), "60 problems"),
    (
        "an unknown document",
        lambda d: changed(d, train={**d.train, "q0": {"ghost": 1}}),
        "1 problem\n  train: document 'ghost' of query 'q0' is not in the corpus",
    ),
    (
        "an unknown query",
        lambda d: changed(d, validation={"ghost": {"d0": 1}}),
        "validation: query 'ghost' is not among the queries",
    ),
    (
        "zeros alone",
        lambda d: changed(d, train=only_zeros(d.train)),
        "60 problems\n  train: query 'q0' has no relevant document; leave it out",
    ),
]
INTEGRITY = {"no documents", "no queries", "an unknown document", "an unknown query"}
INTEGRITY |= {"zeros alone"}


@pytest.mark.parametrize(("what", "spoil", "message"), DATASETS)
def test_wrong_dataset(
    make_task: MakeTask,
    base_folder: Path,
    tmp_path: Path,
    what: str,
    spoil: Callable[[TuningDataset], TuningDataset],
    message: str,
) -> None:
    """Labels that cannot be tuned on are refused, with every problem."""
    spec = TuningSpec(base_model=str(base_folder))
    with pytest.raises(DataError, match=message) as e:
        LocalTuner(tmp_path / "runs").submit(spoil(make_task()), spec)

    assert [] == list(tmp_path.iterdir())
    assert (what in INTEGRITY) == isinstance(e.value, DatasetIntegrityError)


@pytest.mark.parametrize("other", [None, "data.csv"])
def test_no_dataset(tmp_path: Path, other: Any) -> None:
    """What is no dataset is named, with the way to one."""
    with pytest.raises(TypeError, match=r"'dataset' must be a .*from_table\(\)"):
        LocalTuner(tmp_path / "runs").submit(other)


def test_wrong_test_labels_do_not_matter(
    make_task: MakeTask, base_folder: Path, tmp_path: Path
) -> None:
    """Nobody looks at test labels: not even for whether they are right."""
    spoilt = changed(make_task(), test={"ghost": {"nobody": 1}})
    spec = TuningSpec(base_model=str(base_folder), train_steps=30)
    job = LocalTuner(tmp_path / "runs").submit(spoilt, spec)
    job.cancel()

    names = {path.name for path in (job.folder / "dataset").rglob("*.tsv")}
    assert {"train.tsv"} == names


def test_text_that_no_file_can_hold(
    make_task: MakeTask, base_folder: Path, tmp_path: Path
) -> None:
    """Half a surrogate pair is refused by the document's id, and nothing is left."""
    task = make_task()
    spoilt = changed(task, corpus={**task.corpus, "d0": "half \ud83d of it"})
    spec = TuningSpec(base_model=str(base_folder))
    with pytest.raises(DatasetIntegrityError, match="'d0' has a lone surrogate"):
        LocalTuner(tmp_path / "runs").submit(spoilt, spec)

    assert [] == list((tmp_path / "runs").iterdir())


def test_runs_that_can_be_no_folder(
    make_task: MakeTask, base_folder: Path, tmp_path: Path
) -> None:
    """A file where the jobs' folder should be is named, and left as it is."""
    runs = tmp_path / "runs"
    runs.write_text("mine")
    spec = TuningSpec(base_model=str(base_folder))
    with pytest.raises(ConfigurationError, match=r"cannot be made .*give LocalTuner"):
        LocalTuner(runs).submit(make_task(), spec)

    assert "mine" == runs.read_text()


def test_job_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A missing folder is named as the reason why a job is not found."""
    with pytest.raises(NotFoundError, match=r"'ghost' in .*, which is no folder") as e:
        LocalTuner(tmp_path / "none").job("ghost")

    assert "tuning.job" == e.value.operation
