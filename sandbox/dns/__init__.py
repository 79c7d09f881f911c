"""The world's DNS: what the internet answers, and what a machine of the tailnet is answered.

wire.py      messages: parse, refuse, fit to the client
server.py    a UDP and TCP server for any handler
client.py    asking one
public.py    the zones' name servers and public resolvers
caching.py   a resolver's cache; doh.py serves it over HTTPS
tailnet.py   100.100.100.100
records.py   from Cloudflare's records to DNS records
"""

from __future__ import annotations

from sandbox.dns.caching import CachingResolver
from sandbox.dns.client import ask, ask_through
from sandbox.dns.doh import DohServer
from sandbox.dns.public import PublicDns, Zones
from sandbox.dns.server import DnsServer, serve
from sandbox.dns.tailnet import Tailnet, TailnetDns
from sandbox.dns.wire import Client, Handler, reply


__all__ = [
    "CachingResolver",
    "Client",
    "DnsServer",
    "DohServer",
    "Handler",
    "PublicDns",
    "Tailnet",
    "TailnetDns",
    "Zones",
    "ask",
    "ask_through",
    "reply",
    "serve",
]
