"""Write docs/reference/models.md from the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from embedtune.catalog import BaseModel, TuningLimits, TuningWay, get, models

PAGE = Path(__file__).parents[1] / "reference" / "models.md"

_DOC = "https://docs.cloud.google.com/gemini-enterprise-agent-platform/"

_WAYS = {
    TuningWay.MANAGED: "Vertex AI",
    TuningWay.ADAPTER: "adapter",
    TuningWay.FULL: "full, own training",
    TuningWay.LOCAL_LINEAR: "local, no cloud",
}

_START = """# Models

<!-- Written by docs/_scripts/models_table.py from embedtune.catalog; edit that. -->

What {py:mod}`embedtune.catalog` knows of each base model.
An empty cell says that no public source states the fact.
Models that are gone stay here, with what to use instead.

```python
from embedtune import catalog

model = catalog.get("text-embedding-005")
assert model.dimension == 768
assert model.tuning_limits.max_documents == 500_000
```
"""

_API = """
## In code

```{eval-rst}
.. automodule:: embedtune.catalog
   :no-members:

.. autofunction:: embedtune.catalog.get

.. autofunction:: embedtune.catalog.models

.. autofunction:: embedtune.catalog.estimate_tokens

.. autofunction:: embedtune.catalog.has_more_tokens

.. autoclass:: embedtune.catalog.BaseModel

.. autoclass:: embedtune.catalog.Prompts

.. autoclass:: embedtune.catalog.TuningLimits

.. autoclass:: embedtune.catalog.TuningParameters

.. autoclass:: embedtune.catalog.Api

.. autoclass:: embedtune.catalog.TuningWay
```
"""


def page() -> str:
    """Return the whole page."""
    sections = {
        "Sizes": _sizes(),
        "Life cycle and tuning": _life(),
        "What the tuning service takes": _service(),
        "Prompts": _prompts(),
        "Notes and sources": _notes(),
    }
    middle = "\n".join(f"## {title}\n\n{body}" for title, body in sections.items())
    return f"{_START}\n{middle}{_API}"


def _sizes() -> str:
    head = (
        "model",
        "asked by",
        "dimension",
        "shorter ones",
        "tokens a text",
        "texts a request",
        "tokens a request",
        "languages",
    )
    return _table(
        head,
        (
            (
                f"`{model.model_id}`",
                model.api,
                _count(model.dimension),
                _shorter(model),
                _count(model.tokens_per_text),
                _texts(model),
                _count(model.tokens_per_request),
                model.languages or "",
            )
            for model in models()
        ),
    )


def _life() -> str:
    return _table(
        ("model", "released", "retires", "use instead", "tuned by"),
        (
            (
                f"`{model.model_id}`",
                _day(model.released),
                _end(model),
                f"`{model.replacement}`" if model.replacement else "",
                ", ".join(_WAYS[way] for way in model.tuning),
            )
            for model in models()
        ),
    )


def _service() -> str:
    limits = TuningLimits()
    rows = [
        ("queries", f"{limits.min_queries} to {_count(limits.max_queries)}"),
        ("documents", f"{limits.min_documents} to {_count(limits.max_documents)}"),
        ("queries in each label file", f">= {limits.min_labelled_queries_per_split}"),
        ("queries over all label files", f">= {limits.min_labelled_queries}"),
        ("labels over all label files", f"<= {_count(limits.max_labels)}"),
    ]
    tunable = models(tuning=TuningWay.MANAGED)
    names = ", ".join(f"`{model.model_id}`" for model in tunable)
    tasks = [
        (
            f"`{model.model_id}`",
            f"`{model.tuning_parameters.pipeline_version}`",
            _count(model.tuned_tokens_per_text),
            ", ".join(f"`{task}`" for task in model.tuning_parameters.task_types),
        )
        for model in tunable
        if model.tuning_parameters is not None
    ]
    return "\n".join(
        [
            f"Vertex AI tunes {names}.\n",
            _table(("of a dataset", "limit"), rows),
            _parameters(),
            _table(("model", "pipeline", "tokens a text, tuned", "task types"), tasks),
        ]
    )


def _parameters() -> str:
    given = get("text-embedding-005").tuning_parameters
    if given is None:
        msg = "'text-embedding-005' has no tuning parameters in the catalog"
        raise ValueError(msg)
    steps = f">= {given.min_train_steps}"
    gpus = ", ".join(f"`{gpu}`" for gpu in given.accelerator_types)
    rows = [
        ("`task_type`", "see below", f"`{given.default_task_type}`"),
        ("`batch_size`", _span(given.batch_sizes), str(given.default_batch_size)),
        ("`train_steps`", steps, _count(given.default_train_steps)),
        (
            "`learning_rate_multiplier`",
            "> 0",
            str(given.default_learning_rate_multiplier),
        ),
        ("`output_dimensionality`", _span(given.output_dimensions), "the largest"),
        ("machine type", "must fit the GPU", f"`{given.default_machine_type}`"),
        (
            "GPU",
            gpus,
            f"{given.default_accelerator_count} x `{given.default_accelerator_type}`",
        ),
    ]
    return _table(("parameter", "range", "default"), rows)


def _prompts() -> str:
    prompted = [model for model in models() if model.prompts is not None]
    names = ", ".join(f"`{model.model_id}`" for model in prompted)
    prompts = prompted[0].prompts
    if prompts is None or any(model.prompts != prompts for model in prompted):
        msg = "the models no longer share their prompts; show them apart"
        raise ValueError(msg)
    rows = [(f"`{task}`", f"`{prompt.rstrip()}`") for task, prompt in prompts.query]
    no_title = (
        "A space follows each prompt; a document without a title has the title "
        f"`{prompts.no_title}`.\n"
    )
    rows.append(("a document", f"`{prompts.document.rstrip()}`"))
    return "\n".join(
        [
            f"{names} have no task type parameter: the task goes before the text.",
            no_title,
            # A bar ends a cell, even inside code.
            _table(
                ("task", "prompt"),
                ((task, prompt.replace("|", "\\|")) for task, prompt in rows),
            ),
        ]
    )


def _notes() -> str:
    return "\n".join(
        line
        for model in models()
        for line in (
            f"### {model.model_id}\n",
            *(
                [f"{model.title}, open weights: {model.licence}.\n"]
                * bool(model.licence)
            ),
            *(f"- {note}" for note in model.notes),
            f"- Read on {_day(model.read_on)}: {', '.join(map(_link, model.sources))}\n",
        )
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _shorter(model: BaseModel) -> str:
    others = [length for length in model.dimensions if length != model.dimension]
    if not others:
        return ""
    if isinstance(model.dimensions, range):
        span = f"{_count(others[0])} to {_count(others[-1])}"
    else:
        span = ", ".join(map(_count, others))
    advised = [length for length in model.advised_dimensions if length in others]
    return span + (f" (advised {', '.join(map(_count, advised))})" if advised else "")


def _texts(model: BaseModel) -> str:
    seen = model.texts_per_request_seen
    return _count(model.texts_per_request) + (f" ({seen} seen)" if seen else "")


def _end(model: BaseModel) -> str:
    if model.retires is not None:
        return _day(model.retires)
    if model.retires_not_before is not None:
        return f"not before {_day(model.retires_not_before)}"
    return ""


def _link(source: str) -> str:
    if source.startswith("doc:"):
        page = source.removeprefix("doc:")
        return f"[{page}]({_DOC}{page})"
    return f"<{source}>" if source.startswith("https://") else source


def _span(values: range) -> str:
    return f"{_count(values[0])} to {_count(values[-1])}"


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
