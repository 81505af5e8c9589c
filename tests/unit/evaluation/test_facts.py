"""Facts of any depth as lines."""

from __future__ import annotations

from embedtune.evaluation.facts import flattened


def test_nested_facts() -> None:
    """Every value gets a line under its whole name; what is missing gets none."""
    facts = {
        "job": "local-1",
        "config": {"spec": {"steps": 450, "rate": 1 / 3}, "seed": 0, "none": None},
        "measures": ("nDCG@10", "R@10"),
        "raw": b"x",
        "empty": "",
        "nothing": {},
        "is_base": False,
    }

    assert {
        "job": "local-1",
        "config, spec, steps": "450",
        "config, spec, rate": "0.333333",
        "config, seed": "0",
        "measures": "nDCG@10, R@10",
        "raw": "b'x'",
        "is_base": "False",
    } == flattened(facts)
