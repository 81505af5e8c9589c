"""Retries: what is repeated, how often, for how long, and what comes through."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from embedtune.errors import (
    AuthenticationError,
    BackendError,
    BackendTimeoutError,
    DataError,
    InvalidRequestError,
    RateLimitedError,
    UnavailableError,
)
from embedtune.retry import NO_RETRY, RetryPolicy

SECONDS = st.floats(0.0, 100.0)


class World:
    """A backend that fails as told, and a clock that only its calls and waits move."""

    def __init__(self, *failures: BaseException, call_time: float = 0.0) -> None:
        self.failures = list(failures)
        self.call_time = call_time
        self.now = 1000.0
        self.calls: list[float] = []
        self.waits: list[float] = []

    def __call__(self) -> str:
        """Fail with what is left to fail with, or answer."""
        self.calls.append(self.now - 1000.0)
        self.now += self.call_time
        if self.failures:
            raise self.failures.pop(0)
        return "answer"

    async def acall(self) -> str:
        """Do the same as a coroutine."""
        return self()

    def clock(self) -> float:
        """Tell this world's time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move this world's time on."""
        self.waits.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        """Do the same as a coroutine."""
        self.sleep(seconds)


@pytest.fixture(params=["call", "acall"])
def play(
    request: pytest.FixtureRequest, mocker: MockerFixture
) -> Callable[[RetryPolicy, World], str]:
    """Run a policy in a world; the async twin obeys the same tests."""

    def run(policy: RetryPolicy, world: World) -> str:
        return play_in(world, policy, mocker, twin=request.param == "acall")

    return run


def play_in(
    world: World, policy: RetryPolicy, mocker: MockerFixture, *, twin: bool = False
) -> str:
    """Call *world* under *policy* with the world's own clock."""
    mocker.patch("embedtune.retry.clock", world.clock)
    mocker.patch("embedtune.retry.sleep", world.sleep)
    mocker.patch("embedtune.retry.asleep", world.asleep)
    if twin:
        return asyncio.run(policy.acall(world.acall))
    return policy.call(world)


Play = Callable[[RetryPolicy, World], str]


def test_first_success_needs_no_wait(play: Play) -> None:
    """A call that succeeds is made once."""
    world = World()

    assert "answer" == play(RetryPolicy(), world)
    assert [] == world.waits
    assert 1 == len(world.calls)


def test_passing_failures_are_repeated(play: Play) -> None:
    """Failures that pass are not seen by the caller."""
    world = World(
        UnavailableError("down"), BackendTimeoutError("slow"), RateLimitedError("often")
    )

    assert "answer" == play(RetryPolicy(attempts=4), world)
    assert 4 == len(world.calls)


def test_last_failure_comes_through(play: Play) -> None:
    """After the last try the caller gets that try's own exception, unwrapped."""
    failures = [UnavailableError(f"try {n}") for n in (1, 2, 3)]

    with pytest.raises(UnavailableError) as info:
        play(RetryPolicy(attempts=3), World(*failures))

    assert failures[2] is info.value
    assert info.value.__cause__ is None


@pytest.mark.parametrize(
    "failure",
    [
        InvalidRequestError("wrong"),
        AuthenticationError("who"),
        DataError("bad"),
        ValueError("a bug"),
        TimeoutError("not the backend's"),
        KeyboardInterrupt(),
        SystemExit(1),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_lasting_failures_come_through_at_once(
    mocker: MockerFixture, failure: BaseException
) -> None:
    """What repeating cannot help, and an interrupt, is not repeated."""
    world = World(failure)

    with pytest.raises(type(failure)) as info:
        play_in(world, RetryPolicy(), mocker)

    assert failure is info.value
    assert 1 == len(world.calls)
    assert [] == world.waits


def test_cancelled_task_comes_through_at_once(mocker: MockerFixture) -> None:
    """A cancelled call of the async twin is not repeated."""
    world = World(asyncio.CancelledError())

    with pytest.raises(asyncio.CancelledError):
        play_in(world, RetryPolicy(), mocker, twin=True)

    assert 1 == len(world.calls)


def test_interrupt_ends_a_wait(mocker: MockerFixture) -> None:
    """A user who interrupts while we wait is not made to wait longer."""
    world = World(UnavailableError("down"))
    mocker.patch("embedtune.retry.sleep", side_effect=KeyboardInterrupt)

    with pytest.raises(KeyboardInterrupt):
        RetryPolicy().call(world)

    assert 1 == len(world.calls)


def test_no_retry_calls_once(play: Play) -> None:
    """Calls that are not safe to repeat are made once, whatever they raise."""
    world = World(UnavailableError("down"))

    with pytest.raises(UnavailableError, match="down"):
        play(NO_RETRY, world)

    assert 1 == len(world.calls)
    assert [] == world.waits


def test_wait_that_the_backend_asks_for(play: Play) -> None:
    """`retry_after` is waited for when it is longer than our own wait."""
    world = World(RateLimitedError("often", retry_after=7.0))

    play(RetryPolicy(first_wait=1.0), world)

    assert [7.0] == world.waits


def test_short_wait_that_the_backend_asks_for(play: Play) -> None:
    """A `retry_after` of no time does not take our own wait away."""
    world = World(RateLimitedError("often", retry_after=0.0))

    play(RetryPolicy(first_wait=1.0), world)

    assert 0.5 <= world.waits[0] <= 1.0


def test_wait_above_the_cap_is_not_granted(play: Play) -> None:
    """A backend that asks for a day gets no second call, and the caller hears it."""
    world = World(RateLimitedError("come tomorrow", retry_after=86_400.0))

    with pytest.raises(RateLimitedError) as info:
        play(RetryPolicy(longest_retry_after=30.0), world)

    assert 86_400.0 == info.value.retry_after
    assert 1 == len(world.calls)


def test_time_of_the_calls_counts(play: Play) -> None:
    """Slow failures use up the total time just as waits do."""
    world = World(*[UnavailableError("down")] * 10, call_time=20.0)
    policy = RetryPolicy(attempts=10, total_time=60.0, longest_wait=1.0)

    with pytest.raises(UnavailableError):
        play(policy, world)

    assert 3 == len(world.calls)


def test_no_wait_beyond_the_total_time(play: Play) -> None:
    """A wait that would end too late is not begun."""
    world = World(RateLimitedError("often", retry_after=10.0), call_time=5.0)

    with pytest.raises(RateLimitedError):
        play(RetryPolicy(total_time=14.0), world)

    assert [] == world.waits


@given(
    policy=st.builds(
        RetryPolicy,
        attempts=st.integers(1, 12),
        total_time=st.floats(0.1, 300.0),
        longest_retry_after=SECONDS,
        first_wait=st.floats(0.0, 5.0),
        longest_wait=st.floats(5.0, 60.0),
    ),
    asked=st.lists(st.none() | SECONDS, max_size=12),
    call_time=st.floats(0.0, 30.0),
)
def test_limits_hold(
    policy: RetryPolicy, asked: list[float | None], call_time: float
) -> None:
    """No policy is exceeded: tries, total time of waits, start of the last try."""
    failures = [RateLimitedError("often", retry_after=seconds) for seconds in asked]
    world = World(*failures, call_time=call_time)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("embedtune.retry.clock", world.clock)
        patch.setattr("embedtune.retry.sleep", world.sleep)
        try:
            policy.call(world)
        except RateLimitedError as e:
            assert e is failures[len(world.calls) - 1]  # noqa: PT017
        else:
            assert len(failures) + 1 == len(world.calls)

    assert len(world.calls) <= policy.attempts
    assert len(world.waits) == len(world.calls) - 1
    assert sum(world.waits) <= policy.total_time + 1e-9
    assert max(world.calls) <= policy.total_time + 1e-9
    for turn, wait in enumerate(world.waits):
        bound = min(policy.first_wait * 2**turn, policy.longest_wait)
        wanted = asked[turn] or 0.0
        assert max(policy.first_wait / 2, wanted) <= wait
        assert wait <= max(bound, policy.first_wait / 2, wanted)
        assert wanted <= policy.longest_retry_after


def test_waits_differ_between_callers(mocker: MockerFixture) -> None:
    """Callers that fail together do not come back together."""
    waits = set()
    for _ in range(20):
        world = World(UnavailableError("down"))
        play_in(world, RetryPolicy(), mocker)
        waits.update(world.waits)

    assert 20 == len(waits)


def test_real_clock_and_sleep() -> None:
    """Without a test's help the policy really waits."""
    world = World(UnavailableError("down"))
    policy = RetryPolicy(first_wait=0.02, longest_wait=0.02)
    started = time.monotonic()

    policy.call(world)

    assert time.monotonic() - started >= 0.01


def test_real_async_sleep() -> None:
    """The async twin waits without blocking other tasks."""
    world = World(UnavailableError("down"))
    order: list[str] = []

    async def other() -> None:
        order.append("other")

    async def both() -> None:
        policy = RetryPolicy(first_wait=0.02, longest_wait=0.02)
        task = asyncio.create_task(policy.acall(world.acall))
        await asyncio.sleep(0)
        await other()
        order.append(await task)

    asyncio.run(both())

    assert ["other", "answer"] == order


def test_one_policy_serves_many_threads(mocker: MockerFixture) -> None:
    """Threads that share a policy do not see each other's tries."""
    mocker.patch("embedtune.retry.sleep")
    policy = RetryPolicy(attempts=3)
    barrier = threading.Barrier(4)

    def work() -> int:
        barrier.wait()
        worlds = [World(*[UnavailableError("down")] * 2) for _ in range(25)]
        for world in worlds:
            policy.call(world)
        return sum(len(world.calls) for world in worlds)

    with ThreadPoolExecutor(4) as pool:
        calls = [future.result() for future in [pool.submit(work) for _ in range(4)]]

    assert [75] * 4 == calls


def test_each_retry_is_logged(
    mocker: MockerFixture, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the operation, the class and the wait, never the message."""
    hidden = "text of a document"
    world = World(
        UnavailableError(hidden, operation="vertex.predict"), UnavailableError(hidden)
    )

    with caplog.at_level(logging.INFO, logger="embedtune.retry"):
        play_in(world, RetryPolicy(attempts=3), mocker)

    failed = "failed with UnavailableError; try"
    first, second = world.waits
    assert [
        f"vertex.predict {failed} 2 of 3 comes in {first:.2f} s",
        f"a call {failed} 3 of 3 comes in {second:.2f} s",
    ] == [record.getMessage() for record in caplog.records]
    assert {logging.INFO} == {record.levelno for record in caplog.records}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("attempts", 0, r"'attempts' must be >= 1 \(got 0\)"),
        ("total_time", 0.0, r"'total_time' must be > 0 \(got 0.0\)"),
        ("total_time", float("nan"), r"'total_time' must be > 0 \(got nan\)"),
        ("longest_retry_after", -1.0, r"'longest_retry_after' must be >= 0 \(got -1"),
        ("first_wait", -0.1, r"'first_wait' must be >= 0 \(got -0.1\)"),
        ("longest_wait", 0.5, r"'longest_wait' must be >= 1.0 \(got 0.5\)"),
        ("longest_wait", float("nan"), r"'longest_wait' must be >= 1.0 \(got nan\)"),
    ],
)
def test_values_out_of_range(field: str, value: float, message: str) -> None:
    """A policy that makes no sense cannot be made."""
    with pytest.raises(ValueError, match=message):
        attrs.evolve(RetryPolicy(), **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attempts", 2.0),
        ("attempts", True),
        ("total_time", "60"),
        ("first_wait", None),
        ("longest_wait", True),
    ],
)
def test_values_of_wrong_type(field: str, value: object) -> None:
    """What is no number is refused, with its name and what was got."""
    with pytest.raises(TypeError, match=f"'{field}' must be .* \\(got {value!r}\\)"):
        RetryPolicy(**{field: value})  # type: ignore[arg-type]


def test_endless_time_is_possible(play: Play) -> None:
    """Batch work may say that only the number of tries counts."""
    world = World(*[UnavailableError("down")] * 9, call_time=1e6)
    policy = RetryPolicy(attempts=10, total_time=float("inf"))

    assert "answer" == play(policy, world)


def test_retryable_is_asked_of_the_error() -> None:
    """A backend error that says so is repeated, whatever its class."""
    failure = BackendError("odd")
    failure.retryable = True
    world = World(failure)

    assert "answer" == RetryPolicy(first_wait=0.0).call(world)
