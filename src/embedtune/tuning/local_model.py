"""The result of a local tuning job: a folder that opens as a static model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

import attrs
import orjson

from embedtune.errors import DataError, NotFoundError, UnsupportedOperationError
from embedtune.evaluation.tradeoff import TradeoffPoint
from embedtune.serving.local import LocalEmbedder
from embedtune.tuning.forgetting import ProbeScore, probes_of, tradeoff_of


@attrs.frozen(kw_only=True)
class LocalModel:
    """A tuned static model; see :class:`~embedtune.tuning.model.TunedModel`.

    Attributes:
        folder: Its files; model2vec opens it, too.
        name: What a person calls it.
        base_model: The base model, as the spec named it.
        is_base: Whether the base model was returned because nothing was surely better.
        reason: Why this model was chosen.
        metrics: The numbers that it was chosen by; none comes from a test label.
        facts: All that is known of how it came to be: JSON values.
    """

    folder: Path
    name: str
    base_model: str
    is_base: bool
    reason: str
    metrics: Mapping[str, float] = attrs.field(repr=False)
    facts: Mapping[str, Any] = attrs.field(repr=False)

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open the model of a job, or a copy of its folder.

        Raises:
            NotFoundError: If there is no such folder.
            DataError: If it holds no model of a local tuning job.
        """
        path = Path(folder)
        try:
            config = orjson.loads((path / "config.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError) as e:
            msg = f"there is no model in {str(path)!r}"
            raise NotFoundError(msg, operation="tuning.model") from e
        except orjson.JSONDecodeError as e:
            msg = f"{str(path / 'config.json')!r} is no JSON; copy the model again"
            raise DataError(msg) from e
        facts = config.get("embedtune") if isinstance(config, dict) else None
        facts = facts if isinstance(facts, dict) else {}
        try:
            return cls(
                folder=path,
                name=facts["name"],
                base_model=facts["base_model"],
                is_base=facts["is_base"],
                reason=facts["reason"],
                metrics=facts["metrics"],
                facts=facts,
            )
        except KeyError as e:
            msg = (
                f"{str(path)!r} is not the model of a local tuning job, it does not say"
                f" its {e.args[0]!r}; open it as LocalEmbedder({str(path)!r})"
            )
            raise DataError(msg) from e

    @property
    def probes(self) -> tuple[ProbeScore, ...]:
        """The probes before and after tuning; none if the base was chosen at once."""
        return probes_of(self.facts)

    @property
    def tradeoff(self) -> tuple[TradeoffPoint, ...]:
        """What models between base and tuned gain and forget, from base to tuned."""
        return tradeoff_of(self.facts)

    def embedder(self) -> LocalEmbedder:
        """Return the model, ready to embed in this process."""
        return LocalEmbedder(self.folder)

    def deploy(
        self,
        *,
        machine_type: str | None = None,  # noqa: ARG002 -- as in the protocol
        accelerator_type: str | None = None,  # noqa: ARG002 -- as in the protocol
    ) -> NoReturn:
        """Refuse: the model runs in the caller's process, by :meth:`embedder`.

        Raises:
            UnsupportedOperationError: Always.
        """
        msg = (
            f"{self.name!r} is a local model and cannot be deployed;"
            " embedder() runs it in this process"
        )
        raise UnsupportedOperationError(msg, operation="model.deploy")
