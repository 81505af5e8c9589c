"""The models that Vertex AI serves, gone ones among them."""

from __future__ import annotations

from datetime import date

import attrs

from embedtune.catalog.prompts import GOOGLE_PROMPTS
from embedtune.catalog.values import (
    Api,
    BaseModel,
    TuningLimits,
    TuningParameters,
    TuningWay,
)
from embedtune.types import TaskType

_READ_ON = date(2026, 8, 22)

_TEXT_SOURCES = (
    "doc:models/embeddings/get-text-embeddings",
    "doc:reference/models/text-embeddings-api",
    "doc:models/embeddings/task-types",
    "doc:models/model-versions",
)
_TUNING_SOURCES = (*_TEXT_SOURCES, "doc:models/tuning/embeddings")

_FIVE_TASKS = (
    TaskType.RETRIEVAL_QUERY,
    TaskType.RETRIEVAL_DOCUMENT,
    TaskType.SEMANTIC_SIMILARITY,
    TaskType.CLASSIFICATION,
    TaskType.CLUSTERING,
)
_SEVEN_TASKS = (*_FIVE_TASKS, TaskType.QUESTION_ANSWERING, TaskType.FACT_VERIFICATION)
_EIGHT_TASKS = (*_SEVEN_TASKS, TaskType.CODE_RETRIEVAL_QUERY)

_GONE = (
    "Was tunable by an older pipeline; what becomes of models tuned from it is not "
    "documented."
)
_FIVE_TEXTS = (
    "The REST example on the page of the text embeddings still speaks of 5 texts a "
    "request, against 250 in the limits of the same page; 250 is what the service's "
    "own refusals name."
)
_NO_REPLACEMENT = (
    "No replacement is named, and what becomes of models tuned from it after it "
    "retires is not documented."
)
_P100 = "Google's support for the GPU NVIDIA_TESLA_P100 ended on 2026-09-15."

_GECKO = BaseModel(
    model_id="textembedding-gecko@003",
    title="Gecko 003",
    publisher="google",
    api=Api.PREDICT,
    dimension=768,
    dimensions=(768,),
    tokens_per_text=2048,
    texts_per_request=250,
    tokens_per_request=20_000,
    task_types=_FIVE_TASKS,
    languages="English",
    is_multilingual=False,
    released=date(2023, 12, 12),
    retires=date(2025, 5, 24),
    replacement="gemini-embedding-001",
    tuning=(),
    notes=(_GONE,),
    sources=_TEXT_SOURCES,
    read_on=_READ_ON,
)

_TUNABLE = BaseModel(
    model_id="text-embedding-004",
    title="Text Embedding 004",
    publisher="google",
    api=Api.PREDICT,
    dimension=768,
    dimensions=range(1, 769),
    tokens_per_text=2048,
    texts_per_request=250,
    tokens_per_request=20_000,
    task_types=_SEVEN_TASKS,
    languages="English",
    is_multilingual=False,
    released=date(2024, 5, 14),
    retires=date(2027, 4, 1),
    tuning=(TuningWay.MANAGED, TuningWay.ADAPTER),
    tuning_limits=TuningLimits(),
    tuning_parameters=TuningParameters(
        pipeline_version="v1.1.3", task_types=(TaskType.DEFAULT, *_SEVEN_TASKS)
    ),
    tuned_tokens_per_text=3072,
    notes=(_FIVE_TEXTS, _NO_REPLACEMENT, _P100),
    sources=_TUNING_SOURCES,
    read_on=_READ_ON,
)

_GEMINI_2 = BaseModel(
    model_id="gemini-embedding-2",
    title="Gemini Embedding 2",
    publisher="google",
    api=Api.EMBED_CONTENT,
    dimension=3072,
    dimensions=range(128, 3073),
    advised_dimensions=(128, 768, 1536),
    is_truncation_normalised=True,
    tokens_per_text=8192,
    texts_per_request=1,
    task_types=_EIGHT_TASKS,
    prompts=GOOGLE_PROMPTS,
    modalities=("text", "image", "video", "audio", "PDF"),
    locations=("global", "us", "eu"),
    released=date(2026, 4, 22),
    notes=(
        "Has no task type parameter: the task goes before the text.",
        (
            "All modalities share the limit of tokens, and what is above it is cut off "
            "without a word."
        ),
        "Several texts sent as parts of one request give one vector for all of them.",
        "No end is announced, and the languages are not listed on its own page.",
    ),
    sources=(
        "doc:models/gemini/embedding-2",
        "doc:models/embeddings/get-multimodal-embeddings",
    ),
    read_on=_READ_ON,
)

_E5 = BaseModel(
    model_id="multilingual-e5-small-maas",
    title="Multilingual E5 Small",
    publisher="intfloat",
    api=Api.EMBED_CONTENT,
    dimension=384,
    dimensions=range(1, 385),
    tokens_per_text=512,
    languages="several; the list is on the card of the open model",
    is_multilingual=True,
    locations=("us-central1", "europe-west4"),
    released=date(2025, 9, 19),
    notes=(
        (
            "The way of asking is that of Google's own client (google-genai 2.34.0), "
            "which uses embedContent for every name with 'maas' in it."
        ),
    ),
    sources=(
        "doc:models/maas/e5/multilingual-e5-small",
        "google-genai 2.34.0, google/genai/_transformers.py",
    ),
    read_on=date(2026, 10, 30),
)

VERTEX_MODELS: tuple[BaseModel, ...] = (
    attrs.evolve(
        _GECKO,
        model_id="textembedding-gecko@001",
        title="Gecko 001",
        tokens_per_text=3072,
        texts_per_request=5,
        task_types=(),
        released=date(2023, 6, 7),
        retires=date(2025, 4, 21),
    ),
    attrs.evolve(
        _GECKO,
        model_id="textembedding-gecko@002",
        title="Gecko 002",
        texts_per_request=5,
        released=date(2023, 11, 2),
        retires=date(2025, 4, 21),
        notes=(
            (
                "Sources differ between 5 and 250 texts a request; 5 is what every one "
                "allows."
            ),
            "Whether it was tunable is not documented.",
        ),
    ),
    _GECKO,
    attrs.evolve(
        _GECKO,
        model_id="textembedding-gecko-multilingual@001",
        title="Gecko Multilingual 001",
        languages="several",
        is_multilingual=True,
        released=date(2023, 11, 2),
    ),
    _TUNABLE,
    attrs.evolve(
        _TUNABLE,
        model_id="text-embedding-005",
        title="Text Embedding 005",
        task_types=_EIGHT_TASKS,
        languages="English and code",
        released=date(2024, 11, 18),
        tuning_parameters=TuningParameters(
            pipeline_version="v1.1.4", task_types=(TaskType.DEFAULT, *_EIGHT_TASKS)
        ),
        notes=(
            *_TUNABLE.notes,
            (
                "Google's client documents output_dimensionality at tuning for the other "
                "two models only, and accepts it for this one."
            ),
        ),
    ),
    attrs.evolve(
        _TUNABLE,
        model_id="text-multilingual-embedding-002",
        title="Text Multilingual Embedding 002",
        languages="about 100, of which 18 were evaluated",
        is_multilingual=True,
    ),
    BaseModel(
        model_id="gemini-embedding-001",
        title="Gemini Embedding 001",
        publisher="google",
        api=Api.PREDICT,
        dimension=3072,
        dimensions=range(1, 3073),
        advised_dimensions=(768, 1536, 3072),
        is_truncation_normalised=False,
        tokens_per_text=2048,
        texts_per_request=1,
        texts_per_request_seen=100,
        tokens_per_request=20_000,
        task_types=_EIGHT_TASKS,
        languages="more than 100",
        is_multilingual=True,
        released=date(2025, 5, 20),
        retires_not_before=date(2028, 5, 20),
        notes=(
            (
                "One page allows both 250 texts a request and 1; users saw 100 accepted "
                "and 251 refused in 2026-08. 1 is what can never be refused."
            ),
            "For one day in 2026-06 the page gave 2026-07-14 as the day of retirement.",
        ),
        sources=(
            *_TEXT_SOURCES,
            "https://github.com/GoogleCloudPlatform/generative-ai/issues/3040",
            "https://github.com/topoteretes/cognee/issues/4856",
        ),
        read_on=_READ_ON,
    ),
    attrs.evolve(
        _GEMINI_2,
        model_id="gemini-embedding-2-preview",
        title="Gemini Embedding 2 (preview)",
        locations=None,
        released=date(2026, 3, 10),
        replacement="gemini-embedding-2",
        notes=(
            *_GEMINI_2.notes,
            (
                "The page lists it as the earlier version of gemini-embedding-2, and says "
                "that it may be deleted."
            ),
        ),
    ),
    _GEMINI_2,
    _E5,
    attrs.evolve(
        _E5,
        model_id="multilingual-e5-large-instruct-maas",
        title="Multilingual E5 Large",
        dimension=1024,
        dimensions=range(1, 1025),
        sources=("doc:models/maas/e5/multilingual-e5-large", *_E5.sources[1:]),
    ),
    BaseModel(
        model_id="multimodalembedding@001",
        title="Multimodal Embedding 001",
        publisher="google",
        api=Api.PREDICT,
        dimension=1408,
        dimensions=(128, 256, 512, 1408),
        tokens_per_text=32,
        texts_per_request=1,
        modalities=("text", "image", "video"),
        languages="English",
        is_multilingual=False,
        released=date(2024, 2, 12),
        retires=date(2027, 4, 1),
        notes=(
            (
                "The length is asked for by the parameter 'dimension', not by "
                "'outputDimensionality'."
            ),
            "32 tokens are a short sentence; no replacement is named.",
        ),
        sources=(
            "doc:models/embeddings/get-multimodal-embeddings",
            "doc:models/model-versions",
        ),
        read_on=_READ_ON,
    ),
)
