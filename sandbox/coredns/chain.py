"""From a Corefile's text to server blocks that answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sandbox.coredns.corefile import Parser, ServerBlock
from sandbox.coredns.directives import Directive, directives
from sandbox.coredns.errors import CorefileError, NotEmulatedError
from sandbox.coredns.plugins import (
    acl,
    cache_options,
    forward_options,
    hosts,
    kubernetes,
    rewrite,
    settings,
    small,
    template,
    view,
    zonefile,
)
from sandbox.coredns.request import Answer, Failure, Next, Plugin, Refreshing, Request
from sandbox.coredns.setup import Block, Surroundings
from sandbox.coredns.version import plugin_order
from sandbox.coredns.zones import Address, addresses, within


Made = Plugin | Sequence[Plugin] | None
Setup = Callable[[Sequence[Directive], Block], Made]

SETUPS: dict[str, Setup] = {
    "acl": acl.setup,
    "any": small.any_,
    "bind": settings.bind,
    "bufsize": settings.address_only,
    "cache": cache_options.setup,
    "cancel": settings.nothing,
    "debug": settings.nothing,
    "errors": small.errors,
    "file": zonefile.setup,
    "forward": forward_options.setup,
    "health": settings.health,
    "hosts": hosts.setup,
    "kubernetes": kubernetes.setup,
    "loadbalance": small.load_balance,
    "log": small.log,
    "loop": small.loop,
    "metadata": small.metadata,
    "minimal": small.minimal,
    "pprof": settings.address_only,
    "prometheus": small.prometheus,
    "ready": settings.address_only,
    "reload": settings.reload,
    "rewrite": rewrite.setup,
    "root": settings.root,
    "template": template.setup,
    "timeouts": settings.nothing,
    "view": view.setup,
    "whoami": small.whoami,
}


@dataclass(frozen=True)
class Site:
    """A server block at one of its addresses."""

    address: Address
    block: Block
    plugins: Sequence[Plugin]

    def accepts(self, request: Request) -> bool:
        """Say whether every view of the block lets the query in."""
        return all(test(request) for test in self.block.views)

    async def answer(self, request: Request) -> Answer:
        """Send a query through the plugins."""
        return await chained(self.plugins)(request)


@dataclass(frozen=True)
class Configuration:
    """A Corefile that CoreDNS has accepted; `reload` is interval and jitter, in seconds."""

    sites: Sequence[Site]
    reload: tuple[float, float] | None = None
    refreshing: Sequence[Refreshing] = field(default=())

    def sites_for(self, name: str, port: int) -> list[Site]:
        """Return the sites on a port whose zone holds the name, the longest zone first."""
        fits = [
            site
            for site in self.sites
            if site.address.port == port and within(name, site.address.zone)
        ]
        return sorted(fits, key=lambda site: -len(site.address.zone))


def read(path: str, around: Surroundings, *, known: bool = True) -> list[ServerBlock]:
    """Parse a Corefile; with `known`, raise CorefileError for directives that do not exist."""
    order = plugin_order(around.version) if known else None
    parser = Parser(path=path, files=around.files, environment=around.environment, known=order)
    return parser.parse()


def configure(path: str, around: Surroundings) -> Configuration:
    """Parse a Corefile and set up its plugins; raise CorefileError for anything CoreDNS refuses."""
    blocks = [_prepared(block, around) for block in read(path, around)]
    made: list[list[Plugin]] = [[] for _ in blocks]
    for directive in plugin_order(around.version):
        for (parsed, _, block), plugins in zip(blocks, made, strict=True):
            if directive in parsed.directives:
                plugins.extend(_set_up(directive, parsed, block))
    sites = [
        Site(address, block, plugins)
        for (_, places, block), plugins in zip(blocks, made, strict=True)
        for address in places
    ]
    _refuse_overlaps(sites)
    reloads = [block.reload for _, _, block in blocks if block.reload]
    every = [plugin for plugins in made for plugin in plugins]
    return Configuration(sites, reloads[-1] if reloads else None, list(_refreshing(every)))


def chained(plugins: Sequence[Plugin]) -> Next:
    """Return the plugins as one handler; behind the last one there is nothing."""

    async def end(_: Request) -> Answer:
        return Failure(error=f"plugin/{plugins[-1].name}: no next plugin found")

    handler: Next = end
    for plugin in reversed(plugins):
        handler = _link(plugin, handler)
    return handler


def _link(plugin: Plugin, following: Next) -> Next:
    return lambda request: plugin.serve(request, following)


def _prepared(
    parsed: ServerBlock, around: Surroundings
) -> tuple[ServerBlock, list[Address], Block]:
    places = [address for key in parsed.keys for address in addresses(key)]
    return parsed, places, Block(around, [address.zone for address in places])


def _set_up(name: str, parsed: ServerBlock, block: Block) -> Sequence[Plugin]:
    if name not in SETUPS:
        raise NotEmulatedError(f"the plugin {name}")
    try:
        made = SETUPS[name](directives(parsed.directives[name]), block)
    except NotEmulatedError:
        raise
    except CorefileError as error:
        raise CorefileError(f"plugin/{name}: {error}") from error
    if made is None:
        return []
    return made if isinstance(made, Sequence) else [made]


def _refuse_overlaps(sites: Sequence[Site]) -> None:
    seen: set[tuple[Address, str]] = set()
    for site in sites:
        for host in site.block.bind or [""]:
            place = (site.address, host)
            if place in seen and not site.block.views:
                raise CorefileError(f"cannot serve {site.address} - it is already defined")
            if not site.block.views:
                seen.add(place)


def _refreshing(plugins: Iterable[Plugin]) -> Iterable[Refreshing]:
    for plugin in plugins:
        if isinstance(plugin, hosts.Hosts):
            yield plugin
        elif isinstance(plugin, zonefile.FilePlugin):
            yield from plugin.zones
