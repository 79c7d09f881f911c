"""A tailnet for the prober: a gateway, a resolver and a proxy, on real sockets of loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trustme

from sandbox.clock import Clock
from sandbox.coredns import COREFILE, CoreDNS
from sandbox.dns import DnsServer, PublicDns
from sandbox.tailnet.datapath import DataPath
from sandbox.tailnet.proxy import Proxy
from tailkeeper.adapters.prober import probe
from tailkeeper.config import ResolverConfig
from tailkeeper.resolver.document import render


if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sandbox.dns import Client
    from sandbox.dns.wire import Message

DOMAIN = "ainu-herring.ts.net"
GATEWAY = ("100.64.0.7", "fd7a:115c:a1e0::7")
RESOLVER = "100.64.0.53"
HOST = "app.example.com"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Zone:
    """The public zone."""

    name: str = "example.com"
    name_servers: tuple[str, ...] = ("ada.ns.cloudflare.com", "hugo.ns.cloudflare.com")


@dataclass
class Zones:
    """What Cloudflare answers, as (name, type): contents."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def zone_of(self, name: str) -> Zone | None:
        """Return the zone that holds a name."""
        return Zone() if f".{name}".endswith(".example.com") else None

    def lookup(self, name: str, rtype: str) -> list[dict[str, Any]]:
        """Return records in the words of Cloudflare's API."""
        contents = self.records.get((name, rtype), ())
        return [{"type": rtype, "content": content, "ttl": 1} for content in contents]

    def exists(self, name: str) -> bool:
        """Say whether the name or one below it has records."""
        return any(f".{owner}".endswith(f".{name}") for owner, _ in self.records)


def device(node_id: str, name: str, *addresses: str) -> dict[str, Any]:
    """Return a connected device, as far as the data path reads it."""
    return {
        "nodeId": node_id,
        "name": f"{name}.{DOMAIN}",
        "addresses": list(addresses),
        "connectedToControl": True,
    }


@dataclass
class Tailnet:
    """The control plane's part of the data path."""

    gateway: dict[str, Any] = field(default_factory=lambda: device("n1", "gateway-envoy", *GATEWAY))
    resolver: dict[str, Any] = field(default_factory=lambda: device("n2", "dns", RESOLVER))
    services: tuple[dict[str, Any], ...] = ()
    magic_dns_domain: str = DOMAIN

    @property
    def devices(self) -> list[dict[str, Any]]:
        """Return both devices."""
        return [self.gateway, self.resolver]


@dataclass
class Web:
    """The gateway's servers: TLS by SNI on one port, plain on another.

    `answers` are the raw bytes for a Host, `silent` Hosts get none; `peak` counts connections.
    """

    ca: trustme.CA
    contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    hosts: list[str] = field(default_factory=list)
    open: int = 0
    peak: int = 0

    def certify(self, name: str, *identities: str, **more: Any) -> None:
        """Serve a certificate for an SNI; by default for that name, by the trusted authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer = more.pop("issuer", self.ca)
        issuer.issue_cert(*(identities or (name,)), **more).configure_cert(context)
        self.contexts[name] = context

    def context(self) -> ssl.SSLContext:
        """Return a context that refuses an SNI without a certificate, as Envoy does."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._chosen
        return context

    def _chosen(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        found = self.contexts.get(name or "") or self.contexts.get("*")
        if not found:
            return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
        tls.context = found
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        self.open += 1
        self.peak = max(self.peak, self.open)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            host = next(h[6:] for h in head.split("\r\n") if h.lower().startswith("host: "))
            self.hosts.append(host)
            if host in self.silent:
                await reader.read()
            writer.write(self.answers.get(host, OK))
            await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            self.open -= 1
            writer.close()


@dataclass
class Site:
    """Everything running; turn what you like, then `probe`."""

    web: Web
    tailnet: Tailnet
    path: DataPath
    zones: Zones
    mounted: dict[str, str]
    resolver: CoreDNS
    trust: ssl.SSLContext
    ports: dict[str, int] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    authorities: Mapping[str, list[str]] = field(default_factory=dict)

    def corefile(self, text: str) -> None:
        """Let the resolver run this Corefile."""
        self.mounted[COREFILE] = text
        self.resolver.reload_now()

    def answering(self, entries: Mapping[str, list[str]], otherwise: str = "public") -> None:
        """Let the resolver run the Corefile that tailkeeper writes for some entries."""
        config = ResolverConfig(
            "dns", "corefile", "coredns", "dns", ("example.com",), otherwise=otherwise
        )
        self.corefile(render(config, entries))

    def listen(self, node: str, port: int, to: str) -> None:
        """Let a device's port lead to one of the servers."""

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            self.lines += to == "resolver"
            return await asyncio.open_connection("127.0.0.1", self.ports[to])

        self.path.listen(node, port, connect)

    async def probe(
        self, *targets: dict[str, Any], before: bool = False, **more: str
    ) -> list[dict[str, Any]]:
        """Return the findings of a batch."""
        where = {
            "proxy": f"socks5h://127.0.0.1:{self.ports['proxy']}",
            "public_dns": f"127.0.0.1:{self.ports['public']}",
        }
        batch = {"targets": list(targets), "authorities": self.authorities}
        return await probe(batch, before=before, context=self.trust, **{**where, **more})

    async def outcomes(self, *targets: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return (state, hop, detail) by path, for targets of one host."""
        findings = await self.probe(*targets, **more)
        return {f["path"]: (f["state"], f["hop"], f["detail"]) for f in findings}


def exposure(
    host: str = HOST,
    *,
    public: dict[str, list[str]] | None = None,
    addresses: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """Return a target as expectations.py makes it; `public` maps types to contents."""
    target = {
        "kind": "exposure",
        "host": host,
        "port": 443,
        "protocol": "https",
        "zone": "example.com",
        "created": False,
    }
    proxied, created = more.pop("proxied", False), more.pop("entry_created", False)
    if public:
        records = [
            {"type": kind, "content": content, "proxied": proxied}
            for kind, contents in public.items()
            for content in contents
        ]
        target["public"] = {"records": records}
    if addresses:
        target["tailnet"] = {
            "nameserver": RESOLVER,
            "addresses": list(addresses),
            "created": created,
        }
    return target | more


def rest(kind: str, otherwise: str = "public") -> dict[str, Any]:
    """Return a target that stands for the rest of the domain."""
    absent = "tailkeeper-no-such-name.example.com"
    hosts = {"apex": "example.com", "absent": absent, "challenge": f"_acme-challenge.{absent}"}
    said = "forwarded" if kind == "challenge" else otherwise
    return {
        "kind": kind,
        "host": hosts[kind],
        "zone": "example.com",
        "created": False,
        "tailnet": {"nameserver": RESOLVER, "otherwise": said},
    }


@asynccontextmanager
async def running_site() -> AsyncIterator[Site]:
    """Run a tailnet in which all is well with one exposure, HOST."""
    web = Web(trustme.CA())
    web.certify(HOST)
    tailnet, zones = Tailnet(), Zones()
    public = PublicDns(zones)
    path = DataPath(tailnet)

    async def upstream(query: Message, _: str, __: int) -> Message:
        return await public.recurse(query)

    mounted = {COREFILE: "example.com {\n  reload\n}\n"}
    resolver = CoreDNS(mounted, Clock(), upstream)
    trust = ssl.create_default_context()
    web.ca.configure_trust(trust)
    site = Site(web, tailnet, path, zones, mounted, resolver, trust)

    async def answer(query: Message, client: Client) -> Message | None:
        site.asked[f"resolver {query.question[0].name}"] += 1
        return await resolver.answer(query, client)

    async def publish(query: Message, client: Client) -> Message:
        site.asked[f"public {client.transport} {query.question[0].name}"] += 1
        return await public.answer(query, client)

    resolver.start()
    proxy = Proxy(path)
    await proxy.start()
    https = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=web.context())
    http = await asyncio.start_server(web.serve, "127.0.0.1", 0)
    site.ports |= {"https": port_of(https), "http": port_of(http), "proxy": proxy.port}
    async with DnsServer(answer, "127.0.0.1") as inner, DnsServer(publish, "127.0.0.1") as outer:
        site.ports |= {"resolver": inner.port, "public": outer.port}
        for node, port, server in (
            ("n1", 443, "https"),
            ("n1", 80, "http"),
            ("n2", 53, "resolver"),
        ):
            site.listen(node, port, server)
        site.answering({HOST: list(GATEWAY)})
        zones.records["example.com", "A"] = ["203.0.113.1"]
        try:
            yield site
        finally:
            await proxy.stop()
            https.close()
            http.close()


def port_of(server: asyncio.Server) -> int:
    """Return the port of a server."""
    port: int = server.sockets[0].getsockname()[1]
    return port
