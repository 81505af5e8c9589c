"""The catalog: its facts, its look-up and its filters."""

from __future__ import annotations

import copy
import pickle
from datetime import date, timedelta

import attrs
import pytest

from embedtune import catalog
from embedtune.catalog import Api, BaseModel, TuningWay
from embedtune.errors import ConfigurationError
from embedtune.types import TaskType

MODELS = catalog.models()

TODAY = date(2026, 11, 23)

FACTS = {  # dimension, tokens a text, texts a request, released, retires
    "textembedding-gecko@001": (768, 3072, 5, "2023-06-07", "2025-04-21"),
    "textembedding-gecko@002": (768, 2048, 5, "2023-11-02", "2025-04-21"),
    "textembedding-gecko@003": (768, 2048, 250, "2023-12-12", "2025-05-24"),
    "textembedding-gecko-multilingual@001": (
        *(768, 2048, 250),
        *("2023-11-02", "2025-05-24"),
    ),
    "text-embedding-004": (768, 2048, 250, "2024-05-14", "2027-04-01"),
    "text-embedding-005": (768, 2048, 250, "2024-11-18", "2027-04-01"),
    "text-multilingual-embedding-002": (768, 2048, 250, "2024-05-14", "2027-04-01"),
    "gemini-embedding-001": (3072, 2048, 1, "2025-05-20", None),
    "gemini-embedding-2-preview": (3072, 8192, 1, "2026-03-10", None),
    "gemini-embedding-2": (3072, 8192, 1, "2026-04-22", None),
    "multilingual-e5-small-maas": (384, 512, None, "2025-09-19", None),
    "multilingual-e5-large-instruct-maas": (1024, 512, None, "2025-09-19", None),
    "multimodalembedding@001": (1408, 32, 1, "2024-02-12", "2027-04-01"),
    "embeddinggemma-300m": (768, 2048, None, "2025-09-04", None),
    "embeddinggemma-2": (768, 8192, None, "2026-10-06", None),
    "wordllama-256": (256, None, None, None, None),
}

RETIRED = [name for name in FACTS if name.startswith("textembedding-gecko")]
MANAGED = {
    "text-embedding-004": "v1.1.3",
    "text-embedding-005": "v1.1.4",
    "text-multilingual-embedding-002": "v1.1.3",
}


def names(models: tuple[BaseModel, ...]) -> set[str]:
    """Return the ids of *models*."""
    return {model.model_id for model in models}


def test_every_model_is_there() -> None:
    """No model is missing, none is twice, and the order is that of the table."""
    assert list(FACTS) == [model.model_id for model in MODELS]


@pytest.mark.parametrize("name", FACTS)
def test_documented_facts(name: str) -> None:
    """Sizes and dates are those of the sources."""
    model = catalog.get(name)
    days = [day and day.isoformat() for day in (model.released, model.retires)]

    assert FACTS[name] == (
        model.dimension,
        model.tokens_per_text,
        model.texts_per_request,
        *days,
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_id)
def test_entries_make_sense(model: BaseModel) -> None:
    """Every entry is whole and does not contradict itself."""
    lengths = list(model.dimensions)

    assert sorted(set(lengths)) == lengths
    assert model.dimension == lengths[-1]
    assert set(model.advised_dimensions) <= set(lengths)
    assert model.replacement is None or catalog.get(model.replacement) is not model
    assert model.sources
    assert model.title
    assert model.read_on <= TODAY
    assert model.released is None or model.released <= model.read_on
    assert TaskType.DEFAULT not in model.task_types
    assert len(set(model.task_types)) == len(model.task_types)
    if model.retires and model.released:
        assert model.released < model.retires
    seen = model.texts_per_request_seen
    assert seen is None or seen > (model.texts_per_request or 0)
    assert all(note.endswith(".") for note in model.notes)
    assert (model.hub_id is not None) == (TuningWay.FULL in model.tuning)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_id)
def test_entries_travel(model: BaseModel) -> None:
    """An entry is a value: equal, hashable, and the same in another process."""
    twin = pickle.loads(pickle.dumps(model))  # noqa: S301

    assert model == twin
    assert hash(model) == hash(twin)
    assert model == copy.deepcopy(model)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        model.dimension = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", RETIRED)
def test_retired_models_say_what_to_use(name: str) -> None:
    """A model that is gone can be tuned in no way and names its successor."""
    model = catalog.get(name)

    assert model.is_retired(TODAY)
    assert "gemini-embedding-001" == model.replacement
    assert () == model.tuning


def test_retirement_by_the_day() -> None:
    """The last day is the one before the date of retirement."""
    model = catalog.get("text-embedding-005")
    end = date(2027, 4, 1)

    assert not model.is_retired(end - timedelta(days=1))
    assert model.is_retired(end)
    assert 1 == model.days_left(end - timedelta(days=1))
    assert 0 == model.days_left(end)
    assert 0 == model.days_left(end + timedelta(days=400))
    assert 129 == model.days_left(TODAY)


def test_promise_to_stay_is_no_end() -> None:
    """A "not before" is a fact of its own and retires nothing."""
    model = catalog.get("gemini-embedding-001")

    assert date(2028, 5, 20) == model.retires_not_before
    assert model.days_left(TODAY) is None
    assert not model.is_retired(date(2030, 1, 1))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_id)
def test_managed_tuning(model: BaseModel) -> None:
    """Three models have the tuning service, with the pipeline that fits each."""
    parameters = model.tuning_parameters
    is_managed = model.model_id in MANAGED

    assert is_managed == (TuningWay.MANAGED in model.tuning)
    assert is_managed == (model.tuning_limits is not None)
    assert MANAGED.get(model.model_id) == (parameters and parameters.pipeline_version)
    assert (3072 if is_managed else None) == model.tuned_tokens_per_text


def test_adapters_fit_everything_that_answers() -> None:
    """What is not gone can be tuned by an adapter at least."""
    assert set(FACTS) - set(RETIRED) == names(catalog.models(tuning=TuningWay.ADAPTER))
    assert not names(catalog.models(tuning=TuningWay.ADAPTER)) & set(RETIRED)


def test_tuning_limits() -> None:
    """The sizes are those that the service documents; fewer than 500,000 labels."""
    assert {
        "min_queries": 9,
        "max_queries": 10_000,
        "min_documents": 9,
        "max_documents": 500_000,
        "min_labelled_queries_per_split": 3,
        "min_labelled_queries": 9,
        "max_labels": 499_999,
    } == attrs.asdict(catalog.TuningLimits())


@pytest.mark.parametrize("name", MANAGED)
def test_tuning_parameters(name: str) -> None:
    """Ranges are those that Google's own client accepts; code is for 005 alone."""
    parameters = catalog.get(name).tuning_parameters

    assert parameters is not None
    assert (1, 1023) == (min(parameters.batch_sizes), max(parameters.batch_sizes))
    assert 30 == parameters.min_train_steps
    dimensions = parameters.output_dimensions
    assert (1, 768) == (min(dimensions), max(dimensions))
    assert parameters.default_batch_size in parameters.batch_sizes
    assert parameters.default_train_steps >= parameters.min_train_steps
    assert parameters.default_task_type in parameters.task_types
    assert parameters.default_accelerator_type in parameters.accelerator_types
    assert (name == "text-embedding-005") == (
        TaskType.CODE_RETRIEVAL_QUERY in parameters.task_types
    )
    assert (
        "https://us-kfp.pkg.dev/ml-pipeline/llm-text-embedding/"
        f"tune-text-embedding-model/{MANAGED[name]}"
    ) == parameters.pipeline_template


def test_contradictions_are_kept() -> None:
    """Where sources differ the safe value is used, and the note says so."""
    model = catalog.get("gemini-embedding-001")

    assert (1, 100) == (model.texts_per_request, model.texts_per_request_seen)
    assert any("250" in note and "refused" in note for note in model.notes)


def test_normalisation_is_three_valued() -> None:
    """Yes, no and unknown are told apart."""
    known = {model.model_id: model.is_truncation_normalised for model in MODELS}

    assert known["gemini-embedding-2"] is True
    assert known["gemini-embedding-001"] is False
    assert known["text-embedding-005"] is None


def test_bundled_model_tells_its_origin() -> None:
    """Whoever must not use Llama 2 derivatives finds it written here."""
    model = catalog.get("wordllama-256")

    assert "MIT" == model.licence
    assert (64, 128, 256) == model.dimensions
    assert any("Llama 2" in note for note in model.notes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("text-embedding-005", "text-embedding-005"),
        (" Text-Embedding-005\n", "text-embedding-005"),
        ("google/embeddinggemma-300m", "embeddinggemma-300m"),
    ],
)
def test_names(name: str, expected: str) -> None:
    """Case and spaces do not matter, and the Hub's names are known."""
    assert expected == catalog.get(name).model_id


def test_misspelt_name() -> None:
    """A wrong id is told with the closest right ones and the way out."""
    with pytest.raises(ConfigurationError) as info:
        catalog.get("text-embeding-05")

    message = str(info.value)
    assert "no base model 'text-embeding-05'; close to it: 'text-embedd" in message
    assert "'text-embedding-005'" in message
    assert "models() lists all" in message


def test_strange_name() -> None:
    """An id that resembles nothing gets no guess, but the way out."""
    with pytest.raises(
        ConfigurationError, match=r"'§'; embedtune\.catalog\.models\(\)"
    ):
        catalog.get("§")


def test_filters() -> None:
    """Conditions narrow the list, each in its way, and together."""
    assert set(FACTS) - set(RETIRED) == names(catalog.models(on=TODAY))
    assert {"wordllama-256"} == names(catalog.models(api=Api.LOCAL))
    assert {"embeddinggemma-300m", "embeddinggemma-2"} == names(
        catalog.models(tuning=TuningWay.FULL)
    )
    assert "gemini-embedding-2" in names(
        catalog.models(task_type=TaskType.CODE_RETRIEVAL_QUERY)
    )
    assert {"text-multilingual-embedding-002"} == names(
        catalog.models(tuning=TuningWay.MANAGED, is_multilingual=True)
    )
    assert "gemini-embedding-2" not in names(
        catalog.models(is_multilingual=True) + catalog.models(is_multilingual=False)
    )


@pytest.mark.parametrize("name", ["gemini-embedding-2", "embeddinggemma-300m"])
def test_prompts(name: str) -> None:
    """Models that are told their task in the text get the documented words."""
    model = catalog.get(name)

    assert "task: search result | query: " == model.query_prompt()
    assert "task: fact checking | query: " == model.query_prompt(
        TaskType.FACT_VERIFICATION
    )
    assert "title: none | text: " == model.document_prompt()
    assert "title: {x} | text: " == model.document_prompt("{x}")


@pytest.mark.parametrize(
    "model", [m for m in MODELS if m.prompts], ids=lambda model: model.model_id
)
def test_every_task_of_a_prompted_model_has_a_prompt(model: BaseModel) -> None:
    """No task that such a model knows is without words for it."""
    assert model.prompts is not None
    tasks = {task for task, _ in model.prompts.query}

    assert set(model.task_types) == tasks | {TaskType.RETRIEVAL_DOCUMENT}
    assert len(tasks) == len({model.query_prompt(task) for task in tasks})


def test_task_without_a_prompt() -> None:
    """A task that is not a query's is refused, with those that are."""
    with pytest.raises(ConfigurationError, match="'RETRIEVAL_DOCUMENT'; it has them"):
        catalog.get("embeddinggemma-2").query_prompt(TaskType.RETRIEVAL_DOCUMENT)


def test_models_without_prompts() -> None:
    """Where the task goes another way, nothing goes before the text."""
    model = catalog.get("text-embedding-005")

    assert "" == model.query_prompt() == model.document_prompt("A title")
