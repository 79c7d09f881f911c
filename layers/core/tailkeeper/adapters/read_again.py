"""Patience with an idempotent read, within one call; retries of work live in the state machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)


if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def read_again(
    *passing: type[Exception], long: float
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that reads up to three times while it fails by what may pass.

    After `long` seconds it gives up: whoever let us wait so long would do so again, and a function
    has a minute for all that it reads.
    """
    return retry(
        retry=retry_if_exception_type(passing),
        stop=stop_after_attempt(3) | stop_after_delay(long),
        wait=wait_random_exponential(multiplier=0.2, max=3),
        reraise=True,
    )
