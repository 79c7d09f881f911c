"""From where we look: what every probe of a batch shares."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.prober.dialling import hang_up
from tailkeeper.adapters.prober.https import Endpoint, speak
from tailkeeper.adapters.prober.messages import answer_of, questions
from tailkeeper.adapters.prober.nameservers import Nameserver, NoAnswer
from tailkeeper.proof.hops import Blind, Fault, Outcome, asked_name, judge_spoken


if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from tailkeeper.adapters.prober.authorities import Authorities
    from tailkeeper.adapters.prober.dialling import Streams, TailnetPath
    from tailkeeper.adapters.prober.patience import Patience
    from tailkeeper.proof.answers import Answers

DNS = 53


@dataclass
class Vantage:
    """The way into the tailnet, the public authorities, and whom we trust.

    `before` says that the change is yet to be applied; `now` is in epoch seconds.
    """

    tailnet: TailnetPath
    authorities: Authorities
    context: ssl.SSLContext
    before: bool
    now: float
    _nameservers: dict[str, Nameserver] = field(default_factory=dict)

    def close(self) -> None:
        """Close the connections that were kept."""
        for nameserver in self._nameservers.values():
            nameserver.close()

    async def resolve(
        self, nameserver: str, name: str, kinds: Sequence[str], patience: Patience
    ) -> Answers:
        """Ask a resolver in the tailnet, over TCP; raise Fault at `dns`, or Blind.

        A resolver that cannot be reached is a fault of `dns`: the exposure's own hops come later.
        """
        if nameserver not in self._nameservers:
            self._nameservers[nameserver] = Nameserver(nameserver, DNS, self.tailnet.dial)
        queries = questions(name, kinds)
        try:
            answers = await self._nameservers[nameserver].ask(list(queries.values()), patience)
        except NoAnswer as error:
            raise Fault("dns", f"nameserver {nameserver} {error}") from error
        except Fault as fault:
            why = f"nameserver {fault.outcome.detail}"
            raise Fault("dns", why, mute=fault.outcome.mute) from fault
        return {kind: answer_of(answers[query.id]) for kind, query in queries.items()}

    async def reach(
        self, places: Sequence[str], target: Mapping[str, Any], patience: Patience
    ) -> Outcome:
        """Go to an exposure by its addresses or by a MagicDNS name; raise Fault or Blind.

        It is spoken with at the first place that takes the connection. Another place that does
        not makes it degraded: some clients will try that one first.
        """
        if target["protocol"] == "udp":
            raise Blind("UDP has no connection that could be tried")
        endpoint = Endpoint(asked_name(target["host"]), target["port"], target["protocol"])
        opened, failed = await self._dialled(places, endpoint.port, patience)
        try:
            spoken = await speak(opened[0], endpoint, self.context, patience)
        finally:
            for streams in opened:
                hang_up(streams)
        outcome = judge_spoken(spoken, self.now)
        if failed and outcome.state == "healthy":
            return Outcome("degraded", failed[0].detail, failed[0].hop)
        return outcome

    async def _dialled(
        self, places: Sequence[str], port: int, patience: Patience
    ) -> tuple[list[Streams], list[Outcome]]:
        """Connect to every place; return the connections, at least one, and the failures."""
        dials = (self.tailnet.dial(place, port, patience) for place in places)
        ended = await asyncio.gather(*dials, return_exceptions=True)
        opened = [streams for streams in ended if not isinstance(streams, BaseException)]
        errors = [error for error in ended if isinstance(error, BaseException)]
        faults = [error.outcome for error in errors if isinstance(error, Fault)]
        if opened and len(faults) == len(errors):
            return opened, faults
        for streams in opened:
            hang_up(streams)
        raise next((e for e in errors if not isinstance(e, Fault)), errors[0])
