"""What tuning gives, wherever it ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from embedtune.serving.base import Embedder


@runtime_checkable
class TunedModel(Protocol):
    """A model that came out of a tuning job.

    It is the base model, unchanged, where tuning did not help; `is_base` says so.
    """

    @property
    def name(self) -> str:
        """What a person calls this model."""
        ...

    @property
    def base_model(self) -> str:
        """The base model, as the spec named it."""
        ...

    @property
    def metrics(self) -> Mapping[str, float]:
        """The numbers that the tuner chose by; none comes from a test label."""
        ...

    @property
    def is_base(self) -> bool:
        """Whether the base model was returned because nothing was surely better."""
        ...

    def embedder(self) -> Embedder:
        """Return the model, ready to embed in this process.

        Raises:
            UnsupportedOperationError: If the model runs only where it is deployed.
        """
        ...

    def deploy(
        self, *, machine_type: str | None = None, accelerator_type: str | None = None
    ) -> object:
        """Serve the model from an endpoint.

        Args:
            machine_type: The machine to run on; `None` for the service's advice.
            accelerator_type: The GPU to run on; `None` for the service's advice.

        Raises:
            UnsupportedOperationError: If the model runs in the caller's process.
        """
        ...
