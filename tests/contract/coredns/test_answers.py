"""What CoreDNS answers, plugin by plugin; the cases are in vectors/answers.txt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.rcode

from sandbox.coredns import CoreDNS, Service


if TYPE_CHECKING:
    from collections.abc import Callable


HOSTS = """\
100.64.0.7 app.example.org alias.example.org  # the gateway
fd7a:115c:a1e0::7\tsix.example.org
100.64.0.8 two.example.org
100.64.0.9 TWO.example.org.
10.9.9.9 elsewhere.net
nonsense app.example.org
"""
ZONE = "@ 60 IN SOA ns.example.org. hm.example.org. 7 1 1 1 60\n@ 60 IN NS ns.example.net.\n"
BIG = f"""\
$TTL 300
$ORIGIN example.org.
{ZONE}
www A 10.0.0.1
here CNAME www
away CNAME example.net.
*.wild A 10.0.0.2
child NS ns.child
deeper.child NS ns.deeper.child
"""
FILES = {
    "/hosts": HOSTS,
    "/hosts.json": '{"hosts": {"app.example.org": "100.64.0.7"}}\n',
    "/zone": ZONE,
    "/data/hosts": "10.7.7.7 data.example.org\n",
    "/data/zone": ZONE.replace("example.org", "example.net"),
    "/big": BIG,
    "/etc/resolv.conf": "search example.org\nnameserver\nnameserver 1.1.1.1\n",
}
SERVICES = [
    Service("envoy", "gateway", cluster_ips=["10.96.0.10"]),
    Service("envoy", "headless", endpoints=["10.1.0.4", "10.1.0.5"]),
    Service("envoy", "away", external_name="example.net"),
]


def test_answers(
    coredns: Callable[..., CoreDNS],
    upstream: Any,
    ask: Callable[..., str],
    answers: tuple[str, str, str, str],
) -> None:
    """Each configuration answers each question as its page says."""
    _, corefile, asked, expected = answers
    server = coredns(corefile, FILES, services=lambda: SERVICES)
    upstream.dead.add("9.9.9.9")
    upstream.rcodes["8.8.8.8"] = dns.rcode.NXDOMAIN
    server.start()

    words, _, client = asked.partition(" from ")

    assert ask(server, words, client or "127.0.0.1") == expected


def test_round_robin_takes_turns(
    coredns: Callable[..., CoreDNS], upstream: Any, ask: Callable[..., str]
) -> None:
    """Each query starts with the next upstream, and goes on from there when it is silent."""
    server = coredns(". {\n forward . 1.1.1.1 2.2.2.2 3.3.3.3 {\n  policy round_robin\n }\n}\n")
    upstream.dead.add("2.2.2.2")
    server.start()

    for _ in range(4):
        ask(server, "a.org A")

    hosts = [host for host, *_ in upstream.asked]
    assert hosts == ["1.1.1.1", "2.2.2.2", "3.3.3.3", "3.3.3.3", "1.1.1.1"]


def test_a_cname_that_leads_to_itself_comes_to_an_end(
    coredns: Callable[..., CoreDNS], ask: Callable[..., str]
) -> None:
    """Look-ups of a CoreDNS by itself are bounded."""
    server = coredns('. {\n template IN A {\n  answer "a.org 60 IN CNAME a.org"\n }\n}\n')
    server.start()

    assert ask(server, "a.org A").count("CNAME") < 20
