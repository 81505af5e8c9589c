"""A table of support questions in, a tuned search out.

The table has a row for each question that somebody asked and the answer that helped.
Replace `TABLE` and the names of its columns by your own, and the rest stays.
"""

from __future__ import annotations

import sys
from pathlib import Path

import embedtune as et

TABLE = Path(__file__).parent / "data" / "tidewheel_support.csv"
OUT = Path("runs/own_data")
NEW_QUESTIONS = [
    "which cells do i need to buy",
    "i pressed everything and the sprinkler won't stop",
    "do you deliver by christmas",
]


def main() -> None:
    """Read, check, split, tune, compare, index and search."""
    dataset = et.TuningDataset.from_table(
        TABLE,
        query="question",
        document="answer",
        title="answer_title",
        metadata=["topic"],
    )
    print(f"{dataset.summary()}\n")
    report = dataset.check()
    print(f"{report}\n")
    report.raise_for_errors()

    # Would tuning help with answers that are written later? With new questions?
    judge(dataset.split(test=0.25, by="document"), "new answers")
    judge(dataset.split(test=0.25, by="query"), "new questions")

    # Once judged, the model for use learns from all labels.
    model = tune(dataset)
    name = f"answers_{model.embedder().fingerprint[:12]}"  # each model has its own
    with et.MilvusIndex(OUT / "milvus.db", name, model.embedder()) as index:
        index.sync(dataset.corpus)
        for question in NEW_QUESTIONS:
            print(f"\n{question}")
            for hit in index.search(question, limit=3):
                print(f"  {hit.score:.2f}  {hit.title}  ({hit.metadata['topic']})")


def tune(dataset: et.TuningDataset) -> et.TunedModel:
    """Return the model that these training labels give; a second run finds it."""
    return et.LocalTuner(OUT / "jobs").submit(dataset).wait().result()


def judge(dataset: et.TuningDataset, what: str) -> None:
    """Tune on the training labels and say what it did on the test labels."""
    model = tune(dataset)
    before = et.evaluate(et.LocalEmbedder(), dataset)
    after = et.evaluate(model.embedder(), dataset)
    verdict = et.compare(before, after).verdict("nDCG@10")
    if model.is_base:
        print(f"{what}: not sure of any gain, so the base model was kept")
    else:
        print(f"{what}: {verdict}")


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    main()
