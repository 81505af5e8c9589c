"""The models whose weights are open, to be served or trained by oneself."""

from __future__ import annotations

from datetime import date

from embedtune.catalog.prompts import GOOGLE_PROMPTS
from embedtune.catalog.values import Api, BaseModel, TuningWay
from embedtune.types import TaskType

_GEMMA_TASKS = (
    TaskType.RETRIEVAL_QUERY,
    TaskType.RETRIEVAL_DOCUMENT,
    TaskType.SEMANTIC_SIMILARITY,
    TaskType.CLASSIFICATION,
    TaskType.CLUSTERING,
    TaskType.QUESTION_ANSWERING,
    TaskType.FACT_VERIFICATION,
    TaskType.CODE_RETRIEVAL_QUERY,
)
_NO_SERVICE = "There is no service: requests are as large as the own server allows."

OPEN_MODELS: tuple[BaseModel, ...] = (
    BaseModel(
        model_id="embeddinggemma-300m",
        title="EmbeddingGemma 300m",
        publisher="google",
        api=Api.SELF_HOSTED,
        dimension=768,
        dimensions=(128, 256, 512, 768),
        is_truncation_normalised=False,
        tokens_per_text=2048,
        task_types=_GEMMA_TASKS,
        prompts=GOOGLE_PROMPTS,
        languages="more than 100",
        is_multilingual=True,
        released=date(2025, 9, 4),
        tuning=(TuningWay.FULL, TuningWay.ADAPTER),
        hub_id="google/embeddinggemma-300m",
        licence="Gemma Terms of Use (to be accepted before the download)",
        notes=(
            "Half precision (fp16) is not supported: use bf16 or fp32.",
            "Needs transformers 4.56 or newer.",
            _NO_SERVICE,
        ),
        sources=(
            "https://huggingface.co/google/embeddinggemma-300m",
            "https://github.com/google-gemma/cookbook/tree/main/docs/embeddinggemma",
        ),
        read_on=date(2026, 8, 22),
    ),
    BaseModel(
        model_id="embeddinggemma-2",
        title="EmbeddingGemma 2",
        publisher="google",
        api=Api.SELF_HOSTED,
        dimension=768,
        dimensions=(128, 256, 512, 768),
        is_truncation_normalised=False,
        tokens_per_text=8192,
        task_types=_GEMMA_TASKS,
        prompts=GOOGLE_PROMPTS,
        modalities=("text", "code", "image", "video", "audio"),
        languages="more than 100",
        is_multilingual=True,
        released=date(2026, 10, 6),
        tuning=(TuningWay.FULL, TuningWay.ADAPTER),
        hub_id="google/embeddinggemma-2",
        licence="Apache-2.0 with the Gemma Prohibited Use Policy",
        notes=(
            (
                "The announcement says Apache-2.0, an entry in mteb says Gemma Terms of "
                "Use; read the model card before use."
            ),
            (
                "Half precision (fp16) gives wrong embeddings without an error: use bf16 "
                "or fp32."
            ),
            "Needs sentence-transformers 6.1 and transformers 5.19, or newer.",
            "The prompts are read from public code; the model card was not checked.",
            _NO_SERVICE,
        ),
        sources=(
            "https://deepmind.google/blog/embeddinggemma-2-an-open-lightweight-multimodal-embedding-model/",
            "https://huggingface.co/google/embeddinggemma-2",
        ),
        read_on=date(2026, 10, 6),
    ),
    BaseModel(
        model_id="wordllama-256",
        title="WordLlama 256",
        publisher="Lee Miller",
        api=Api.LOCAL,
        dimension=256,
        dimensions=(64, 128, 256),
        is_truncation_normalised=False,
        languages="English",
        is_multilingual=False,
        tuning=(TuningWay.LOCAL_LINEAR, TuningWay.ADAPTER),
        licence="MIT",
        notes=(
            (
                "Comes inside the wheel of the package wordllama (0.4.0.post1), so that "
                "nothing is downloaded."
            ),
            (
                "The table was distilled from the token embeddings of models of the "
                "Llama 2 family; whoever must not use those can open another static model."
            ),
            "A text of any length is embedded whole, and any number at once.",
            "Weak on languages other than English.",
        ),
        sources=(
            "https://github.com/dleemiller/WordLlama",
            "https://pypi.org/project/wordllama/0.4.0.post1/",
        ),
        read_on=date(2026, 11, 23),
    ),
)
