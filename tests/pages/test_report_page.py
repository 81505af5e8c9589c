"""The report in a real browser: on a desk, on a phone, in the dark, on paper.

What a person sees cannot be asserted; what spoils a page can: parts that stick out,
text that is not drawn, requests, pages without content.
"""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.evaluation.comparison import Comparison, compare
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.external import evaluate_run
from embedtune.evaluation.groups import seen_and_unseen
from embedtune.evaluation.tradeoff import TradeoffPoint
from embedtune.serving.local import LocalEmbedder

if TYPE_CHECKING:
    from conftest import Browser, Tab

DESKTOP, PHONE, PAPER = 1200, 390, 680  # pixels; A4 without its margins
LONG_WORD = "Donaudampfschifffahrt" * 12
HOSTILE = {
    "markup": "</td></style><script>document.title='taken'</script><img src=x>",
    "quotes": "\"'><iframe src=http://127.0.0.1:9/></iframe>",
    "controls": "bell \x07 null \x00 escape \x1b[31m \u202eright to left\u202c",
    "arabic": "كيف أغير كلمة المرور",
    "long": LONG_WORD,
}
STICKS_OUT = """
[...document.querySelectorAll('body *')].filter(each => {
  const inside = each.closest('.scroll') !== null && !each.matches('.scroll');
  const box = each.getBoundingClientRect();
  return !inside && box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
}).map(each => each.tagName + '.' + (each.getAttribute('class') || ''))
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report with every section, and text that wants to break out."""
    topics = ["password", "invoice", "refund", "parcel", "address", "language"]
    corpus: dict[str, str | Document] = {
        f"d{i}": f"How to change your {topic}" for i, topic in enumerate(topics)
    }
    corpus |= {
        f"x{i}": Document(doc_id=f"x{i}", title=text, text=f"{text} password")
        for i, text in enumerate(HOSTILE.values())
    }
    queries = {f"q{i}": f"my {topic} is wrong" for i, topic in enumerate(topics)}
    queries |= {name: f"{text} password" for name, text in HOSTILE.items()}
    labels = {f"q{i}": {f"d{i}": 1} for i in range(6)}
    labels |= {name: {f"x{i}": 1} for i, name in enumerate(HOSTILE)}
    dataset = TuningDataset(
        corpus=corpus, queries=queries, train={"q0": {"d0": 1}}, test=labels
    )
    comparison = _comparison(dataset)
    history = [
        {"step": n, "loss": 3 / n, "score": 0.5 - 0.01 * (n - 6) ** 2}
        for n in range(1, 11)
    ]
    history += [{"step": n, "loss": 2 / n} for n in range(1, 7)]
    points = [
        TradeoffPoint(
            share=n / 4,
            gain=0.02 * n,
            changes={"general": -0.001 * n**2, LONG_WORD: 0.0},
            is_chosen=n == 2,
        )
        for n in range(5)
    ]
    return comparison.to_html(
        tmp_path_factory.mktemp("pages") / "report.html",
        title=f"Report {HOSTILE['markup']} {LONG_WORD}",
        dataset=dataset,
        examples=["q0", *HOSTILE],
        history=history,
        tradeoff=points,
        facts={"config": {"seed": 1, LONG_WORD: LONG_WORD}},
    )


def _comparison(dataset: TuningDataset) -> Comparison:
    base = evaluate(LocalEmbedder(), dataset)
    worse = {**base.run.to_mapping(), "q1": {"d0": 0.2}, "q2": {"d0": 0.3, "d2": 0.1}}
    tuned = evaluate_run(worse, dataset, name=HOSTILE["quotes"])
    tuned = attrs.evolve(tuned, fingerprint=LONG_WORD, query_fingerprint=LONG_WORD)
    groups = {**seen_and_unseen(dataset), LONG_WORD: list(HOSTILE)}
    return compare(base, tuned, groups=groups, resamples=200)


def opened(browser: Browser, page: Path, width: int, *, dark: bool = False) -> Tab:
    """Open the page and check what holds in every form."""
    tab = browser.open(page, width=width, dark=dark)

    assert [page.as_uri()] == tab.requests()
    assert tab.ask("document.title").startswith("Report </td></style><script>")
    assert 0 == tab.ask("document.querySelectorAll('script, img, iframe').length")
    return tab


def first_pixel(png: bytes) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Return the size of a picture and its first pixel, which no filter changes."""
    size = struct.unpack(">II", png[16:24])
    data, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += length + 12
    return size, tuple(zlib.decompress(data)[1:4])


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_fits_the_screen(browser: Browser, page: Path, width: int, dark: bool) -> None:
    """Nothing sticks out on a desk or a phone; only wide tables scroll, by themselves."""
    tab = opened(browser, page, width, dark=dark)

    assert width == tab.ask("document.documentElement.scrollWidth")
    assert [] == tab.ask(STICKS_OUT)

    png = tab.screenshot()
    (across, down), colour = first_pixel(png)
    assert width == across
    assert down > 2_000
    assert len(png) > 50_000
    assert dark == (max(colour) < 64)
    tab.close()


def test_every_text_is_shown(browser: Browser, page: Path) -> None:
    """Each section is there, with its words and its drawings, in either scheme."""
    tab = opened(browser, page, PHONE)
    text = " ".join(tab.ask("document.body.innerText").split())

    for expected in (
        "Differences and how sure they are",
        "Margins of relevant documents before others",
        "chosen: 50 %",
        "best score: step 6",
        "Searches before and after",
        "The dataset",
        "Its check found",
        "config, seed",
        "<script>document.title='taken'</script><img src=x> password",
        "bell null escape [31m",
        HOSTILE["arabic"],
    ):
        assert expected in text, expected
    assert "right to left" in text
    drawn = tab.ask(
        "[...document.querySelectorAll('svg')]"
        ".map(each => each.getBoundingClientRect())"
        ".every(box => box.width > 10 && box.height > 5)"
    )
    assert drawn
    assert tab.ask("document.querySelectorAll('svg.lines').length") == 3
    tab.close()


def test_right_to_left_text_keeps_to_itself(browser: Browser, page: Path) -> None:
    """A query in Arabic is set from the right, and the page stays as it is."""
    tab = opened(browser, page, DESKTOP)
    found = (
        "[...document.querySelectorAll('h3')].find(e => e.innerText.includes('كلمة'))"
    )

    assert "rtl" == tab.ask(f"getComputedStyle({found}).direction")
    assert "ltr" == tab.ask("getComputedStyle(document.body).direction")
    tab.close()


def test_prints(browser: Browser, page: Path) -> None:
    """On paper the page is light, nothing is cut at the edge, and no page is empty."""
    tab = opened(browser, page, PAPER, dark=True)
    tab.look(dark=True, media="print")

    assert [] == tab.ask(STICKS_OUT)
    assert PAPER == tab.ask("document.documentElement.scrollWidth")
    ink = "getComputedStyle(document.body).backgroundColor"
    assert "rgb(255, 255, 255)" == tab.ask(ink)

    pdf = tab.pdf()
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pdf.startswith(b"%PDF")
    assert 3 <= pages <= 15
    tab.close()


def test_notebook_view_keeps_to_itself(browser: Browser, page: Path) -> None:
    """What a notebook shows takes its ink from there, and changes nothing around it."""
    dataset = TuningDataset(
        corpus={"a": "one", "b": "two"},
        queries={"q": "one", "r": HOSTILE["markup"]},
        train={},
        test={"q": {"a": 1}, "r": {"b": 1}},
    )
    comparison = _comparison_of(dataset)
    views = [
        comparison._repr_html_(),
        comparison.base._repr_html_(),
        comparison.verdict("nDCG@10")._repr_html_(),
    ]
    around = "<p class='label verdict'>around</p><table><tr><td>cell</td></tr></table>"
    style = "getComputedStyle(document.querySelector('%s')).%s"
    alone, beside = (page.with_name(name) for name in ("alone.html", "beside.html"))
    for path, content in ((alone, around), (beside, around + "".join(views))):
        path.write_text(
            f"<meta charset=utf-8><body style='background:#111;color:#eee'>{content}",
            encoding="utf-8",
        )
    asked = [
        style % (where, what)
        for where in ("body > p", "body > table", "body > table td", "body")
        for what in (
            "cssText",
            "padding",
            "fontSize",
            "borderBottom",
            "color",
            "margin",
        )
    ]
    found = []
    for path in (alone, beside):
        tab = browser.open(path, width=PHONE)
        found.append([tab.ask(question) for question in asked])
        if path == beside:
            assert "rgb(238, 238, 238)" == tab.ask(
                style % (".embedtune-view td", "color")
            )
            assert PHONE == tab.ask("document.documentElement.scrollWidth")
            assert 0 == tab.ask("document.querySelectorAll('script, img').length")
        tab.close()

    assert found[0] == found[1]


def _comparison_of(dataset: TuningDataset) -> Comparison:
    base = evaluate(LocalEmbedder(), dataset)
    tuned = evaluate_run({}, dataset, name=HOSTILE["markup"])
    return compare(base, tuned, groups={LONG_WORD: ["q"]}, resamples=50)
