"""Worlds to drive from outside. One of them is shared by all tests of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.embedded import Embedded, running


if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Yield the example world with a repository, in which nothing but the tests starts a run."""
    words = ("--sweep", "rate(1 day)", "--git", "me/homelab")
    with running(tmp_path_factory.mktemp("world"), *words) as embedded:
        yield embedded


@pytest.fixture
def in_step(world: Embedded) -> Embedded:
    """Return the world once a Converge has brought it in step, whatever happened before."""
    output = world.converge()
    assert output["outcome"] in {"applied", "in_sync"}, output
    return world
