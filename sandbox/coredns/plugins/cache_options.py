"""The options of `cache`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.coredns.durations import duration
from sandbox.coredns.errors import CorefileError
from sandbox.coredns.plugins.cache import Bounds, Cache
from sandbox.coredns.zones import origins


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive, Line
    from sandbox.coredns.setup import Block


LONGEST_SERVFAIL = 300


def setup(directives: Sequence[Directive], block: Block) -> Cache:
    """Read `cache [TTL] [ZONES...] { ... }`; raise CorefileError."""
    if len(directives) > 1:
        raise CorefileError("this plugin can only be used once per Server Block")
    args = directives[0].args
    plugin = Cache(block.around.clock, block.zones)
    if args and _is_integer(args[0]):
        ttl = _positive(args[0])
        plugin.success, plugin.denial = Bounds(ttl), Bounds(ttl)
        args = args[1:]
    plugin.zones = origins(args, block.zones)
    for line in directives[0].block:
        _property(plugin, line)
    return plugin


def _property(plugin: Cache, line: Line) -> None:
    match line.name:
        case "success":
            plugin.success = _bounds(line, plugin.success)
        case "denial":
            plugin.denial = _bounds(line, plugin.denial)
        case "disable":
            _disable(plugin, line)
        case "servfail":
            plugin.servfail = _servfail(line)
        case "serve_stale":
            _serve_stale(plugin, line)
        case "keepttl":
            line.none()
            plugin.keep_ttl = True
        case "prefetch":
            _check_prefetch(line)
        case _:
            raise line.unexpected()


def _bounds(line: Line, before: Bounds) -> Bounds:
    _, *ttls = [_integer(text) for text in line.some()]
    bounds = before
    if ttls:
        bounds = replace(bounds, most=_positive(str(ttls[0])))
    if ttls[1:]:
        if ttls[1] < 0:
            raise CorefileError(f"cache min TTL can not be negative: {ttls[1]}")
        bounds = replace(bounds, least=ttls[1])
    return bounds


def _disable(plugin: Cache, line: Line) -> None:
    kind, *zones = line.some()
    disabled = origins(zones, ["."])
    if kind == "success":
        plugin.success = replace(plugin.success, disabled=disabled)
    elif kind == "denial":
        plugin.denial = replace(plugin.denial, disabled=disabled)
    else:
        raise CorefileError(f'cache type for disable must be "success" or "denial": {kind}')


def _servfail(line: Line) -> float:
    kept = duration(line.one())
    if kept < 0:
        raise CorefileError("invalid negative ttl for servfail")
    if kept > LONGEST_SERVFAIL:
        raise CorefileError("caching SERVFAIL responses over 5 minutes is not permitted")
    return kept


def _serve_stale(plugin: Cache, line: Line) -> None:
    if len(line.args) > 2:
        raise line.argument_error()
    plugin.stale = duration(line.args[0]) if line.args else 3600
    if plugin.stale < 0:
        raise CorefileError("invalid negative duration for serve_stale")
    mode = line.args[1].lower() if len(line.args) == 2 else "immediate"
    if mode not in {"immediate", "verify"}:
        raise CorefileError(f"invalid value for serve_stale refresh mode: {mode}")
    plugin.verify = mode == "verify"


def _check_prefetch(line: Line) -> None:
    """Check the option; popular answers are not fetched ahead here."""
    if not 1 <= len(line.args) <= 3:
        raise line.argument_error()
    if _integer(line.args[0]) < 0:
        raise CorefileError(f"prefetch amount should be positive: {line.args[0]}")
    if len(line.args) > 1:
        duration(line.args[1])
    if len(line.args) > 2 and not line.args[2].endswith("%"):
        raise CorefileError(f"last character of percentage should be `%`: {line.args[2]}")
    if len(line.args) > 2 and not 10 <= _integer(line.args[2][:-1]) <= 90:
        raise CorefileError(f"percentage should fall in range [10, 90]: {line.args[2]}")


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _integer(text: str) -> int:
    if not _is_integer(text):
        raise CorefileError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _positive(text: str) -> int:
    ttl = _integer(text)
    if ttl <= 0:
        raise CorefileError(f"cache TTL can not be zero or negative: {ttl}")
    return ttl
