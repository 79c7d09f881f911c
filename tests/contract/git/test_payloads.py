"""The stand-in's webhooks, read by the product as it reads the real hosts'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.git import payloads
from sandbox.git.server import PROVIDERS
from sandbox.git.state import Delivery, Repository
from tailkeeper.webhooks.git import delivery_of, parse
from tailkeeper.webhooks.git.events import Push


if TYPE_CHECKING:
    from collections.abc import Sequence

ONE, OTHER, NOTHING = "1" * 40, "2" * 40, "0" * 40


def told(provider: str, ref: str, before: str, after: str) -> Sequence[object]:
    """Return what the product understands of a ref that moved there."""
    at = "2026-11-21T23:00:00.000Z"
    push = payloads.Push(Repository(provider, "me/homelab"), ref, before, after, False, at, [])
    event = payloads.push_event(push)
    body = payloads.encoded(payloads.push_body(push))
    sent = Delivery(1, 1, "guid", event, None, at, {})
    headers = {k.lower(): v for k, v in payloads.headers(provider, sent, "s", body).items()}
    return parse(delivery_of(headers), body)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("before", "after"),
    [(ONE, OTHER), (NOTHING, OTHER), (ONE, NOTHING)],
    ids=["moved", "new", "gone"],
)
def test_branches_and_tags_are_told_apart(provider: str, before: str, after: str) -> None:
    """Moved, made and deleted, in each host's own words."""
    (branch,) = told(provider, "refs/heads/main", before, after)
    (tag,) = told(provider, "refs/tags/main", before, after)

    assert isinstance(branch, Push)
    assert isinstance(tag, Push)
    assert (branch.branch, branch.tag, tag.branch, tag.tag) == ("main", "", "", "main")
    assert (branch.created, branch.deleted) == (before == NOTHING, after == NOTHING)
