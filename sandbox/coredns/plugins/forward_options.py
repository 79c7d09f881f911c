"""The options of `forward`."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.rcode

from sandbox.coredns.durations import duration
from sandbox.coredns.errors import CorefileError, NotEmulatedError
from sandbox.coredns.plugins.forward import Forward
from sandbox.coredns.zones import PORTS, is_name, normalized, split_transport


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive, Line
    from sandbox.coredns.setup import Block


MOST_UPSTREAMS = 15
POLICIES = frozenset({"random", "round_robin", "sequential"})
TRANSPORTS = frozenset({"dns", "tls", "https"})
FLAGS = frozenset({"force_tcp", "prefer_udp", "failfast_all_unhealthy_upstreams"})
NUMBERS = frozenset({"max_fails", "max_connect_attempts", "max_concurrent", "max_idle_conns"})
DURATIONS = frozenset({"expire", "max_age", "read_timeout"})


def setup(directives: Sequence[Directive], block: Block) -> list[Forward]:
    """Read every `forward FROM TO... { ... }`; raise CorefileError."""
    plugins = [_forward(directive, block) for directive in directives]
    for plugin in plugins[:-1]:
        plugin.successor = True
    return plugins


def _forward(directive: Directive, block: Block) -> Forward:
    if len(directive.args) < 2:
        raise directive.argument_error()
    source, *targets = directive.args
    zone = normalized(source)[0]
    servers = [server for target in targets for server in _servers(target, block)]
    if len(servers) > MOST_UPSTREAMS:
        raise CorefileError(f"more than {MOST_UPSTREAMS} TOs configured: {len(servers)}")
    plugin = Forward(zone, servers, block.around.upstream)
    for line in directive.block:
        _property(plugin, line)
    return plugin


def _property(plugin: Forward, line: Line) -> None:
    match line.name:
        case "except":
            plugin.ignored += [zone for arg in line.some() for zone in normalized(arg)]
        case "policy":
            plugin.policy = line.some()[0]
            if plugin.policy not in POLICIES:
                raise line.error(f"unknown policy '{plugin.policy}'")
        case "next":
            plugin.next_on += _rcodes(line)
        case "next_on_nodata":
            plugin.next_on_nodata = True
        case "failover":
            plugin.failover += _rcodes(line)
        case "health_check":
            _check_health_check(line)
        case _:
            _check_other(line)


def _check_other(line: Line) -> None:
    """Check an option that changes nothing here: connections, TLS, limits."""
    if line.name in FLAGS:
        line.none()
    elif line.name in NUMBERS:
        _check_number(line)
    elif line.name in DURATIONS:
        _check_duration(line.one())
    elif line.name == "tls":
        if len(line.args) > 3:
            raise line.argument_error()
    elif line.name in {"tls_servername", "doh_method"}:
        line.one()
    elif line.name == "resolver":
        raise NotEmulatedError("forward's resolver")
    else:
        raise line.unknown()


def _check_number(line: Line) -> None:
    text = line.some()[0]
    if not text.removeprefix("-").isdecimal():
        raise CorefileError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if text.startswith("-"):
        raise CorefileError(f"{line.name} can't be negative: {text}")


def _check_duration(text: str) -> None:
    if duration(text) < 0:
        raise CorefileError(f"health_check can't be negative: {text}")


def _check_health_check(line: Line) -> None:
    _check_duration(line.some()[0])
    words = line.args[1:]
    while words:
        word = words.pop(0)
        if word == "domain":
            if not words:
                raise line.argument_error()
            if not is_name(words.pop(0)):
                raise CorefileError("health_check: invalid domain name")
        elif word != "no_rec":
            raise CorefileError(f"health_check: unknown option {word}")


def _rcodes(line: Line) -> list[dns.rcode.Rcode]:
    codes = [dns.rcode.Rcode.__members__.get(text.upper()) for text in line.some()]
    if None in codes or (line.name == "failover" and dns.rcode.NOERROR in codes):
        raise line.error(f"{line.args} is not a valid rcode")
    return [code for code in codes if code is not None]


def _servers(target: str, block: Block) -> list[tuple[str, int]]:
    """Return the addresses of a TO: an address, or the name servers of a resolv.conf."""
    transport, rest = split_transport(target)
    if transport not in TRANSPORTS:
        problem = f"'{transport}' is not supported as a destination protocol in forward"
        raise CorefileError(f"{problem}: {target}")
    address = _host_and_port(rest.partition("%")[0], PORTS[transport])
    if address:
        return [address]
    text = block.around.files.text(rest)
    if text is None:
        raise CorefileError(f'not an IP address or file: "{rest}"')
    words = [line.split() for line in text.splitlines()]
    servers = [(line[1], 53) for line in words if line[:1] == ["nameserver"] and len(line) > 1]
    if not servers:
        raise CorefileError("no nameservers found")
    return servers


def _host_and_port(text: str, default: int) -> tuple[str, int] | None:
    host, port = text, str(default)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        return str(ip_address(host)), int(port)
    except ValueError:
        return None
