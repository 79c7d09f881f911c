"""The prober against a real proxy, real DNS servers and real TLS: each path, each hop failing."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import trustme

from tailkeeper.adapters import prober
from tailkeeper.adapters.prober import patience
from tests.support.tailnets import DOMAIN, GATEWAY, HOST, Site, exposure, rest, running_site


if TYPE_CHECKING:
    from pathlib import Path

Arrange = Callable[[Site], object]
Story = Callable[[Site], Awaitable[None]]

MAGIC = {"CNAME": [f"gateway-envoy.{DOMAIN}"]}
ADDRESSES = {"A": [GATEWAY[0]], "AAAA": [GATEWAY[1]]}
SEED = """example.com {
    template IN A {
        answer "{{ .Name }} 60 IN A 100.64.0.7"
    }
    forward . 1.1.1.1
}
"""


def play(story: Story) -> None:
    """Run a story on a site where all is well."""

    async def whole() -> None:
        async with running_site() as site, asyncio.timeout(20):
            await story(site)

    asyncio.run(whole())


def found(findings: list[dict[str, Any]]) -> list[tuple[str | None, ...]]:
    """Return what the findings say, without words and times."""
    return [(f["view"], f["path"], f["state"], f["hop"]) for f in findings]


@pytest.mark.parametrize(
    ("records", "path"), [(MAGIC, "magic-dns"), (ADDRESSES, "public-record")], ids=["cname", "a"]
)
def test_every_path_to_a_healthy_exposure_is_found(
    records: dict[str, list[str]], path: str
) -> None:
    """The zone says the plan, and each way leads to an answer under the certificate's name."""

    async def story(site: Site) -> None:
        for kind, contents in records.items():
            site.zones.records[HOST, kind] = contents

        findings = await site.probe(exposure(public=records, addresses=GATEWAY))

        assert found(findings) == [
            ("public", "authoritative", "healthy", None),
            ("tailnet", path, "healthy", None),
            ("tailnet", "split-dns", "healthy", None),
        ]
        assert all(f["host"] == HOST and f["ms"] > 0 for f in findings)
        assert "HTTP 200, certificate good for" in findings[1]["detail"]

    play(story)


@pytest.mark.parametrize(
    ("protocol", "port", "detail"),
    [
        ("https", 443, "HTTP 200, cert"),
        ("http", 80, "HTTP 200"),
        ("tls", 443, "connected, certificate good for"),
        ("tcp", 443, "connected"),
    ],
)
def test_a_protocol_is_spoken_as_far_as_it_goes(protocol: str, port: int, detail: str) -> None:
    """Plain HTTP has no TLS; of TCP a connection is all, of TLS the handshake."""

    async def story(site: Site) -> None:
        target = exposure(addresses=GATEWAY, protocol=protocol, port=port)

        (outcome,) = (await site.outcomes(target)).values()

        assert outcome[:2] == ("healthy", None)
        assert outcome[2].startswith(detail)
        assert bool(site.web.hosts) == (protocol in {"https", "http"})

    play(story)


def test_a_name_of_the_tailnet_is_asked_as_it_is() -> None:
    """What the operator carries by itself has no record anywhere: MagicDNS leads to it."""

    async def story(site: Site) -> None:
        target = exposure(f"gateway-envoy.{DOMAIN}", protocol="tcp") | {"magic": True}

        (finding,) = await site.probe(target)

        assert found([finding]) == [("tailnet", "magic-dns", "healthy", None)]

    play(story)


def test_udp_is_not_tried() -> None:
    """There is no connection that could fail, so nothing is said of it."""

    async def story(site: Site) -> None:
        (finding,) = await site.probe(exposure(addresses=GATEWAY, protocol="udp", port=53))

        assert (finding["state"], finding["path"]) == ("blind", "split-dns")

    play(story)


def test_sni_and_host_are_the_exposures_whatever_the_address() -> None:
    """The gateway chooses its certificate by SNI; a port that is not usual is in Host."""

    async def story(site: Site) -> None:
        site.listen("n1", 8443, "https")

        findings = await site.probe(
            exposure(public=MAGIC, addresses=GATEWAY), exposure(addresses=GATEWAY, port=8443)
        )

        assert [f["state"] for f in findings[1:]] == ["healthy"] * 3
        assert set(site.web.hosts) == {HOST, f"{HOST}:8443"}

    play(story)


def test_a_wildcard_is_probed_by_a_name_that_only_it_covers() -> None:
    """No client asks for `*`: a label stands in, in DNS, SNI and Host."""

    async def story(site: Site) -> None:
        name = "tailkeeper-no-such-name.apps.example.com"
        site.answering({"*.apps.example.com": list(GATEWAY)})
        site.web.certify(name, "*.apps.example.com")

        (finding,) = await site.probe(exposure("*.apps.example.com", addresses=GATEWAY))

        assert (finding["host"], finding["state"]) == ("*.apps.example.com", "healthy")
        assert site.web.hosts == [name]

    play(story)


def ends(days: float) -> datetime:
    """Return a moment some days from now."""
    return datetime.now(UTC) + timedelta(days=days)


def silent_port(site: Site) -> None:
    """Let the gateway take connections to 443 and never go on."""

    async def connect() -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    site.path.listen("n1", 443, connect)


def answer(text: bytes) -> Arrange:
    """Let the gateway answer with these bytes."""
    return lambda site: site.web.answers.__setitem__(HOST, text)


def certificate(*names: str, **more: Any) -> Arrange:
    """Let the gateway show another certificate for the exposure."""
    return lambda site: site.web.certify(HOST, *names, **more)


def corefile(text: str) -> Arrange:
    """Let the resolver run another Corefile."""
    return lambda site: site.corefile(text)


def hosts_only(*options: str) -> str:
    """Return a Corefile that knows one address of the exposure."""
    inner = "\n".join(("        100.64.0.7 app.example.com", *(f"        {o}" for o in options)))
    return f"example.com {{\n    hosts {{\n{inner}\n    }}\n    forward . 1.1.1.1\n}}\n"


FAILING: dict[str, tuple[Arrange, str, str | None, str]] = {
    "resolver offline": (
        lambda site: site.tailnet.resolver.update(connectedToControl=False),
        "down",
        "dns",
        "nameserver 100.64.0.53:53 is not reachable",
    ),
    "resolver not listening": (
        lambda site: site.path.silence("n2"),
        "down",
        "dns",
        "100.64.0.53:53 refuses the connection",
    ),
    "stale address": (
        lambda site: site.answering({HOST: ["100.64.0.99"]}),
        "down",
        "dns",
        "A: 100.64.0.99, the plan says 100.64.0.7",
    ),
    "name not there": (lambda site: site.answering({}), "down", "dns", "A: NXDOMAIN"),
    "resolver fails": (
        corefile("example.com {\n    hosts {\n        100.64.0.9 x.example.com\n    }\n}\n"),
        "down",
        "dns",
        "A: SERVFAIL",
    ),
    "device offline": (
        lambda site: site.tailnet.gateway.update(connectedToControl=False),
        "down",
        "tailnet",
        "100.64.0.7:443 is not reachable",
    ),
    "device gone": (
        lambda site: site.tailnet.gateway.update(addresses=["100.64.0.99"]),
        "down",
        "tailnet",
        "not reachable",
    ),
    "port closed": (lambda site: site.path.silence("n1"), "down", "tcp", "refuses the connection"),
    "connection silent": (silent_port, "down", "tailnet", "100.64.0.7:443 does not answer"),
    "no certificate for the name": (
        lambda site: site.web.contexts.clear(),
        "down",
        "tls",
        "hangs up in the handshake, as one without a certificate for app.example.com",
    ),
    "no TLS at all": (lambda site: site.listen("n1", 443, "http"), "down", "tls", "no handshake"),
    "certificate expired": (
        certificate(not_after=ends(-1), not_before=ends(-90)),
        "down",
        "tls",
        "certificate has expired",
    ),
    "certificate of another name": (
        certificate("other.example.com"),
        "down",
        "tls",
        "not valid for 'app.example.com'",
    ),
    "certificate of a stranger": (
        certificate(issuer=trustme.CA()),
        "down",
        "tls",
        "certificate refused",
    ),
    "certificate ends soon": (
        certificate(not_after=ends(9.5)),
        "degraded",
        "tls",
        "the certificate ends in 9 days",
    ),
    "server error": (answer(b"HTTP/1.1 503 No\r\n\r\n"), "down", "http", "HTTP 503"),
    "hangs up": (answer(b""), "down", "http", "no answer"),
    "hangs up in between": (answer(b"HTTP/1.1 200 OK\r\n"), "down", "http", "hangs up"),
    "another protocol": (answer(b"SSH-2.0-x\r\n\r\n"), "down", "http", "does not speak HTTP"),
    "never answers": (lambda site: site.web.silent.add(HOST), "down", "http", "no answer within"),
    "no route": (
        answer(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        "degraded",
        "http",
        "HTTP 404 without a body",
    ),
    "nothing at /": (
        answer(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnope"),
        "healthy",
        None,
        "HTTP 404, certificate good",
    ),
    "wants a login": (
        answer(b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
        "healthy",
        None,
        "HTTP 401",
    ),
}


SILENT = {"connection silent", "no TLS at all", "never answers"}


@pytest.mark.parametrize("case", FAILING)
def test_the_first_hop_that_fails_names_the_fault(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thing that can break on the way through the resolver is told from the others."""
    arrange, state, hop, words = FAILING[case]
    if case in SILENT:
        monkeypatch.setattr(patience, "STEP", 1.0)

    async def story(site: Site) -> None:
        site.answering({HOST: [GATEWAY[0]]})
        arrange(site)

        (outcome,) = (await site.outcomes(exposure(addresses=GATEWAY[:1]))).values()

        assert outcome[:2] == (state, hop), outcome
        assert words in outcome[2]

    play(story)


@pytest.mark.parametrize(
    ("corefile", "kind", "leak"),
    [
        (hosts_only("fallthrough_unsupported", "fallthrough"), "HTTPS", "ipv4hint"),
        (SEED, "AAAA", "2606:4700:310c::1"),
        (SEED, "HTTPS", "ipv4hint"),
    ],
    ids=["hosts passes HTTPS on", "template passes AAAA on", "template passes HTTPS on"],
)
def test_an_answer_that_leaks_from_public_dns_is_a_fault(
    corefile: str, kind: str, leak: str
) -> None:
    """A client that is told of the edge goes there and not to the cluster (F09)."""

    async def story(site: Site) -> None:
        edge = {"AAAA": leak, "HTTPS": '1 . alpn="h3" ipv4hint="104.16.0.1"'}
        site.zones.records[HOST, kind] = [edge[kind]]
        site.corefile(corefile)

        (outcome,) = (await site.outcomes(exposure(addresses=GATEWAY[:1]))).values()

        assert outcome[:2] == ("down", "dns")
        assert outcome[2].startswith(f"{kind}: ")
        assert leak in outcome[2]

    play(story)


def test_one_dead_address_of_two_is_degraded() -> None:
    """Some clients try that one first, and wait."""

    async def story(site: Site) -> None:
        site.answering({HOST: ["100.64.0.8", GATEWAY[1]]})

        (outcome,) = (await site.outcomes(exposure(addresses=("100.64.0.8", GATEWAY[1])))).values()

        assert outcome[:2] == ("degraded", "tailnet")
        assert "100.64.0.8:443 is not reachable" in outcome[2]

    play(story)


@pytest.mark.parametrize("otherwise", ["public", "nxdomain"])
def test_the_rest_of_a_domain_is_as_our_own_documents_leave_it(otherwise: str) -> None:
    """With either Corefile of ours the apex, a missing name and a challenge are answered right."""

    async def story(site: Site) -> None:
        site.answering({HOST: list(GATEWAY)}, otherwise)

        findings = await site.probe(*(rest(k, otherwise) for k in ("apex", "absent", "challenge")))

        assert found(findings) == [("tailnet", "rest-of-zone", "healthy", None)] * 3

    play(story)


@pytest.mark.parametrize(
    ("kind", "otherwise", "words"),
    [
        ("apex", "public", "A 100.64.0.7, it should say A 203.0.113.1"),
        ("apex", "nxdomain", "A 100.64.0.7, it should say NXDOMAIN"),
        ("absent", "public", "A 100.64.0.7, it should say A: NXDOMAIN"),
        ("absent", "nxdomain", "A 100.64.0.7, it should say NXDOMAIN"),
        ("challenge", "public", "A 100.64.0.7, it should say A: NXDOMAIN"),
    ],
)
def test_a_resolver_that_answers_for_every_name_is_caught(
    kind: str, otherwise: str, words: str
) -> None:
    """The seed homelab's template took the apex, typos and challenges (F10)."""

    async def story(site: Site) -> None:
        site.corefile(SEED)

        (outcome,) = (await site.outcomes(rest(kind, otherwise))).values()

        assert outcome == ("down", "dns", words)

    play(story)


def test_a_challenge_that_the_resolver_denies_itself_is_caught() -> None:
    """Its NXDOMAIN looks like the public one, but for who signs it."""

    async def story(site: Site) -> None:
        site.corefile(
            "example.com {\n    template ANY ANY {\n        rcode NXDOMAIN\n"
            '        authority "example.com 60 IN SOA ns.here. host.here. (1 1 1 1 1)"\n    }\n}\n'
        )

        (outcome,) = (await site.outcomes(rest("challenge"))).values()

        assert outcome[:2] == ("down", "dns")
        assert "denied by ns.here, not by ada.ns.cloudflare.com" in outcome[2]

    play(story)


@pytest.mark.parametrize("proxy", ["", "closed", "deaf"])
def test_without_a_proxy_the_tailnet_is_blind_and_the_public_view_is_not(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prober that cannot look says so, of every path into the tailnet and of no other (F38)."""
    monkeypatch.setattr(patience, "STEP", 0.5)

    async def story(site: Site) -> None:
        site.zones.records[HOST, "CNAME"] = MAGIC["CNAME"]
        ports = {"closed": 1, "deaf": site.ports["http"]}
        url = f"socks5h://127.0.0.1:{ports[proxy]}" if proxy else ""
        targets = exposure(public=MAGIC, addresses=GATEWAY), rest("apex", "nxdomain")

        findings = await site.probe(*targets, proxy=url)

        assert [(f["path"], f["state"], f["hop"]) for f in findings] == [
            ("authoritative", "healthy", None),
            ("magic-dns", "blind", None),
            ("split-dns", "blind", None),
            ("rest-of-zone", "blind", None),
        ]

    play(story)


async def tailscaled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuse as tailscaled's SOCKS5 does: reply 1, whatever the reason."""
    await reader.readexactly(3)
    writer.write(b"\x05\x00")
    await reader.read(1024)
    writer.write(b"\x05\x01\x00\x01" + bytes(6))
    writer.close()


def test_a_prober_that_hears_nothing_in_the_tailnet_is_blind() -> None:
    """Logged out, tailscaled refuses every connection without a reason: that is not all down."""

    async def story(site: Site) -> None:
        async with await asyncio.start_server(tailscaled, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]

            outcomes = await site.outcomes(
                exposure(public=ADDRESSES, addresses=GATEWAY), proxy=f"socks5h://127.0.0.1:{port}"
            )

        assert outcomes["public-record"][:2] == outcomes["split-dns"][:2] == ("blind", None)
        assert "nothing in the tailnet answers this prober" in outcomes["split-dns"][2]

    play(story)


def test_one_sign_of_life_makes_silence_a_fault_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the resolver answers, the way is open, and a silent gateway is down; soon, for many."""
    monkeypatch.setattr(patience, "STEP", 1.0)
    monkeypatch.setattr(prober, "AT_ONCE", 8)
    hosts = [f"app{number}.example.com" for number in range(40)]

    async def story(site: Site) -> None:
        silent_port(site)
        site.answering({host: [GATEWAY[0]] for host in hosts})

        findings = await site.probe(*(exposure(h, addresses=GATEWAY[:1]) for h in hosts))

        assert {(f["state"], f["hop"]) for f in findings} == {("down", "tailnet")}
        waited = [f for f in findings if "does not answer within" in f["detail"]]
        assert patience.ENOUGH <= len(waited) < patience.ENOUGH + prober.AT_ONCE

    play(story)


def test_what_the_change_creates_is_not_asked_for_before() -> None:
    """Nobody's cache learns a denial from us; afterwards it is asked (design: negative caching)."""

    async def story(site: Site) -> None:
        target = exposure(public=MAGIC, addresses=GATEWAY, created=True, entry_created=True)

        before = await site.outcomes(target, before=True)
        asked_before = dict(site.asked)
        after = await site.outcomes(target)

        assert asked_before == {}
        assert before["authoritative"][:2] == before["split-dns"][:2] == ("blind", None)
        assert before["magic-dns"][0] == "healthy"
        assert after["authoritative"][:2] == ("down", "dns")
        assert after["split-dns"][0] == "healthy"

    play(story)


OLD, NEW = (GATEWAY[0],), ("100.64.0.99",)
ALSO_MAGIC = {"CNAME": [f"gateway-envoy-1.{DOMAIN}"]}


@pytest.mark.parametrize(
    ("public", "stood", "path"),
    [
        (ALSO_MAGIC, MAGIC, "magic-dns"),
        ({"A": list(NEW)}, {"A": list(OLD)}, "public-record"),
        ({"A": list(NEW)}, MAGIC, "public-record"),
        (ALSO_MAGIC, {"A": list(OLD)}, "magic-dns"),
    ],
)
def test_what_works_before_a_move_is_seen_to_work_no_more(
    public: dict[str, list[str]], stood: dict[str, list[str]], path: str
) -> None:
    """The new device takes no connection: the baseline is of the old one, which did."""

    async def story(site: Site) -> None:
        target = exposure(public=public, addresses=NEW)
        target["public"]["before"] = exposure(public=stood)["public"]
        target["tailnet"]["before"] = exposure(addresses=OLD)["tailnet"]
        site.answering({HOST: list(OLD)})
        before = await site.outcomes(target, before=True)
        site.answering({HOST: list(NEW)})

        after = await site.outcomes(target)

        assert before["authoritative"][0] == "down"
        assert before[path][0] == before["split-dns"][0] == "healthy"
        assert after[path][:2] == after["split-dns"][:2] == ("down", "tailnet")

    play(story)


def test_a_record_that_led_elsewhere_is_no_way_into_the_tailnet() -> None:
    """What clients got from another place is not for this prober to judge."""

    async def story(site: Site) -> None:
        target = exposure(public=MAGIC)
        target["public"]["before"] = exposure(public={"A": ["192.0.2.1"]})["public"]

        before = await site.outcomes(target, before=True)

        assert before["magic-dns"][:2] == ("blind", None)

    play(story)


def test_a_batch_that_takes_too_long_leaves_the_rest_unseen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The function must answer before its time-out: what was not looked at is blind."""
    monkeypatch.setattr(prober, "IN_ALL", -1.0)

    async def story(site: Site) -> None:
        (outcome,) = (await site.outcomes(exposure(addresses=GATEWAY))).values()

        assert outcome[:2] == ("blind", None)
        assert site.asked == {}

    play(story)


def test_many_names_share_a_few_connections() -> None:
    """120 names of one resolver cost no more connections than it has lines, and all are right."""
    hosts = [f"app{number}.example.com" for number in range(120)]

    async def story(site: Site) -> None:
        site.answering({host: [GATEWAY[0]] for host in hosts})

        findings = await site.probe(
            *(exposure(h, addresses=GATEWAY[:1], protocol="tcp") for h in hosts)
        )

        assert [f["host"] for f in findings] == hosts
        assert {f["state"] for f in findings} == {"healthy"}
        assert 1 <= site.lines <= 16

    play(story)


def test_the_authorities_of_the_environment_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE decides whom the prober trusts, as everywhere in the functions."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(tmp_path / "ca.pem"))

    context = prober.tls_context()

    (trusted,) = context.get_ca_certs(binary_form=True)
    assert ssl.DER_cert_to_PEM_cert(trusted).split() == ca.cert_pem.bytes().decode().split()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
