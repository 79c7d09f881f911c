"""Apply Split DNS: our domains only, and only when they hold what the plan saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions import apply_split_dns
from tailkeeper.model import Change, Verdict


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside


def event(outside: Outside, aws: Stack, before: Any, after: Any) -> dict[str, Any]:
    """Return the state's input for one domain."""
    change = Change(
        "split-dns", "example.com", before, after, place="tailnet", verdict=Verdict("apply", 13)
    )
    return outside.event(change_id="c", plan=aws.artifacts.pack([change.as_json()], "plans"))


def test_a_domain_is_set_and_others_are_left(aws: Stack, outside: Outside) -> None:
    """One PATCH with one domain; the journal has its receipt."""
    outside.tailscale.split_dns["other.org"] = ["100.64.0.7"]

    report = apply_split_dns.handler(
        event(outside, aws, None, {"nameservers": ["100.64.0.9"]}), None
    )

    assert report["applied"] == 1
    assert outside.tailscale.split_dns == {
        "other.org": ["100.64.0.7"],
        "example.com": ["100.64.0.9"],
    }
    (entry,) = aws.journal.entries("c")
    assert (entry.state, "100.64.0.9" in entry.receipt) == ("applied", True)


def test_a_domain_that_moved_is_reported(aws: Stack, outside: Outside) -> None:
    """Somebody set it meanwhile: theirs stays."""
    outside.tailscale.split_dns["example.com"] = ["100.64.0.5"]

    report = apply_split_dns.handler(
        event(outside, aws, {"nameservers": ["100.64.0.1"]}, {"nameservers": ["100.64.0.9"]}), None
    )

    assert report["conflicts"] == ["example.com"]
    assert outside.tailscale.split_dns["example.com"] == ["100.64.0.5"]


def test_undoing_a_creation_clears_the_domain(aws: Stack, outside: Outside) -> None:
    """The inverse of a creation is a null in the PATCH."""
    outside.tailscale.split_dns["example.com"] = ["100.64.0.9"]

    apply_split_dns.handler(event(outside, aws, {"nameservers": ["100.64.0.9"]}, None), None)

    assert outside.tailscale.split_dns == {}
