"""What a data plane must serve, in words of its own: ports, chains by SNI, hosts, routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Match:
    """When a route applies: path, and optionally method and exact headers."""

    kind: Literal["prefix", "exact", "regex"] = "prefix"
    path: str = "/"
    method: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class HeaderEdit:
    """Header changes; `add` appends, `put` replaces."""

    put: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Redirect:
    """An HTTP redirect; what is empty stays as it was."""

    scheme: str = ""
    hostname: str = ""
    port: int = 0
    path: str = ""
    status: int = 302


@dataclass(frozen=True)
class Route:
    """What a match leads to: a redirect, else weighted backends, else the bare `status`.

    A backend is `<namespace>/<service>:<port>`.
    """

    match: Match = Match()
    backends: tuple[tuple[str, int], ...] = ()
    redirect: Redirect | None = None
    status: int = 500
    request: HeaderEdit = HeaderEdit()
    response: HeaderEdit = HeaderEdit()


@dataclass(frozen=True)
class Host:
    """A virtual host: an exact name, `*.suffix`, or `*`, with routes in order of precedence."""

    name: str
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Certificate:
    """A certificate chain and its key, both PEM."""

    chain: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Chain:
    """What serves one SNI (`""`: any); no certificate means plain HTTP."""

    name: str
    server_name: str
    hosts: tuple[Host, ...]
    certificate: Certificate | None = None


@dataclass(frozen=True)
class Frontend:
    """One listening port of a gateway, known by its key, such as `tailscale/web:443`."""

    key: str
    chains: tuple[Chain, ...]
