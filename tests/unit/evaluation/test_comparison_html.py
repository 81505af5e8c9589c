"""The HTML file of a comparison."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.report import DatasetReport
from embedtune.datasets.values import Document
from embedtune.errors import ConfigurationError
from embedtune.evaluation.comparison import Comparison, compare
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.external import evaluate_run
from embedtune.evaluation.groups import seen_and_unseen
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.tradeoff import TradeoffPoint
from embedtune.serving.local import LocalEmbedder

ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "div",
    "span",
    "i",
    "b",
    "strong",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "svg",
    "text",
    "rect",
    "line",
    "circle",
    "path",
}
VOID = {"meta"}
HOSTILE = (
    "</title><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"'><iframe src=http://example.org>",
    "</td></style><style>*{display:none}</style>",
    "<!-- ]]> &lt;script&gt; &#60;b&#62; --><b onclick='x'>",
    "javascript:alert(1) \x00\x1b[31m\u202e \ud800 \x85 {curly} %s",
)


class Reader(HTMLParser):
    """Checks nesting and collects elements, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes what was opened last."""
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def all_text(self) -> str:
        """Return what a reader sees."""
        return " ".join(" ".join(self.text).split())


@pytest.fixture
def comparison(dataset: TuningDataset, embedder: LocalEmbedder) -> Comparison:
    """Return a comparison in which two queries gain and one loses."""
    found = evaluate(embedder, dataset)
    run = found.run.to_mapping()
    worse = {**run, "q1": {"d0": 1.0}, "q2": {"d0": 1.0}}
    better = {**run, "r2": {"d0": 1.0}}
    base = attrs.evolve(
        evaluate_run(worse, dataset, name="older"),
        fingerprint=found.fingerprint,
        query_fingerprint="the query side",
    )
    tuned = evaluate_run(better, dataset, name="newer")
    return compare(base, tuned, groups=seen_and_unseen(dataset))


def read(comparison: Comparison, folder: Path, **options: object) -> Reader:
    """Write the file and read it back."""
    path = comparison.to_html(folder / "report.html", **options)  # type: ignore[arg-type]
    return Reader(path.read_text("utf-8"))


def test_everything_is_there(
    comparison: Comparison, dataset: TuningDataset, tmp_path: Path
) -> None:
    """Verdict, table, searches and how it was made stand in the file."""
    page = read(
        comparison,
        tmp_path,
        title="My gain",
        dataset=dataset,
        facts={"tuned by": "hand", "steps": 12},
        made_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    )
    text = page.all_text()

    for expected in (
        "My gain",
        "Tuned: newer. Base: older. 10 queries of the test split, 12 documents",
        comparison.verdict("nDCG@10").reason.replace("p = ", "p="),
        "unseen (8)",
        f"{comparison['R@10'].base:.4f}",
        "my invoice is wrong",
        "How to change your refund",
        "first relevant at rank 1",
        "none relevant among 1 hit",
        comparison.base.fingerprint,
        "base, query side the query side",
        dataset.fingerprint,
        "2026-01-02 03:04 UTC",
        "tuned by hand",
        "steps 12",
        "seed 0",
        "NumPy",
    ):
        assert expected in text.replace(" = ", "="), expected


def test_needs_nothing_else(
    comparison: Comparison, dataset: TuningDataset, tmp_path: Path
) -> None:
    """No script, no link, no address: the file is whole by itself, and small."""
    path = comparison.to_html(tmp_path / "r.html", dataset=dataset)
    content = path.read_text("utf-8")
    page = Reader(content)

    assert content.startswith("<!DOCTYPE html>")
    assert {tag for tag, _ in page.elements} <= ALLOWED
    for _, attributes in page.elements:
        assert not {"src", "href", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert "http://" not in content
    assert "https://" not in content
    assert "url(" not in content
    assert "@import" not in content
    assert len(content) < 60_000
    assert ("html", {"lang": "en"}) == page.elements[0]
    assert "default-src 'none'" in content
    assert 'name="viewport"' in content


def test_hostile_text_stays_text(
    dataset: TuningDataset, embedder: LocalEmbedder, tmp_path: Path
) -> None:
    """Markup in titles, texts, ids, names and facts is shown, never obeyed."""
    first, *others = HOSTILE
    evil_documents = {
        f"{first}{i}": Document(doc_id=f"{first}{i}", title=text, text=text + " door")
        for i, text in enumerate(HOSTILE)
    }
    evil_queries = {text: f"{text} door" for text in others}
    evil = TuningDataset(
        corpus={**dataset.corpus, **evil_documents},
        queries={**dataset.queries, **evil_queries},
        train={},
        test={text: {f"{first}{i}": 1} for i, text in enumerate(others)},
    )
    base = evaluate(embedder, evil)
    tuned = attrs.evolve(
        evaluate_run({}, evil, name=first),
        fingerprint=first,
        query_fingerprint=others[0],
    )
    comparison = compare(base, tuned, groups={first: others[:2]})

    page = read(
        comparison,
        tmp_path,
        title=first,
        dataset=evil,
        examples=others,
        facts={first: {others[0]: others[1:]}},
        history=[{"step": 1, "loss": 1.0, "score": 0.5}],
        tradeoff=_points(first),
    )
    harmless = compare(base, base, groups={"some": others[:2]}).to_html(
        tmp_path / "harmless.html",
        dataset=evil,
        examples=others,
        history=[{"step": 1, "loss": 1.0, "score": 0.5}],
        tradeoff=_points("probe"),
    )

    assert {tag for tag, _ in page.elements} <= ALLOWED
    assert {name for _, facts in page.elements for name in facts} <= {
        name
        for _, facts in Reader(harmless.read_text("utf-8")).elements
        for name in facts
    }
    assert first in page.all_text()
    assert "<b onclick='x'> door" in page.all_text()


def test_chosen_examples(
    comparison: Comparison, dataset: TuningDataset, tmp_path: Path
) -> None:
    """Given queries are shown in their order; without a choice, those that changed."""

    def shown(**options: object) -> list[str]:
        text = read(comparison, tmp_path, dataset=dataset, **options).all_text()
        found = [(text.find(q.text), key) for key, q in dataset.queries.items()]
        return [key for place, key in sorted(found) if place >= 0]

    changed = {
        key
        for key, change in comparison.per_query["nDCG@10"].items()
        if abs(change) > 0
    }

    assert ["r5", "q2"] == shown(examples=["r5", "q2"])
    assert [] == shown(examples=[])
    assert changed == set(shown())
    assert "r2" == shown()[-1]


def test_without_texts(comparison: Comparison, tmp_path: Path) -> None:
    """Without a dataset there are no searches, and no text of a document."""
    text = read(comparison, tmp_path).all_text()

    assert "newer against older" in text
    assert "Searches before and after" not in text
    assert "How to change" not in text


def test_queries_without_positive_are_told(tmp_path: Path) -> None:
    """The file tells how many queries count as 0 because nothing is relevant."""
    report = evaluate_run({"a": {"d": 1.0}}, {"a": {"d": 1}, "b": {"d": 0}})

    text = read(compare(report, report), tmp_path).all_text()

    assert "2 (1 without a positive; they count as 0)" in text
    assert "the same for each of 2 queries" in text


def test_long_texts_are_cut(embedder: LocalEmbedder, tmp_path: Path) -> None:
    """A document of any length takes a few lines."""
    dataset = TuningDataset(
        corpus={"d1": "word " * 50_000, "d2": "x" * 50_000},
        queries={"q": "word " * 10_000},
        train={},
        test={"q": {"d1": 1}},
    )
    report = evaluate(embedder, dataset)

    path = compare(report, report).to_html(
        tmp_path / "r.html", dataset=dataset, examples=["q"]
    )

    assert path.stat().st_size < 30_000


def test_many_queries_make_no_large_file(
    report_of: Callable[..., EvaluationReport], tmp_path: Path
) -> None:
    """The plot of the queries has a bounded number of columns."""
    rng = np.random.default_rng(0)
    base, tuned = (report_of(rng.integers(1, 9, 5_000)) for _ in range(2))

    path = compare(base, tuned, resamples=50).to_html(tmp_path / "r.html")

    assert path.stat().st_size < 40_000


def test_the_file_is_replaced_whole(comparison: Comparison, tmp_path: Path) -> None:
    """An old file gives way, and nothing else is left in the folder."""
    path = tmp_path / "report.html"
    path.write_text("old")

    assert path == comparison.to_html(str(path))
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [path] == list(tmp_path.iterdir())


def test_wrong_options(
    comparison: Comparison, dataset: TuningDataset, tmp_path: Path
) -> None:
    """Texts come from the dataset that was measured on; examples were compared."""
    other = attrs.evolve(dataset, corpus={**dataset.corpus, "new": "text"})

    with pytest.raises(ConfigurationError, match="not the one that was measured on"):
        comparison.to_html(tmp_path / "r.html", dataset=other)
    with pytest.raises(ConfigurationError, match="'examples' need 'dataset'"):
        comparison.to_html(tmp_path / "r.html", examples=["q1"])
    with pytest.raises(ConfigurationError, match="lacks 1 query: 'q0'"):
        comparison.to_html(tmp_path / "r.html", dataset=dataset, examples=["q0"])

    assert [] == list(tmp_path.iterdir())


def test_run_of_labels_alone(tmp_path: Path, dataset: TuningDataset) -> None:
    """Reports made of labels alone show searches with texts that are known."""
    labels = {"q1": {"d1": 1}, "unknown": {"d2": 1}}
    base = evaluate_run({"q1": {"x": 1.0}}, labels)
    tuned = evaluate_run({"q1": {"d1": 1.0}, "unknown": {"d2": 1.0}}, labels)

    text = read(compare(base, tuned), tmp_path, dataset=dataset).all_text()

    assert "my invoice is wrong" in text
    assert "base: nothing found" in text
    assert "base: none relevant among 1 hit" in text


def test_the_base_given_back(
    dataset: TuningDataset, embedder: LocalEmbedder, tmp_path: Path
) -> None:
    """One model on both sides is told in words, once, without a verdict."""
    report = evaluate(embedder, dataset)
    comparison = compare(report, report, groups=seen_and_unseen(dataset))
    text = comparison.to_html(tmp_path / "r.html").read_text(encoding="utf-8")
    shown = " ".join(Reader(text).text)

    assert 1 == shown.count("base and tuned are the same model, wordllama-256")
    assert "No test" in shown
    assert "Undecided" not in shown
    assert "decides nothing" not in shown


def test_how_it_was_learned(
    comparison: Comparison, dataset: TuningDataset, tmp_path: Path
) -> None:
    """Learning curve, trade-off, margins and the dataset have their sections."""
    history = [{"step": 1, "loss": 2.0, "score": 0.1, "chosen": 1.0}]
    page = read(
        comparison,
        tmp_path,
        dataset=dataset,
        history=history,
        tradeoff=_points("general"),
        facts={"config": {"seed": 7}},
    )
    text, without = page.all_text(), read(comparison, tmp_path).all_text()

    for title, section in {
        "Learning curve": "chosen: step 1",
        "Gain on the task, and change elsewhere": "general \N{MINUS SIGN}0.100",
        "Margins of relevant documents before others": "relevant first",
        "The dataset": "12 (0 with a title)",
        "Its check found": "note",
        "How it was made": "config, seed 7",
    }.items():
        assert title in text
        assert section in text
        assert title == "How it was made" or title not in without


def test_a_dataset_with_problems(embedder: LocalEmbedder, tmp_path: Path) -> None:
    """Problems of the dataset stand in the report, with severity and a way out."""
    dataset = TuningDataset(
        corpus={"a": "same", "b": "same", **{f"c{i}": f"text {i}" for i in range(5)}},
        queries={"q": "same", "r": "text 1"},
        train={},
        test={"q": {"a": 1}, "r": {"c1": 1}},
    )
    report = evaluate(embedder, dataset)
    page = read(compare(report, report), tmp_path, dataset=dataset)

    for problem in dataset.check():
        assert f"{problem.severity} {problem.message}" in page.all_text()
        assert problem.hint in page.all_text()
    classes = [facts.get("class") or "" for _, facts in page.elements]
    assert "problem is-warning" in classes


def test_a_check_made_before(
    comparison: Comparison, dataset: TuningDataset, tmp_path: Path
) -> None:
    """What a check found for a model is shown as it is, and not looked for again."""
    nothing = DatasetReport(problems=(), model="text-embedding-005")
    text = read(comparison, tmp_path, dataset=dataset, check=nothing).all_text()

    assert "Its check for text-embedding-005 found nothing" in text


def test_curves_are_checked(comparison: Comparison, tmp_path: Path) -> None:
    """What is no curve is refused before a file is written."""
    with pytest.raises(ConfigurationError, match="'history'"):
        comparison.to_html(tmp_path / "r.html", history=[])
    with pytest.raises(ConfigurationError, match="'tradeoff'"):
        comparison.to_html(tmp_path / "r.html", tradeoff=_points("")[:1])
    with pytest.raises(TypeError, match=r"TradeoffPoints \(got dict\)"):
        comparison.to_html(tmp_path / "r.html", tradeoff=[{}])  # type: ignore[list-item]

    assert [] == list(tmp_path.iterdir())


def test_no_curve_is_no_section(comparison: Comparison, tmp_path: Path) -> None:
    """The curve of a job that gave the base back is empty, and so is its section."""
    path = comparison.to_html(tmp_path / "new" / "r.html", tradeoff=())

    assert "change elsewhere" not in path.read_text()


def test_other_kinds_are_refused(
    comparison: Comparison, dataset: TuningDataset, tmp_path: Path
) -> None:
    """A path instead of a dataset, a query id instead of several, a job: all named."""
    path = tmp_path / "r.html"
    with pytest.raises(TypeError, match=r"'dataset' must be .* \(got str\)"):
        comparison.to_html(path, dataset="data.csv")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"'examples' must be several .* 'q1'\)"):
        comparison.to_html(path, dataset=dataset, examples="q1")
    with pytest.raises(TypeError, match=r"\(got object\); a job has them as .history"):
        comparison.to_html(path, history=object())  # type: ignore[arg-type]


def _points(probe: str) -> list[TradeoffPoint]:
    return [
        TradeoffPoint(share=0, gain=0, changes={probe: 0.0}),
        TradeoffPoint(share=1, gain=0.2, changes={probe: -0.1}),
    ]
