"""How long CoreDNS keeps an answer (coredns.io/plugins/cache)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.rcode
import pytest


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.coredns import CoreDNS


def answer(ttl: int) -> str:
    """Return how an upstream's answer with this TTL shows."""
    return f"NOERROR | a.org. {ttl} IN A 203.0.113.9"


@dataclass
class Rig:
    """A forwarding CoreDNS with a `cache` line, and what is around it."""

    make: Callable[..., CoreDNS]
    show: Callable[..., str]
    upstream: Any
    clock: Any
    server: CoreDNS | None = None

    def start(self, line: str) -> None:
        """Start with this line, which may be several."""
        self.server = self.make(f". {{\n {line}\n forward . 1.1.1.1\n}}\n")
        self.server.start()

    def ask(self, words: str = "a.org A") -> str:
        """Ask, and show the answer."""
        return self.show(self.server, words)


@pytest.fixture
def rig(coredns: Callable[..., CoreDNS], ask: Callable[..., str], upstream: Any, clock: Any) -> Rig:
    """Return what starts such a CoreDNS."""
    return Rig(coredns, ask, upstream, clock)


@pytest.mark.parametrize(
    ("line", "theirs", "ours"),
    [
        ("cache", 300, 300),
        ("cache", 86400, 3600),
        ("cache", 1, 5),
        ("cache 30", 300, 30),
        ("cache 30", 10, 10),
        ("cache {\n  success 1000 60 20\n }", 10, 20),
        ("cache {\n  success 1000 60 20\n }", 300, 60),
    ],
)
def test_ttls_are_kept_within_bounds(
    rig: Rig,
    line: str,
    theirs: int,
    ours: int,
) -> None:
    """The first answer already shows the bounded TTL; later ones what is left of it."""
    rig.upstream.ttl = theirs
    rig.start(line)

    first = rig.ask()
    rig.clock.time += 4
    second = rig.ask()
    rig.clock.time += ours - 4
    third = rig.ask("A.ORG A")

    assert (first, second, third) == (answer(ours), answer(ours - 4), answer(ours))
    assert len(rig.upstream.asked) == 2


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("cache", 5),
        ("cache {\n  servfail 2s\n }", 2),
        ("cache {\n  servfail 0\n }", 0),
        ("cache b.org", 0),
    ],
)
def test_an_upstreams_servfail_is_kept_for_a_moment(
    rig: Rig,
    line: str,
    kept: int,
) -> None:
    """5 s unless told otherwise; names of other zones not at all."""
    rig.upstream.rcodes["1.1.1.1"] = dns.rcode.SERVFAIL
    rig.start(line)

    rig.ask()
    rig.upstream.rcodes.clear()
    rig.clock.time += max(0, kept - 0.5)
    before = rig.ask()
    rig.clock.time += 1

    assert (before == "SERVFAIL") == (kept > 0)
    assert rig.ask().startswith("NOERROR")


def test_a_dead_upstream_is_asked_again_at_once(
    rig: Rig,
) -> None:
    """SERVFAIL that the server wrote for a plugin never passed the cache."""
    rig.upstream.dead = {"1.1.1.1"}
    rig.start("cache")

    assert rig.ask() == "SERVFAIL"
    rig.upstream.dead.clear()

    assert rig.ask() == answer(300)


@pytest.mark.parametrize(("mode", "meanwhile"), [("immediate", answer(0)), ("verify", answer(300))])
def test_stale_answers_bridge_an_outage(
    rig: Rig,
    mode: str,
    meanwhile: str,
) -> None:
    """`serve_stale` gives the old answer with TTL 0; `verify` only when there is no fresh one."""
    rig.start(f"cache {{\n  serve_stale 10m {mode}\n }}")
    rig.ask()
    rig.clock.time += 400
    fresh = rig.ask()
    rig.upstream.dead = {"1.1.1.1"}
    rig.clock.time += 400
    stale = rig.ask()
    rig.clock.time += 1000

    assert (fresh, stale, rig.ask()) == (meanwhile, answer(0), "SERVFAIL")


@pytest.mark.parametrize(
    ("line", "asked", "questions"),
    [
        ("cache {\n  disable success a.org\n }", "a.org A", 2),
        ("cache {\n  disable success b.org\n }", "a.org A", 1),
        ("cache {\n  disable denial\n }", "a.org A", 1),
    ],
)
def test_zones_can_be_left_out(
    rig: Rig,
    line: str,
    asked: str,
    questions: int,
) -> None:
    """`disable` names the kind and the zones."""
    rig.start(line)

    rig.ask(asked)
    rig.ask(asked)

    assert len(rig.upstream.asked) == questions


def test_keepttl_shows_the_whole_ttl_every_time(
    rig: Rig,
) -> None:
    """`keepttl` does not count down."""
    rig.start("cache {\n  keepttl\n }")

    rig.ask()
    rig.clock.time += 100

    assert rig.ask() == answer(300)


def test_all_records_of_an_answer_get_its_shortest_ttl(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str]
) -> None:
    """An answer is kept as one thing, for as long as its first record to expire."""
    zone = "@ 60 IN SOA ns hm 1 1 1 1 60\nwww 300 IN CNAME a\na 20 IN A 10.0.0.1\n"
    server = coredns("a.org {\n cache\n file /z\n}\n", {"/z": zone})
    server.start()

    shown = "NOERROR aa | a.a.org. 20 IN A 10.0.0.1 ; www.a.org. 20 IN CNAME a.a.org."
    assert ask(server, "www.a.org A") == shown


def test_denials_are_kept_by_their_soa(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str], clock: Any
) -> None:
    """NXDOMAIN counts down from the SOA's TTL, and a new record stays unseen until then."""
    zone = "@ 60 IN SOA ns hm 1 1 1 1 60\n"
    files = {"/z": zone}
    server = coredns("a.org {\n cache\n file /z {\n  reload_by_mtime\n }\n}\n", mounted=files)
    files |= {"/etc/coredns/Corefile": "a.org {\n cache\n file /z {\n  reload_by_mtime\n }\n}\n"}
    server.start()
    assert ask(server, "x.a.org A").startswith("NXDOMAIN aa |  | a.org. 60 IN SOA")

    files["/z"] = zone + "x 60 IN A 10.0.0.1\n"
    server.refresh_now()
    clock.time += 59
    before = ask(server, "x.a.org A")
    clock.time += 2

    assert before.startswith("NXDOMAIN aa |  | a.org. 1 IN SOA")
    assert ask(server, "x.a.org A") == "NOERROR aa | x.a.org. 60 IN A 10.0.0.1"
