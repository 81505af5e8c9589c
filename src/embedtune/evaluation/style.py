"""How a report looks: on a desk, on a phone, in the dark, on paper."""

from __future__ import annotations

from embedtune.evaluation.markup import Markup

CSS = Markup("""
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --line: #d9dee5;
  --page: #ffffff; --card: #f6f8fa; --base: #9aa5b1; --tuned: #2563c9;
  --good: #137a4b; --bad: #b3451b; --even: #6b7684; --mark: #e3f4ea;
  --warn: #b58300; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #a3aebb;
  --line: #343d49; --page: #12161c; --card: #1b2129; --base: #6f7b89;
  --tuned: #6ea1f7; --good: #4cc38a; --bad: #f08a5d; --even: #97a3b1;
  --mark: #17392a; --warn: #d9a521; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 60rem;
  background: var(--page); color: var(--ink);
  overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
p { margin: .4rem 0; }
.soft, .note { color: var(--soft); }
.note { font-size: .9rem; max-width: 46rem; }
.verdict { margin: 1rem 0 0; padding: .75rem 1rem; border-radius: .5rem;
  background: var(--card); border-left: .4rem solid var(--even); }
.verdict.better { border-color: var(--good); }
.verdict.worse { border-color: var(--bad); }
.scroll { overflow-x: auto; }
.facts + .scroll, .scroll + .scroll { margin-top: 1rem; }
.search .change { font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .45rem; border-bottom: 1px solid var(--line);
  text-align: right; white-space: nowrap; }
th { font-weight: 600; }
th:first-child, .facts td { text-align: left; }
tbody th { white-space: normal; min-width: 6rem; max-width: 16rem; }
.facts td { white-space: normal; }
.facts th { width: 13rem; font-weight: 400; color: var(--soft);
  vertical-align: top; white-space: normal; }
.plot .row { display: grid; grid-template-columns: 12rem minmax(0, 1fr) 13rem;
  gap: .75rem; align-items: center; }
.plot.bars .row { grid-template-columns: 12rem minmax(0, 1fr) 3.5rem; }
.plot .label { font-size: .9rem; text-align: right; }
.plot .value { font-size: .9rem; font-variant-numeric: tabular-nums; }
.plot .row.first { margin-top: .6rem; }
.plot svg { display: block; }
rect.base, .key .base { fill: var(--base); background: var(--base); }
rect.tuned, .key .tuned { fill: var(--tuned); background: var(--tuned); }
svg.bar { background: var(--card); }
line.zero { stroke: var(--even); stroke-width: 1; stroke-dasharray: 3 3; }
line.span { stroke: var(--even); stroke-width: 3; stroke-linecap: round; }
circle.dot { fill: var(--even); }
line.span.better { stroke: var(--good); } line.span.worse { stroke: var(--bad); }
circle.dot.better { fill: var(--good); } circle.dot.worse { fill: var(--bad); }
.keys { font-size: .9rem; color: var(--soft); }
.key { margin-right: 1.25rem; display: inline-block; max-width: 100%; }
.key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem;
  border-radius: .2rem; vertical-align: -.05rem; }
.key .better { background: var(--good); } .key .worse { background: var(--bad); }
.key .undecided { background: var(--even); }
.plot.sorted { position: relative; }
.plot.sorted svg { width: 100%; height: 14rem; background: var(--card); }
.plot.sorted .scale { position: absolute; left: .5rem; font-size: .8rem;
  color: var(--soft); }
.plot.sorted .scale.top { top: .2rem; }
.plot.sorted .scale.bottom { bottom: 1.9rem; left: auto; right: .5rem; }
.plot.sorted .legend { display: flex; justify-content: space-between;
  font-size: .9rem; }
path.gains { fill: var(--good); } path.losses { fill: var(--bad); }
path.axis { stroke: var(--even); fill: none; }
.plot.chart { display: grid; grid-template-columns: 3.25rem minmax(0, 1fr);
  margin: .25rem 0 1rem; }
.plot.chart .keys { grid-column: 1 / -1; }
.plot.chart svg.lines { background: var(--card); }
.plot.chart svg.axis, .plot.chart .across { grid-column: 2; }
.plot.chart svg.axis { overflow: visible; }
.plot.chart .key svg { display: inline-block; vertical-align: middle;
  margin-right: .4rem; }
.plot text { font-size: 12px; fill: var(--soft); }
.plot .across { text-align: center; font-size: .8rem; color: var(--soft); }
line.grid { stroke: var(--line); stroke-width: 1; }
line.grid.zero { stroke: var(--even); stroke-width: 1.5; }
.plot .mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 3; }
path.line { fill: none; stroke: var(--even); stroke-width: 2; }
circle.point { fill: var(--even); }
path.line-score, path.task, path.loss-0 { stroke: var(--tuned); }
circle.line-score, circle.task, circle.loss-0 { fill: var(--tuned); }
path.line-seen, path.probe-0 { stroke: var(--bad); stroke-dasharray: 6 3; }
circle.line-seen, circle.probe-0 { fill: var(--bad); }
path.line-unseen, path.probe-1 { stroke: var(--good); stroke-dasharray: 2 3; }
circle.line-unseen, circle.probe-1 { fill: var(--good); }
path.loss-1, path.probe-2 { stroke: var(--even); stroke-dasharray: 6 3; }
path.probe-3 { stroke: var(--ink); stroke-dasharray: 1 4; }
circle.probe-3 { fill: var(--ink); }
.plot.margins { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem;
  margin-bottom: .75rem; }
.plot.margins h4 { margin: 0 0 .25rem; font-size: .9rem; font-weight: 600; }
svg.histogram { width: 100%; height: 8rem; background: var(--card); }
.legend { display: flex; justify-content: space-between; font-size: .85rem;
  color: var(--soft); }
.problem { margin: .5rem 0; padding: .5rem .8rem; background: var(--card);
  border-left: .3rem solid var(--even); border-radius: .35rem; font-size: .92rem;
  break-inside: avoid; }
.problem.is-error { border-color: var(--bad); }
.problem.is-warning { border-color: var(--warn); }
.problem .severity { font-weight: 600; }
h3 { font-size: 1rem; margin: 1.25rem 0 .35rem; }
.search { margin: .9rem 0; padding: .8rem 1rem; background: var(--card);
  border-radius: .5rem; break-inside: avoid; }
.search h3 { font-size: 1rem; margin: 0; }
.search .sides { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem;
  margin-top: .5rem; }
.search h4 { font-size: .85rem; margin: 0 0 .25rem; color: var(--soft);
  font-weight: 600; }
.search ol { margin: 0; padding-left: 1.5rem; font-size: .88rem; }
.search li { margin: .15rem 0; padding: .15rem .35rem; border-radius: .25rem; }
.search li.relevant { background: var(--mark); }
.search li b { font-weight: 600; }
.search .tick { color: var(--good); font-weight: 700; }
@media (max-width: 56rem) {
  table { font-size: .85rem; }
  th, td { padding: .3rem .4rem; }
}
@media (max-width: 42rem) {
  body { padding: 1rem .85rem 2rem; font-size: 15px; }
  h1 { font-size: 1.3rem; }
  .plot .row { grid-template-columns: minmax(0, 1fr) auto; gap: .1rem .5rem;
    margin-bottom: .5rem; }
  .plot.bars .row { grid-template-columns: minmax(0, 1fr) auto; margin-bottom: .3rem; }
  .plot .label { text-align: left; grid-row: 1; }
  .plot .value { grid-row: 1; text-align: right; }
  .plot .row svg { grid-column: 1 / -1; grid-row: 2; }
  .search .sides, .plot.margins { grid-template-columns: minmax(0, 1fr); }
  .facts th { width: 8rem; }
}
@media print {
  :root { color-scheme: light; --ink: #000000; --soft: #444444; --line: #bbbbbb;
    --page: #ffffff; --card: #f4f4f4; --base: #9aa5b1; --tuned: #2563c9;
    --good: #137a4b; --bad: #b3451b; --even: #6b7684; --mark: #e3f4ea;
    --warn: #8a6400; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding: .2rem .25rem; }
  th { white-space: normal; }
  .plot, .note, tr { break-inside: avoid; }
  h3 { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
""")
"""The style sheet, whole."""
