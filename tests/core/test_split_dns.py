"""The split-DNS surface: our domains, their nameservers, and no other domain."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.split_dns.surface import Nameserver, plan_split_dns


OLD, NEW, OTHER = "100.64.0.1", "100.64.0.2", "100.64.0.9"
DNS = Nameserver("homelab/dns/dns", NEW, frozenset({OLD}))
SECOND = Nameserver("vps/dns/dns", OTHER)
REFUSED = Nameserver("vps/dns/dns", "", frozenset({OTHER}))


@pytest.mark.parametrize(
    ("standing", "wanted", "before", "after", "moved"),
    [
        ([], [DNS], None, [NEW], False),
        ([OLD], [DNS], [OLD], [NEW], True),
        ([OTHER], [DNS], [OTHER], [NEW], False),
        ([OLD, OTHER], [DNS], [OLD, OTHER], [NEW], False),
        ([OTHER, OLD], [DNS, SECOND], [OLD, OTHER], [NEW, OTHER], True),
        ([NEW], [REFUSED], [NEW], [], False),
    ],
)
def test_a_domain_follows_its_resolvers(
    standing: Any, wanted: Any, before: Any, after: Any, *, moved: bool
) -> None:
    """It has moved when everything that goes was this resolver's once."""
    (change,) = plan_split_dns({"example.com": standing}, {"example.com": wanted})

    assert change.before == ({"nameservers": before} if before else None)
    assert (change.after, change.moved) == ({"nameservers": after}, moved)
    assert (change.surface, change.place, change.key) == ("split-dns", "tailnet", "example.com")


@pytest.mark.parametrize(
    ("standing", "wanted"), [([NEW], [DNS]), ([OTHER, NEW], [SECOND, DNS]), ([NEW], [DNS, DNS])]
)
def test_a_domain_in_step_needs_nothing(standing: Any, wanted: Any) -> None:
    """In whatever order Tailscale lists its nameservers."""
    assert plan_split_dns({"example.com": standing}, {"example.com": wanted}) == []


def test_other_domains_are_never_touched() -> None:
    """Not those of a person, nor one that was ours once."""
    standing = {"other.org": [OTHER], "example.com": [NEW]}

    assert plan_split_dns(standing, {"example.com": [DNS]}) == []
    assert plan_split_dns(standing, {}) == []


def test_one_refused_resolver_of_two_decides_the_change() -> None:
    """Its address must not drop out because its device is offline now."""
    (change,) = plan_split_dns({"example.com": [OTHER, NEW]}, {"example.com": [DNS, REFUSED]})

    assert change.gateway == REFUSED.resolver


def test_a_resolver_that_was_never_seen_is_refused_too() -> None:
    """A domain without any nameserver is no change to apply, and not silence either."""
    (change,) = plan_split_dns({}, {"example.com": [REFUSED]})

    assert (change.before, change.after, change.gateway) == (
        None,
        {"nameservers": []},
        REFUSED.resolver,
    )
