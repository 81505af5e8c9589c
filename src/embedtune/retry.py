"""Repeating what failed for a passing reason, and only that.

- Only a :class:`~embedtune.errors.BackendError` that is `retryable` is repeated.
  Everything else, an interrupt of the user among it, comes through at once.
- What comes through in the end is what the last try raised, unchanged.
- Only calls that are safe to repeat belong here; others go through `NO_RETRY`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs
import tenacity  # noqa: TID251 -- the door

from embedtune.errors import BackendError

T = TypeVar("T")

_logger = logging.getLogger(__name__)

sleep: Callable[[float], None] = time.sleep
"""How :meth:`RetryPolicy.call` waits; tests put something faster here."""

clock: Callable[[], float] = time.monotonic
"""How all policies tell the time; only differences count."""


async def asleep(seconds: float) -> None:
    """Wait as :meth:`RetryPolicy.acall` does; tests put something faster here."""
    import asyncio

    await asyncio.sleep(seconds)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often, and for how long, one call is tried.

    Waits are random, so that many callers do not come back together: at least half
    of *first_wait*, at most a bound that starts at *first_wait* and doubles from try
    to try. A longer wait that the backend asks for (`retry_after`) is granted.

    Attributes:
        attempts: Tries, the first included; at least 1.
        total_time: Seconds from the first try after which none is begun; the calls'
            own time counts. Calls themselves are not cut short.
        longest_retry_after: Seconds; a backend that asks for a longer wait gets
            none, because asking too early earns the next refusal.
        first_wait: Seconds; the bound of the wait before the second try.
        longest_wait: Seconds; the bound grows no further.

    Example:
        >>> RetryPolicy(attempts=3).call(lambda: 42)
        42
    """

    attempts: int = 4
    total_time: float = 60.0
    longest_retry_after: float = 30.0
    first_wait: float = 1.0
    longest_wait: float = 16.0

    def __attrs_post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int):
            msg = f"'attempts' must be an integer (got {self.attempts!r})"
            raise TypeError(msg)
        _check("attempts", self.attempts, at_least=1)
        _check("total_time", self.total_time, above=0)
        _check("longest_retry_after", self.longest_retry_after, at_least=0)
        _check("first_wait", self.first_wait, at_least=0)
        _check("longest_wait", self.longest_wait, at_least=self.first_wait)

    def call(self, func: Callable[[], T]) -> T:
        """Return what *func* returns, or raise what its last try raised."""
        return tenacity.Retrying(sleep=sleep, **self._rules())(func)

    async def acall(self, func: Callable[[], Awaitable[T]]) -> T:
        """Return what *func*'s awaitable gives; the async twin of :meth:`call`."""
        return await tenacity.AsyncRetrying(sleep=asleep, **self._rules())(func)

    def _rules(self) -> dict[str, Any]:
        last_start = clock() + self.total_time

        def was_last(state: tenacity.RetryCallState) -> bool:
            is_out_of_time = clock() + state.upcoming_sleep > last_start
            return is_out_of_time or state.attempt_number >= self.attempts

        return {
            "retry": tenacity.retry_if_exception(self._is_worth_another_try),
            "wait": self._wait,
            "stop": was_last,
            "before_sleep": self._log,
            "reraise": True,
        }

    def _is_worth_another_try(self, exc: BaseException) -> bool:
        return (
            isinstance(exc, BackendError)
            and exc.retryable
            and (exc.retry_after or 0.0) <= self.longest_retry_after
        )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        back_off = tenacity.wait_random_exponential(
            multiplier=self.first_wait, max=self.longest_wait, min=self.first_wait / 2
        )
        return max(back_off(state), _reason(state).retry_after or 0.0)

    def _log(self, state: tenacity.RetryCallState) -> None:
        reason = _reason(state)
        _logger.info(
            "%s failed with %s; try %d of %d comes in %.2f s",
            reason.operation or "a call",
            type(reason).__name__,
            state.attempt_number + 1,
            self.attempts,
            state.upcoming_sleep,
        )


def _reason(state: tenacity.RetryCallState) -> BackendError:
    exc = state.outcome.exception() if state.outcome else None
    if not isinstance(exc, BackendError):  # pragma: no cover -- nothing else is retried
        msg = f"expected a BackendError (got {exc!r})"
        raise TypeError(msg)
    return exc


def _check(
    name: str, value: object, *, at_least: float | None = None, above: float = -1.0
) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{name!r} must be a number (got {value!r})"
        raise TypeError(msg)
    # Written so that "not a number" fails, too.
    if at_least is not None and not value >= at_least:
        msg = f"{name!r} must be >= {at_least!r} (got {value!r})"
        raise ValueError(msg)
    if not value > above:
        msg = f"{name!r} must be > {above!r} (got {value!r})"
        raise ValueError(msg)


NO_RETRY = RetryPolicy(attempts=1)
"""For calls that are not safe to repeat."""
