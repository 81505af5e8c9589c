"""The gradient run over a static model."""

from __future__ import annotations

import numpy as np

from embedtune.tuning.bags import CountedBags
from embedtune.tuning.batches import Batch
from embedtune.tuning.encoder import Parameters, encode
from embedtune.tuning.gradient import Schedule, Texts, gradient_run, loss_and_gradient
from embedtune.tuning.labels import Labels

TOKENS = 9
DIMENSION = 4


def bags(texts: list[list[int]]) -> CountedBags:
    """Count the tokens of some texts."""
    ids = np.array([token for text in texts for token in text], dtype=np.int32)
    return CountedBags.of(ids, np.cumsum([0, *map(len, texts)]))


def texts(dtype: type = np.float64) -> Texts:
    """Return a few texts over a table of random rows."""
    table = np.random.default_rng(0).normal(size=(TOKENS, DIMENSION)).astype(dtype)
    return Texts(
        table=table,
        queries=bags([[0, 1, 8], [2, 3, 3, 8], [4, 8]]),
        documents=bags([[0, 1, 7], [2, 2, 7, 3], [], [5, 6, 7], [4, 7, 0]]),
    )


def batch() -> Batch:
    """Return a batch with graded targets and a hidden pair."""
    hidden = np.zeros((3, 5), dtype=bool)
    hidden[1, 4] = True
    return Batch(
        queries=np.arange(3),
        candidates=np.arange(5),
        targets=np.array(
            [[1, 0, 0, 0, 0], [0, 0.75, 0, 0.25, 0], [0, 0, 0, 0, 1]], dtype=float
        ),
        hidden=hidden,
    )


def test_gradient_equals_finite_differences() -> None:
    """The gradient by every parameter is the slope of the loss, to 7 digits."""
    generator = np.random.default_rng(1)
    at = Parameters(
        matrix=np.eye(DIMENSION) + 0.3 * generator.normal(size=(DIMENSION, DIMENSION)),
        log_weights=0.3 * generator.normal(size=TOKENS),
    )
    step = 1e-6

    def loss(matrix: np.ndarray, log_weights: np.ndarray) -> float:
        changed = Parameters(
            matrix=at.matrix + matrix, log_weights=at.log_weights + log_weights
        )
        return loss_and_gradient(texts(), changed, batch())[0]

    _, found = loss_and_gradient(texts(), at, batch())
    none = np.zeros(TOKENS), np.zeros((DIMENSION, DIMENSION))
    for place in np.ndindex(DIMENSION, DIMENSION):
        change = np.zeros((DIMENSION, DIMENSION))
        change[place] = step
        slope = (loss(change, none[0]) - loss(-change, none[0])) / (2 * step)
        np.testing.assert_allclose(slope, found.matrix[place], rtol=1e-6, atol=1e-8)
    for token in range(TOKENS):
        change = np.zeros(TOKENS)
        change[token] = step
        slope = (loss(none[1], change) - loss(none[1], -change)) / (2 * step)
        np.testing.assert_allclose(
            slope, found.log_weights[token], rtol=1e-6, atol=1e-8
        )


def test_run_lowers_the_loss() -> None:
    """After some steps, the positives are found more surely."""
    labels = Labels.of([(0, {0: 1}), (1, {1: 3, 3: 1}), (2, {4: 1})])
    given = texts(np.float32)

    run = gradient_run(
        given,
        labels,
        np.full((3, 20), -1),
        start=Parameters.base(given.table),
        schedule=Schedule(steps=60, batch_size=3, rate=10.0),
        generator=np.random.default_rng(0),
    )
    losses = [loss for loss, _ in run]

    assert 60 == len(losses)
    assert losses[-1] < 0.5 * losses[0]


def test_start_is_left_as_it_is() -> None:
    """A run gives new parameters and writes on none that it was given."""
    given = texts(np.float32)
    start = Parameters.base(given.table)

    states = [
        parameters
        for _, parameters in gradient_run(
            given,
            Labels.of([(0, {0: 1})]),
            np.full((3, 20), -1),
            start=start,
            schedule=Schedule(steps=3, batch_size=1, rate=1.0),
            generator=np.random.default_rng(0),
        )
    ]

    assert np.array_equal(np.eye(DIMENSION), start.matrix)
    assert not start.log_weights.any()
    assert not np.array_equal(states[0].matrix, states[1].matrix)


def test_folded_table_gives_the_same_rows() -> None:
    """Weights and matrix go into the table, so that serving needs nothing else."""
    generator = np.random.default_rng(2)
    given = texts()
    tuned = Parameters(
        matrix=generator.normal(size=(DIMENSION, DIMENSION)),
        log_weights=generator.normal(size=TOKENS),
    )
    folded = tuned.folded(given.table)

    plain = encode(folded, Parameters.base(folded), given.documents)

    np.testing.assert_allclose(
        encode(given.table, tuned, given.documents).units, plain.units, atol=1e-12
    )


def test_mixed_parameters() -> None:
    """A mixture lies on the line from one to the other."""
    base = Parameters.base(np.ones((2, 2)))
    other = Parameters(matrix=np.zeros((2, 2)), log_weights=np.array([4.0, -4.0]))

    mixed = base.mixed(other, 0.25)

    assert [[0.75, 0], [0, 0.75]] == mixed.matrix.tolist()
    assert [1, -1] == mixed.log_weights.tolist()
