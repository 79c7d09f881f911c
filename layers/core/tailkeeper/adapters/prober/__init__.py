"""The prober: every path to every exposure of a batch, hop by hop.

patience.py      how long a probe waits
dialling.py      connections, through tailscaled's SOCKS5 proxy
messages.py      DNS messages
nameservers.py   one DNS server over TCP; datagrams.py over UDP
authorities.py   the zones' own servers
https.py         TLS and HTTP on a connection
vantage.py       what the probes of a batch share
paths.py         what is asked on each path

It takes asyncio's streams and one TLS context: a sweep of 500 names has to fit a small function.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.prober.authorities import open_authorities
from tailkeeper.adapters.prober.dialling import TailnetPath
from tailkeeper.adapters.prober.paths import paths_of
from tailkeeper.adapters.prober.patience import Patience
from tailkeeper.adapters.prober.vantage import Vantage
from tailkeeper.hostnames import zone_of
from tailkeeper.proof.hops import Blind, Fault, Finding, Outcome


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailkeeper.adapters.prober.paths import Path, Target

AT_ONCE = 64  # more only starves the loop: a handshake is CPU time
IN_ALL = 40.0  # seconds of a batch, then what is left is blind: the function must not run out

Work = tuple["Path", "Target"]


async def probe(
    batch: Mapping[str, Any],
    *,
    before: bool,
    context: ssl.SSLContext,
    proxy: str,
    public_dns: str = "",
) -> list[dict[str, Any]]:
    """Return a finding for each path to each target of a batch, as JSON, in their order.

    `batch` is {targets, authorities: {zone: names of its servers}}; `before` says that the change
    is not applied yet. `context` is from `tls_context`. `proxy` is a SOCKS5 URL, or "" where there
    is no way into the tailnet; `public_dns` (`host:port`) is asked instead of the zones' own
    servers. What goes wrong with a target is its finding, never an error.
    """
    needed = {zone_of(target["host"], batch["authorities"]) for target in batch["targets"]}
    zones = {zone: names for zone, names in batch["authorities"].items() if zone in needed}
    async with open_authorities(zones, public_dns) as servers:
        vantage = Vantage(TailnetPath(proxy), servers, context, before, time.time())
        try:
            findings = await _findings(vantage, batch["targets"])
        finally:
            vantage.close()
    return [finding.as_json() for finding in findings]


def tls_context() -> ssl.SSLContext:
    """Return a context for `probe`, with the system's authorities or those in SSL_CERT_FILE.

    One serves all connections: to make it takes as long as twenty handshakes.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _findings(vantage: Vantage, targets: Iterable[Target]) -> list[Finding]:
    """Probe with a bounded number of workers, then take back what a blind prober cannot know."""
    work = [(path, target) for target in targets for path in paths_of(target)]
    found: dict[int, Finding] = {}
    numbered = iter(enumerate(work))
    until = asyncio.get_running_loop().time() + IN_ALL
    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(work))):
            group.create_task(_worker(vantage, numbered, until, found))
    findings = [found[number] for number in range(len(work))]
    if vantage.tailnet.heard:
        return findings
    return [finding.unless_heard for finding in findings]


async def _worker(
    vantage: Vantage, work: Iterator[tuple[int, Work]], until: float, found: dict[int, Finding]
) -> None:
    for number, (path, target) in work:
        found[number] = await _finding(vantage, path, target, until)


async def _finding(vantage: Vantage, path: Path, target: Target, until: float) -> Finding:
    clock = asyncio.get_running_loop().time
    began = clock()
    if began > until:
        outcome = Outcome("blind", f"not looked at: the batch took {IN_ALL:.0f} s")
    else:
        outcome = await _outcome(vantage, path, target)
    return Finding(
        target["host"], path.view, path.name, outcome, round((clock() - began) * 1000, 1)
    )


async def _outcome(vantage: Vantage, path: Path, target: Target) -> Outcome:
    try:
        return await path.probe(vantage, target, Patience())
    except (Fault, Blind) as ended:
        return ended.outcome
