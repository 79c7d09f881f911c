"""Directives that settle something for the server and never see a query.

https://coredns.io/plugins/ bind, health, ready, reload, root, and others that serve metrics, traces
or health, which nobody asks for here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.coredns.durations import duration
from sandbox.coredns.errors import CorefileError
from sandbox.coredns.files import joined


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive
    from sandbox.coredns.setup import Block


SHORTEST_INTERVAL, SHORTEST_JITTER = 2.0, 1.0


def health(directives: Sequence[Directive], _: Block) -> None:
    """Read `health [ADDRESS] { lameduck DURATION }`; the address is not opened."""
    for directive in directives:
        if len(directive.args) > 1:
            raise directive.argument_error()
        for line in directive.block:
            if line.name != "lameduck":
                raise line.unexpected()
            duration(line.one())


def address_only(directives: Sequence[Directive], _: Block) -> None:
    """Read `ready [ADDRESS]` and its like; the address is not opened."""
    for directive in directives:
        if len(directive.args) > 1:
            raise directive.argument_error()


def nothing(_: Sequence[Directive], __: Block) -> None:
    """Read a directive that changes no answer."""


def bind(directives: Sequence[Directive], block: Block) -> None:
    """Read `bind ADDRESS|IFACE ...`; every server listens where the world lets it."""
    for directive in directives:
        block.bind += directive.some()


def root(directives: Sequence[Directive], block: Block) -> None:
    """Read `root PATH`."""
    for directive in directives:
        block.root = joined("/", directive.one())


def reload(directives: Sequence[Directive], block: Block) -> None:
    """Read `reload [INTERVAL] [JITTER]`."""
    args = directives[0].args
    if len(args) > 2:
        raise directives[0].argument_error()
    interval = duration(args[0]) if args else 30.0
    jitter = duration(args[1]) if len(args) == 2 else 15.0
    if interval < SHORTEST_INTERVAL:
        raise CorefileError("interval value must be greater or equal to 2s")
    if 0 < jitter < SHORTEST_JITTER:
        raise CorefileError("jitter value must be greater or equal to 1s")
    block.reload = (interval, min(jitter, interval / 2))
