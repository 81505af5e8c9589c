"""Finding a base model by its name or by what it can do."""

from __future__ import annotations

import difflib
from datetime import date

from embedtune.catalog.open_models import OPEN_MODELS
from embedtune.catalog.values import Api, BaseModel, TuningWay
from embedtune.catalog.vertex_models import VERTEX_MODELS
from embedtune.errors import ConfigurationError
from embedtune.types import TaskType


def get(model_id: str) -> BaseModel:
    """Return what is known of one base model.

    Args:
        model_id: Its id, or the Hub's name of its weights.

    Raises:
        ConfigurationError: If the catalog has no such model.

    Example:
        >>> get("text-embedding-005").dimension
        768
    """
    name = model_id.strip().casefold()
    if name not in _BY_NAME:
        close = difflib.get_close_matches(name, _BY_NAME, n=3, cutoff=0.5)
        guess = f"close to it: {', '.join(map(repr, close))}; " if close else ""
        msg = (
            f"the catalog has no base model {model_id!r}; {guess}"
            "embedtune.catalog.models() lists all, "
            "and an Embedder of your own needs no entry"
        )
        raise ConfigurationError(msg)
    return _BY_NAME[name]


def models(
    *,
    on: date | None = None,
    api: Api | None = None,
    tuning: TuningWay | None = None,
    task_type: TaskType | None = None,
    is_multilingual: bool | None = None,
) -> tuple[BaseModel, ...]:
    """Return the base models that fulfil every condition given, oldest family first.

    Args:
        on: Leave out what is retired on that day.
        api: Asked in that way.
        tuning: Can be tuned in that way.
        task_type: Knows that task, by parameter or by prompt.
        is_multilingual: Made for more than one language, or for one only. A model
            of which it is not known fulfils neither.

    Example:
        >>> [model.model_id for model in models(tuning=TuningWay.LOCAL_LINEAR)]
        ['wordllama-256']
    """
    return tuple(
        model
        for model in _ALL
        if (on is None or not model.is_retired(on))
        and (api is None or model.api is api)
        and (tuning is None or tuning in model.tuning)
        and (task_type is None or task_type in model.task_types)
        and (is_multilingual is None or model.is_multilingual is is_multilingual)
    )


_ALL = (*VERTEX_MODELS, *OPEN_MODELS)
_BY_NAME = {
    name.casefold(): model
    for model in _ALL
    for name in (model.hub_id, model.model_id)
    if name
}
