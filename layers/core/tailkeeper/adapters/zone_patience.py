"""How a read of Cloudflare is tried again: three times, and while it may pass soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from tailkeeper.adapters.zone_errors import Throttled, Unreachable


if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

LONG = 12  # seconds: who let us wait is not asked again; a function has a minute for all zones
PATIENCE = 5.0  # seconds for which a read waits when it is throttled
SOON = wait_random_exponential(multiplier=0.2, max=3)


def retrying(sleep: Callable[[float], None]) -> Retrying:
    """Return what calls a read, and calls it again; the last error is raised as it is."""
    return Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(3) | stop_after_delay(LONG),
        wait=_pause,
        sleep=sleep,
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, Throttled):
        return error.retry_after <= PATIENCE
    return isinstance(error, Unreachable)


def _pause(state: RetryCallState) -> float:
    """Return the seconds that Cloudflare asks for, else a random time that grows."""
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, Throttled) else SOON(state)
