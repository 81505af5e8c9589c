"""Every check of a dataset, as one report."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median_low
from typing import Literal

from embedtune.catalog.lookup import get
from embedtune.catalog.values import BaseModel, TuningLimits
from embedtune.datasets.bulk import paused_gc
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.label_checks import check_labels
from embedtune.datasets.near_checks import check_near_duplicates
from embedtune.datasets.report import DatasetReport, Problem, Severity
from embedtune.datasets.text_checks import scan_documents, scan_queries
from embedtune.datasets.vertex import unfit_ids
from embedtune.types import SPLITS

_ORDER: tuple[Severity, ...] = ("error", "warning", "note")
_LONGER = 3
_EXAMPLES = 10
_NOTHING_TO_TUNE_ON = "give labels in 'train'; split() divides the ones there are"


def check_dataset(
    dataset: TuningDataset,
    model: str | None,
    near_duplicates: float | Literal["auto"] | None,
) -> DatasetReport:
    """Check a dataset; see :meth:`~embedtune.datasets.dataset.TuningDataset.check`."""
    base = None if model is None else get(model)
    max_tokens = None if base is None else base.tokens_per_text
    origin = dataset.origin
    with paused_gc():
        documents = scan_documents(
            dataset.corpus, origin.corpus if origin else None, max_tokens
        )
        queries = scan_queries(
            dataset.queries, origin.queries if origin else None, max_tokens
        )
        problems = [
            *_missing_parts(dataset, base),
            *_ignored_files(dataset),
            *documents.problems,
            *queries.problems,
            *_swapped_columns(dataset),
            *check_labels(dataset, queries.twin_of, documents.twin_of),
            *check_near_duplicates(dataset, near_duplicates),
        ]
        if base is not None and base.tuning_limits is not None:
            problems += _service_problems(dataset, base.tuning_limits)
    problems.sort(key=lambda problem: _ORDER.index(problem.severity))
    name = None if base is None else base.model_id
    return DatasetReport(problems=tuple(problems), model=name)


def _missing_parts(dataset: TuningDataset, base: BaseModel | None) -> Iterator[Problem]:
    for name, part in (("documents", dataset.corpus), ("queries", dataset.queries)):
        if not part:
            yield Problem(
                rule="no-records",
                severity="error",
                message=f"the dataset has no {name}",
                hint="give some; nothing can be tuned or measured without",
            )
    if not dataset.train:
        is_unusable = base is not None or not (dataset.validation or dataset.test)
        yield Problem(
            rule="no-train-labels",
            severity="error" if is_unusable else "warning",
            message="the dataset has no train labels",
            hint=_NOTHING_TO_TUNE_ON,
        )
    if dataset.train and not dataset.test:
        yield Problem(
            rule="no-test-labels",
            severity="note",
            message="the dataset has no test labels",
            hint="split(test=0.2) holds some out, so that the gain can be measured",
        )


def _ignored_files(dataset: TuningDataset) -> Iterator[Problem]:
    """Yield a warning if files beside the corpus may be meant as labels."""
    names = dataset.origin.ignored if dataset.origin else ()
    if names:
        one = len(names) == 1
        what = "1 .tsv file" if one else f"{len(names)} .tsv files"
        yield Problem(
            rule="ignored-file",
            severity="warning",
            message=f"beside the corpus, {what} named like no split: not read",
            hint="rename what holds labels by its split, or move it away",
            count=len(names),
            examples=names[:_EXAMPLES],
        )


def _swapped_columns(dataset: TuningDataset) -> Iterator[Problem]:
    """Yield a warning if queries are much longer than the documents they find."""
    queries = [len(query.text) for query in dataset.queries.values()]
    documents = [
        len(document.text) + len(document.title) for document in dataset.corpus.values()
    ]
    if not queries or not documents:
        return
    query, document = median_low(queries), median_low(documents)
    if query > _LONGER * max(document, 1):
        yield Problem(
            rule="swapped-columns",
            severity="warning",
            message=(
                f"queries are longer than documents (half of them have {query} "
                f"characters or more, half of the documents {document} or fewer)"
            ),
            hint="swap them if they are mixed up; ignore this for short topic names",
        )


def _service_problems(
    dataset: TuningDataset, limits: TuningLimits
) -> Iterator[Problem]:
    queries, documents = len(dataset.queries), len(dataset.corpus)
    labelled = {key for split in SPLITS for key in dataset.labels(split)}
    labels = sum(len(r) for split in SPLITS for r in dataset.labels(split).values())
    sizes = [
        ("queries", queries, limits.min_queries, limits.max_queries),
        ("documents", documents, limits.min_documents, limits.max_documents),
        ("queries with labels", len(labelled), limits.min_labelled_queries, None),
        ("labels", labels, None, limits.max_labels),
    ]
    sizes += [
        (
            f"queries with labels in {split}",
            len(dataset.labels(split)),
            limits.min_labelled_queries_per_split,
            None,
        )
        for split in SPLITS
        if split == "train" or dataset.labels(split)
    ]
    for what, count, least, most in sizes:
        yield from _size_problems(what, count, least, most)
    unfit = sorted(unfit_ids(dataset))
    if unfit:
        yield Problem(
            rule="unfit-id",
            severity="error",
            message=f"{len(unfit)} ids hold a tab, a line break or a quote",
            hint="rename them; the service reads ids from tab-separated files",
            count=len(unfit),
            examples=tuple(unfit[:_EXAMPLES]),
        )


def _size_problems(
    what: str, count: int, least: int | None, most: int | None
) -> Iterator[Problem]:
    if least is not None and count < least:
        bound, hint = f"at least {least:,}", "add some"
    elif most is not None and count > most:
        bound, hint = f"at most {most:,}", "leave some out"
    else:
        return
    yield Problem(
        rule="service-limit",
        severity="error",
        message=f"the tuning service takes {bound} {what} (got {count:,})",
        hint=hint,
    )
