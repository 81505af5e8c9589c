"""What is known of a base model, and how: the values that the catalog holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import attrs

from embedtune.errors import ConfigurationError
from embedtune.types import TaskType

PIPELINE_TEMPLATE = (
    "https://us-kfp.pkg.dev/ml-pipeline/llm-text-embedding/tune-text-embedding-model"
)
"""The tuning service's pipeline, without a version."""


class Api(StrEnum):
    """How a base model is asked for embeddings."""

    PREDICT = "predict"
    EMBED_CONTENT = "embedContent"
    SELF_HOSTED = "self-hosted"
    LOCAL = "local"


class TuningWay(StrEnum):
    """How a base model can be tuned; a model that cannot be has none."""

    MANAGED = "managed"
    """By Vertex AI's tuning service."""
    ADAPTER = "adapter"
    """By a map over its embeddings; possible wherever there is an embedder."""
    FULL = "full"
    """By training its open weights."""
    LOCAL_LINEAR = "local-linear"
    """By token weights and a linear map over its token table, without a cloud."""


@attrs.frozen(kw_only=True)
class Prompts:
    """What goes before a text, for models that have no task type parameter.

    Attributes:
        query: Pairs of a task and what goes before a query for it. For the tasks of
            one kind of text (CLASSIFICATION, CLUSTERING, SEMANTIC_SIMILARITY), it
            goes before every text.
        document: What goes before a document; `{title}` stands for its title.
        no_title: What stands for the title of a document without one.
    """

    query: tuple[tuple[TaskType, str], ...]
    document: str
    no_title: str


@attrs.frozen(kw_only=True)
class TuningLimits:
    """The sizes of a dataset that the tuning service takes.

    Attributes:
        min_queries: Queries in the query file, at least.
        max_queries: Queries in the query file, at most.
        min_documents: Documents in the corpus file, at least.
        max_documents: Documents in the corpus file, at most.
        min_labelled_queries_per_split: Query ids in each label file, at least.
        min_labelled_queries: Query ids over all label files, at least.
        max_labels: Labels over all label files, at most.
    """

    min_queries: int = 9
    max_queries: int = 10_000
    min_documents: int = 9
    max_documents: int = 500_000
    min_labelled_queries_per_split: int = 3
    min_labelled_queries: int = 9
    max_labels: int = 499_999


@attrs.frozen(kw_only=True)
class TuningParameters:
    """What the tuning service takes beside the dataset.

    Attributes:
        pipeline_version: The version of the pipeline for this base model.
        task_types: What the tuned model can be tuned for. A wrong one fails late,
            inside the pipeline.
        batch_sizes: Queries a step.
        min_train_steps: Steps, at least; the service knows no upper limit.
        output_dimensions: What `output_dimensionality` may be; `None` asks for the
            largest.
        accelerator_types: GPUs to train on.
        default_task_type: Used if none is given, as are the next ones.
        default_batch_size: Queries a step.
        default_train_steps: Steps.
        default_learning_rate_multiplier: Above 0; what it multiplies is not published.
        default_machine_type: The machine that trains; it must fit the accelerator.
        default_accelerator_type: The GPU that trains.
        default_accelerator_count: GPUs; more are faster, not better.
    """

    pipeline_version: str
    task_types: tuple[TaskType, ...]
    batch_sizes: range = range(1, 1024)
    min_train_steps: int = 30
    output_dimensions: range = range(1, 769)
    accelerator_types: tuple[str, ...] = (
        "NVIDIA_L4",
        "NVIDIA_TESLA_A100",
        "NVIDIA_TESLA_P100",
        "NVIDIA_TESLA_T4",
        "NVIDIA_TESLA_V100",
    )
    default_task_type: TaskType = TaskType.DEFAULT
    default_batch_size: int = 128
    default_train_steps: int = 1000
    default_learning_rate_multiplier: float = 1.0
    default_machine_type: str = "n1-standard-16"
    default_accelerator_type: str = "NVIDIA_TESLA_V100"
    default_accelerator_count: int = 4

    @property
    def pipeline_template(self) -> str:
        """The address of the pipeline, version and all."""
        return f"{PIPELINE_TEMPLATE}/{self.pipeline_version}"


@attrs.frozen(kw_only=True)
class BaseModel:
    """One embedding model before tuning, as its publisher documents it.

    `None` says that no public source states the fact, unless said otherwise here.

    Attributes:
        model_id: Its name in requests and in this catalog.
        title: Its name for people.
        publisher: Who made it; Google's resource names contain it.
        api: How it is asked.
        dimension: The length of its embeddings if none is asked for.
        dimensions: The lengths that can be asked for, ascending. Where only the
            largest is documented, this begins with 1.
        advised_dimensions: Those that the publisher advises; may be empty.
        is_truncation_normalised: Whether shorter embeddings come with norm 1.
            `embedtune` normalises all of them in any case.
        tokens_per_text: More are cut off. `None` also where there is no limit: the
            notes say which.
        texts_per_request: What every source allows. `None` also for models without
            a service of their own.
        texts_per_request_seen: More than that, if seen to work; to be tried at one's
            own risk of a refusal.
        tokens_per_request: Over all texts of a request; more are refused.
        task_types: What it knows to tell apart, by parameter or by prompt.
        prompts: What goes before a text; `None` if tasks are told by parameter or
            not at all.
        modalities: What it embeds.
        languages: In words.
        is_multilingual: Whether it was made for more than one human language.
        locations: Where it can be asked.
        released: The first day.
        retires: The first day on which it is gone.
        retires_not_before: A promise that it stays until then, at least.
        replacement: The model that the publisher names to use instead.
        tuning: The ways to tune it, best first; empty if it is gone.
        tuning_limits: `None` if the tuning service does not take the model, as are
            the next two.
        tuning_parameters: Ranges and defaults.
        tuned_tokens_per_text: What its tuned models take.
        hub_id: The name of its open weights on the Hugging Face Hub; `None` if they
            are not open or come another way.
        licence: Of open weights.
        notes: Contradictions, reasons and warnings, each a sentence.
        sources: Where the facts are from; `doc:` is a page below
            https://docs.cloud.google.com/gemini-enterprise-agent-platform/.
        read_on: The day on which the sources said so.
    """

    model_id: str
    title: str
    publisher: str
    api: Api
    dimension: int
    dimensions: Sequence[int]
    advised_dimensions: tuple[int, ...] = ()
    is_truncation_normalised: bool | None = None
    tokens_per_text: int | None = None
    texts_per_request: int | None = None
    texts_per_request_seen: int | None = None
    tokens_per_request: int | None = None
    task_types: tuple[TaskType, ...] = ()
    prompts: Prompts | None = None
    modalities: tuple[str, ...] = ("text",)
    languages: str | None = None
    is_multilingual: bool | None = None
    locations: tuple[str, ...] | None = None
    released: date | None = None
    retires: date | None = None
    retires_not_before: date | None = None
    replacement: str | None = None
    tuning: tuple[TuningWay, ...] = (TuningWay.ADAPTER,)
    tuning_limits: TuningLimits | None = None
    tuning_parameters: TuningParameters | None = None
    tuned_tokens_per_text: int | None = None
    hub_id: str | None = None
    licence: str | None = None
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...]
    read_on: date

    def is_retired(self, on: date) -> bool:
        """Return whether the model is gone on that day."""
        return self.retires is not None and on >= self.retires

    def days_left(self, on: date) -> int | None:
        """Return the days until the model is gone, 0 if it is; `None` if no end is set.

        A promise that it stays until some day is not an end.
        """
        return None if self.retires is None else max(0, (self.retires - on).days)

    def query_prompt(self, task: TaskType = TaskType.RETRIEVAL_QUERY) -> str:
        """Return what goes before a query, empty for models without prompts.

        For CLASSIFICATION, CLUSTERING and SEMANTIC_SIMILARITY there is one kind of
        text only, and the prompt goes before every one.

        Raises:
            ConfigurationError: If the model has prompts, and none for *task*.
        """
        if self.prompts is None:
            return ""
        prompts = dict(self.prompts.query)
        if task not in prompts:
            msg = (
                f"{self.model_id!r} has no query prompt for {str(task)!r}; "
                f"it has them for {', '.join(prompts)}"
            )
            raise ConfigurationError(msg)
        return prompts[task]

    def document_prompt(self, title: str = "") -> str:
        """Return what goes before a document, empty for models without prompts.

        Args:
            title: The document's title; empty if it has none.
        """
        if self.prompts is None:
            return ""
        return self.prompts.document.replace("{title}", title or self.prompts.no_title)
