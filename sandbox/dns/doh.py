"""DNS over HTTPS (RFC 8484), with the JSON form that public resolvers also speak."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
from aiohttp import web

from sandbox.dns.caching import lifetime
from sandbox.dns.wire import Client, Handler, Message, respond


if TYPE_CHECKING:
    from ssl import SSLContext

WIRE = "application/dns-message"
JSON = "application/dns-json"
LARGEST = 65535


@dataclass
class DohServer:
    """A DoH endpoint; `url` is its address once started."""

    handler: Handler
    url: str = ""
    _runner: web.AppRunner | None = field(default=None, repr=False)

    async def start(self, *, port: int = 0, tls: SSLContext | None = None) -> None:
        """Listen on loopback; without `tls` it speaks plain HTTP, for tests."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_get("/dns-query", self._get, allow_head=False)
        app.router.add_post("/dns-query", self._post)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=tls).start()
        bound = self._runner.addresses[0][1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{bound}/dns-query"

    async def stop(self) -> None:
        """Close the port."""
        if self._runner:
            await self._runner.cleanup()

    async def _get(self, request: web.Request) -> web.Response:
        if "name" in request.query:
            return await self._json(request)
        encoded = request.query.get("dns", "")
        try:
            wire = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except (binascii.Error, ValueError):
            raise web.HTTPBadRequest(text="dns is not base64url") from None
        return await self._answer(wire, request)

    async def _post(self, request: web.Request) -> web.Response:
        if request.content_type != WIRE:
            raise web.HTTPUnsupportedMediaType(text=f"expected {WIRE}")
        return await self._answer(await request.read(), request)

    async def _answer(self, wire: bytes, request: web.Request) -> web.Response:
        answer = await respond(wire, self.handler, _client(request))
        if answer is None:
            raise web.HTTPBadRequest(text="not a DNS query")
        seconds = lifetime(dns.message.from_wire(answer))
        headers = {"Cache-Control": f"max-age={seconds}"}
        return web.Response(body=answer, content_type=WIRE, headers=headers)

    async def _json(self, request: web.Request) -> web.Response:
        name, rtype = request.query["name"], request.query.get("type", "A")
        try:
            query = dns.message.make_query(name, _type(rtype))
        except (dns.exception.DNSException, ValueError):
            raise web.HTTPBadRequest(text="no such name or type") from None
        response = await self.handler(query, _client(request))
        if response is None:
            raise web.HTTPGatewayTimeout
        return web.json_response(as_json(response), content_type=JSON)


def as_json(response: Message) -> dict[str, Any]:
    """Return an answer as `application/dns-json` has it."""
    asked = response.question[0]
    document: dict[str, Any] = {"Status": int(response.rcode())}
    for flag in ("TC", "RD", "RA", "AD", "CD"):
        document[flag] = bool(response.flags & dns.flags.Flag[flag])
    document["Question"] = [{"name": asked.name.to_text(), "type": int(asked.rdtype)}]
    for title, section in (("Answer", response.answer), ("Authority", response.authority)):
        rows = [
            {"name": r.name.to_text(), "type": int(r.rdtype), "TTL": r.ttl, "data": d.to_text()}
            for r in section
            for d in r
        ]
        document |= {title: rows} if rows else {}
    return document


def _type(text: str) -> dns.rdatatype.RdataType:
    if text.isdecimal():
        return dns.rdatatype.RdataType.make(int(text))
    return dns.rdatatype.from_text(text)


def _client(request: web.Request) -> Client:
    return Client(request.remote or "127.0.0.1", 0, "https")
