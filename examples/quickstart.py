"""The whole job on this machine: dataset, baseline, tuning, gain, Milvus, search.

`python examples/quickstart.py` tunes a small local model to find what is in Python's
standard library by what one wants to do. It needs no cloud and no download.
With `--data` and a BEIR folder or a CSV file, it does the same for yours.
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import console
from showcase import most_lost, show_searches

import embedtune as et
from embedtune.evaluation.bootstrap import Interval
from embedtune.tuning.jobs import LocalJob

SHOWN_MEASURES = ("nDCG@10", "R@10")
MEASURES = (*SHOWN_MEASURES, "Success@3")
TEST_SHARE = 0.25
DEPTH = 100  # hits kept of each query, to tell where a missed answer was

OWN_CODE = """\
import embedtune as et

dataset = {read}
dataset = dataset.split(test={test})
tuned = et.LocalTuner("runs").submit(dataset).wait().result().embedder()
print(et.compare(et.evaluate(et.LocalEmbedder(), dataset), et.evaluate(tuned, dataset)))
with et.MilvusIndex("my.db", "answers", tuned) as index:
    index.sync(dataset.corpus)
    print(index.search("how do I ...", limit=3))"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the job and say what came of it."""
    console.accept_any_text()
    options = _options(arguments)
    try:
        _do_the_job(options)
    except et.errors.EmbedtuneError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "stopped; run it again, and it goes on from what is done", file=sys.stderr
        )
        return 130
    return 0


def _do_the_job(options: argparse.Namespace) -> None:
    clock, out = console.Clock(), options.out
    print(
        f"embedtune {et.__version__} on Python {platform.python_version()}, "
        f"{console.cores()} cores; results go to {out}"
    )

    console.heading("1. The dataset")
    with clock.stage("dataset"):
        dataset = _dataset(options)

    console.heading("2. The base model")
    with clock.stage("baseline"):
        base = et.LocalEmbedder()
        before = et.evaluate(base, dataset, measures=MEASURES, depth=DEPTH)
        _show_baseline(before)

    console.heading("3. Tuning")
    with clock.stage("tuning"):
        job = _submitted(dataset, out / "jobs")
        model = job.wait().result()
        console.wrapped(f"done: {model.reason}.")

    console.heading("4. The gain")
    with clock.stage("gain"):
        after = et.evaluate(model.embedder(), dataset, measures=MEASURES, depth=DEPTH)
        comparison = et.compare(before, after, groups=et.seen_and_unseen(dataset))
        _show_gain(comparison, is_base=model.is_base)

    console.heading("5. The index")
    name = re.sub(r"\W", "_", f"docs_{job.name}")  # each model has its own
    with clock.stage("index"):
        index = et.MilvusIndex(out / "milvus.db", name, model.embedder())
    with index:
        with clock.stage("index"):
            _show_sync(index.sync(dataset.corpus), out / "milvus.db")

        console.heading("6. Searches before and after")
        with clock.stage("searches"):
            shown = show_searches(dataset, comparison, index)

    with clock.stage("report"):
        report = comparison.to_html(
            out / "report.html",
            title=f"Tuning on {options.data or 'the standard library'}",
            dataset=dataset,
            examples=[*shown, *most_lost(comparison, SHOWN_MEASURES[0])],
            history=job.history,
            facts={"tuning job": job.name, "config": job.config},
        )
    _show_costs(clock, report)
    _show_next(options)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="a BEIR folder or a CSV file")
    parser.add_argument("--query", default="question", help="the CSV's query column")
    parser.add_argument("--document", default="answer", help="its document column")
    parser.add_argument("--title", help="its column of document titles, if any")
    parser.add_argument("--split-by", choices=["query", "document"], default="query")
    parser.add_argument(
        "--seed", type=int, default=0, help="another one, another split"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs", "quickstart"), help="for all results"
    )
    return parser.parse_args(arguments)


def _dataset(options: argparse.Namespace) -> et.TuningDataset:
    dataset = _read(options)
    if not (dataset.train and dataset.test):
        dataset = dataset.split(test=TEST_SHARE, seed=options.seed, by=options.split_by)
        print(f"split by {options.split_by}: {TEST_SHARE:.0%} of the queries to test\n")
    print(f"{dataset.summary()}\n")
    report = dataset.check()
    _show_check(report)
    report.raise_for_errors()
    return dataset


def _show_check(report: et.DatasetReport) -> None:
    for line in str(report).splitlines():
        console.wrapped(line)


def _read(options: argparse.Namespace) -> et.TuningDataset:
    if options.data is None:
        return _read_stdlib(options.out / f"stdlib-{platform.python_version()}")
    print(f"from {options.data}")
    if options.data.is_dir():
        return et.TuningDataset.from_beir(options.data)
    return et.TuningDataset.from_table(
        options.data,
        query=options.query,
        document=options.document,
        title=options.title,
    )


def _read_stdlib(folder: Path) -> et.TuningDataset:
    console.wrapped(
        "The docstrings of Python's standard library: a query is what one wants to do, "
        "a document is the module, class or function that does it."
    )
    if (folder / "qrels" / "train.tsv").exists():
        print(f"reused: {folder}")
        return et.TuningDataset.from_beir(folder)
    dataset = et.stdlib_dataset(second_queries=True)
    dataset.to_beir(folder)
    print(f"written to {folder}")
    return dataset


def _show_baseline(report: et.EvaluationReport) -> None:
    print(f"{report.embedder}, unchanged, on {len(report.query_ids):,} test queries")
    rows = [[measure, _mean(report, measure)] for measure in SHOWN_MEASURES]
    console.table(["measure", "mean [95 % interval]"], rows)


def _submitted(dataset: et.TuningDataset, folder: Path) -> LocalJob:
    tuner = et.LocalTuner(folder)
    done = {job.name for job in tuner.jobs() if job.state is et.JobState.SUCCEEDED}
    job = tuner.submit(dataset)
    if job.name in done:
        print(f"reused: job {job.name} did this already")
    else:
        print(f"job {job.name} learns from {len(dataset.train):,} queries")
    return job


def _show_gain(comparison: et.Comparison, *, is_base: bool) -> None:
    groups = comparison.groups if len(comparison.groups) > 1 else {}
    for measure in SHOWN_MEASURES:
        rows = [
            [
                name,
                f"{part[measure].queries:,}",
                _mean(part.base, measure),
                _mean(part.tuned, measure),
                _gain(part, measure),
            ]
            for name, part in {"all": comparison, **groups}.items()
        ]
        console.table([measure, "queries", "base", "tuned", "gain"], rows)
        print()
    console.wrapped(
        "Brackets are 95 % intervals; that of a gain compares query by query. "
        f"{_about_groups(comparison)}"
    )
    print()
    first = SHOWN_MEASURES[0]
    console.wrapped(_in_words(comparison.verdict(first), is_base=is_base))
    for name, part in groups.items():
        found = part[first]
        print(f"  {name}: {found.verdict().outcome}, {found.difference:+.3f}")


def _about_groups(comparison: et.Comparison) -> str:
    if len(comparison.groups) > 1:
        return (
            "seen: training had other queries for the same documents; unseen: none, "
            "so this is what to expect of new documents."
        )
    some = "all" if "seen" in comparison.groups else "none"
    return f"Training had queries for {some} of the documents that are looked for."


def _in_words(verdict: et.Verdict, *, is_base: bool) -> str:
    if is_base:
        return (
            "Verdict: no gain. The tuner was not sure of any change on labels that it "
            "held out, and returned the base model as it is."
        )
    if verdict.is_better:
        return f"Verdict: tuning helped. {verdict.reason}."
    if verdict.is_worse:
        return f"Verdict: tuning did harm, keep the base model. {verdict.reason}."
    return f"Verdict: undecided, more test queries could tell. {verdict.reason}."


def _mean(report: et.EvaluationReport, measure: str) -> str:
    return f"{report[measure]:.3f} {_range(report.interval(measure), '.3f')}"


def _gain(comparison: et.Comparison, measure: str) -> str:
    found = comparison[measure]
    return f"{found.difference:+.3f} {_range(found.interval, '+.3f')}"


def _range(interval: Interval, form: str) -> str:
    return f"[{interval.low:{form}}, {interval.high:{form}}]"


def _show_sync(report: et.SyncReport, folder: Path) -> None:
    if report.embedded:
        print(f"{report.added:,} documents embedded and written to Milvus ({folder})")
    else:
        print(f"reused: all {report.unchanged:,} documents are in Milvus ({folder})")


def _show_costs(clock: console.Clock, report: Path) -> None:
    console.heading("What it took")
    clock.show()
    memory = console.peak_memory()
    if memory:
        print(f"Memory at the peak: {memory}.")
    print(f"Report, with searches that got worse, too: {report}")


def _show_next(options: argparse.Namespace) -> None:
    if options.data is None:
        console.heading("Next: your own data")
        print("A CSV file with a query and its answer in each row, or a BEIR folder:")
        columns = "--query question --document answer"
        print(f"  python {sys.argv[0]} --data my.csv {columns}")
        print("\nThe same in a program of your own:\n")
    else:
        console.heading("Next: a program of your own")
    print(_own_code(options))


def _own_code(options: argparse.Namespace) -> str:
    path = options.data or Path("my.csv")
    read = f'et.TuningDataset.from_beir("{path.as_posix()}")'
    if not path.is_dir():
        columns = {"query": options.query, "document": options.document}
        columns |= {"title": options.title} if options.title else {}
        names = ", ".join(f'{key}="{value}"' for key, value in columns.items())
        read = f'et.TuningDataset.from_table("{path.as_posix()}", {names})'
    return OWN_CODE.format(read=read, test=TEST_SHARE)


if __name__ == "__main__":
    sys.exit(main())
