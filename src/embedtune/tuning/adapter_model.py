"""The result of an adapter's tuning job: a folder that opens over its base embedder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

import attrs

from embedtune.errors import ConfigurationError, DataError, UnsupportedOperationError
from embedtune.evaluation.tradeoff import TradeoffPoint
from embedtune.serving.adapter import AdaptedEmbedder, check_base, read_facts
from embedtune.serving.base import Embedder
from embedtune.tuning.forgetting import ProbeScore, probes_of, tradeoff_of


@attrs.frozen(kw_only=True)
class AdapterModel:
    """A tuned adapter; see :class:`~embedtune.tuning.model.TunedModel`.

    Attributes:
        folder: Its files: `adapter.safetensors` and `adapter.json`.
        name: What a person calls it.
        base_model: The name of the embedder that it was tuned for.
        is_base: Whether nothing was surely better than that embedder alone.
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
    _base: Embedder | None = attrs.field(
        default=None, alias="base", repr=False, eq=False
    )

    @classmethod
    def open(cls, folder: str | Path, base: Embedder | None = None) -> Self:
        """Open the model of a job, or a copy of its folder.

        Args:
            folder: The model's folder.
            base: The embedder that it was tuned for; `None` to look at the
                facts alone.

        Raises:
            NotFoundError: If there is no such folder.
            DataError: If it holds no model of an adapter's tuning job.
            ConfigurationError: If *base* is another embedder.
        """
        path = Path(folder)
        facts = read_facts(path)
        try:
            model = cls(
                folder=path,
                name=facts["name"],
                base_model=facts["base_name"],
                is_base=facts["is_base"],
                reason=facts["reason"],
                metrics=facts["metrics"],
                facts=facts,
                base=base,
            )
        except KeyError as e:
            msg = (
                f"{str(path)!r} is not the model of a tuning job, it does not say its"
                f" {e.args[0]!r}; open it by AdaptedEmbedder.open()"
            )
            raise DataError(msg) from e
        if base is not None:
            check_base(base, facts)
        return model

    @property
    def probes(self) -> tuple[ProbeScore, ...]:
        """The probes before and after tuning; none if the base was chosen at once."""
        return probes_of(self.facts)

    @property
    def tradeoff(self) -> tuple[TradeoffPoint, ...]:
        """What models between base and tuned gain and forget, from base to tuned."""
        return tradeoff_of(self.facts)

    def embedder(self) -> Embedder:
        """Return the adapter over its base; it changes nothing if that was better.

        Raises:
            ConfigurationError: If the model was opened without a base.
        """
        if self._base is None:
            msg = (
                f"the adapter {self.name!r} needs its base; open it by"
                f" AdapterModel.open(folder, base), with the embedder"
                f" {self.base_model!r}"
            )
            raise ConfigurationError(msg)
        return AdaptedEmbedder.open(self.folder, self._base)

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
            f"{self.name!r} is an adapter and cannot be deployed;"
            " embedder() runs it in this process"
        )
        raise UnsupportedOperationError(msg, operation="model.deploy")
