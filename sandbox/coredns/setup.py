"""What a plugin has at hand while its directive is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sandbox.coredns.version import Version
from sandbox.dns.wire import Message


if TYPE_CHECKING:
    from sandbox.coredns.files import Files
    from sandbox.coredns.request import Request


class Time(Protocol):
    """The world's clock, as `sandbox.clock.Clock` is."""

    def now(self) -> float:
        """Return the world's time in seconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of the world."""


@dataclass(frozen=True)
class Service:
    """A Kubernetes Service as `kubernetes` answers for it.

    `cluster_ips` is empty for a headless one, whose `endpoints` then answer; `external_name` is a
    CNAME's target.
    """

    namespace: str
    name: str
    cluster_ips: Sequence[str] = ()
    endpoints: Sequence[str] = ()
    external_name: str = ""


Upstream = Callable[[Message, str, int], Awaitable[Message]]  # OSError: it does not answer
Services = Callable[[], Iterable[Service]]


@dataclass(frozen=True)
class Surroundings:
    """What one CoreDNS process lives in; the same for all of its server blocks."""

    files: Files
    clock: Time
    upstream: Upstream
    services: Services = tuple
    environment: Mapping[str, str] = field(default_factory=dict)
    version: Version = field(default_factory=Version)
    log: Callable[[str], None] = print


@dataclass
class Block:
    """A server block under construction: its zones, and what its plugins settle for the server."""

    around: Surroundings
    zones: Sequence[str]
    root: str = ""
    bind: list[str] = field(default_factory=list)
    reload: tuple[float, float] | None = None
    views: list[Callable[[Request], bool]] = field(default_factory=list)
