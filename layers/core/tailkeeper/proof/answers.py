"""What DNS answers say, against what the view should say."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

from tailkeeper.carriers.tailnet import is_tailnet_address
from tailkeeper.proof.hops import Outcome


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ADDRESSES = ("A", "AAAA")
WORDS = frozenset({"NOERROR", "NXDOMAIN"})  # other codes say that the server failed
ASKED = (*ADDRESSES, "HTTPS")  # what a browser asks; a CNAME comes with each (RFC 1034, 4.3.2)


class Record(NamedTuple):
    """One record of an answer; names are in lower case without their final dot."""

    name: str
    type: str
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a question for `name`.

    `hints` are the addresses and names to which HTTPS records send a client (RFC 9460); `denier`
    is the first name server in the SOA record of a denial, which says whose denial it is.
    """

    name: str
    rcode: str
    records: tuple[Record, ...] = ()
    hints: tuple[str, ...] = ()
    denier: str = ""

    @property
    def own(self) -> set[tuple[str, str]]:
        """Return type and content of what the name itself has, not of what a CNAME leads to."""
        return {(r.type, r.content) for r in self.records if r.name == self.name}

    def contents(self, kind: str) -> set[str]:
        """Return the contents of one type, wherever a CNAME led."""
        return {record.content for record in self.records if record.type == kind}


Answers = dict[str, Answer]  # by the type asked for


def shown(kind: str, answer: Answer) -> str:
    """Return an answer to a question for a type in words."""
    if answer.rcode == "NOERROR" and answer.records:
        return listed(f"{record.type} {record.content}" for record in answer.records)
    return f"{kind}: {answer.rcode if answer.rcode != 'NOERROR' else 'no data'}"


def judge_zone(planned: Sequence[Mapping[str, Any]], answers: Answers) -> Outcome:
    """Judge what the zone's own servers say of a name: exactly the planned records.

    For proxied ones Cloudflare answers with its edge: of these it is only asked that they answer.
    `planned` are {type, content, proxied}.
    """
    wanted = {(p["type"], normal(p["content"])) for p in planned}
    own = {pair for answer in answers.values() for pair in answer.own}
    found = {(kind, content) for kind, content in own if kind in {*ADDRESSES, "CNAME"}}
    said = listed(f"{kind} {content}" for kind, content in found) or shown("A", answers["A"])
    if broken := [shown(kind, a) for kind, a in answers.items() if a.rcode not in WORDS]:
        return _dns(f"the zone says {listed(broken)}")
    if any(p.get("proxied") for p in planned):
        return Outcome("healthy", f"proxied: {said}") if found else _dns(f"proxied, yet {said}")
    if found != wanted:
        plan = listed(f"{kind} {content}" for kind, content in wanted)
        return _dns(f"the zone says {said}, the plan {plan}")
    if astray := set(answers["HTTPS"].hints) - {content for _, content in wanted}:
        return _dns(f"HTTPS leads to {listed(astray)}, which the plan does not")
    return Outcome("healthy", said)


def judge_split(planned: Iterable[str], answers: Answers) -> Outcome:
    """Judge what the tailnet's resolver says of a name: the planned addresses and nothing else.

    A family that is not planned, and HTTPS, must be there without data: NXDOMAIN or SERVFAIL for
    one type lets some clients give the name up, and data would lead them elsewhere.
    """
    wanted = {normal(address) for address in planned}
    for kind, answer in answers.items():
        found = answer.contents(kind)
        expected = {a for a in wanted if family(a) == kind}
        if answer.rcode != "NOERROR":
            return _dns(f"{kind}: {answer.rcode}")
        if found != expected and kind in ADDRESSES:
            plan = listed(expected) or "no data"
            return _dns(f"{kind}: {listed(found) or 'no data'}, the plan says {plan}")
    if leaked := answers["HTTPS"].contents("HTTPS"):
        return _dns(f"HTTPS: {listed(leaked)}, where there must be no data")
    return Outcome("healthy", listed(wanted))


def judge_rest(otherwise: str, resolver: Answers, public: Answers) -> Outcome:
    """Judge what the resolver says of a name that is no exposure.

    `otherwise` is `nxdomain`; `public`: it says what the zone's servers say; or `forwarded`: even
    its denial is theirs. `public` may be empty with `nxdomain`.
    """
    for kind, said in resolver.items():
        if otherwise == "nxdomain":
            refused = said.rcode == "NXDOMAIN"
            outcome = None if refused else _not(shown(kind, said), "NXDOMAIN")
        else:
            outcome = _compared(kind, said, public[kind], strict=otherwise == "forwarded")
        if outcome:
            return outcome
    return Outcome("healthy", listed(shown(kind, said) for kind, said in resolver.items()))


def _compared(kind: str, said: Answer, public: Answer, *, strict: bool) -> Outcome | None:
    """Return what is wrong with a resolver's answer, given the zone's own, or None.

    Servers may answer different people differently, and caches lag: an answer that is only another
    one is degraded, unless it leads into the tailnet.
    """
    ours, theirs = said.own, public.own
    if public.rcode not in WORDS:
        return Outcome("blind", f"the zone's servers say {shown(kind, public)}")
    if said.rcode not in WORDS or bool(ours) != bool(theirs):
        return _not(shown(kind, said), shown(kind, public))
    if any(is_tailnet_address(content) for _, content in ours - theirs):
        return _not(shown(kind, said), shown(kind, public))
    if strict and not ours and said.denier != public.denier:
        return _dns(f"{kind}: denied by {said.denier or 'nobody'}, not by {public.denier}")
    if ours != theirs or (not ours and said.rcode != public.rcode):
        differs = f"{shown(kind, said)}, public DNS says {shown(kind, public)}"
        return Outcome("degraded", differs, "dns")
    return None


def _not(said: str, expected: str) -> Outcome:
    return _dns(f"{said}, it should say {expected}")


def _dns(detail: str) -> Outcome:
    return Outcome("down", detail, "dns")


def normal(content: str) -> str:
    """Return an address, or a name, in the form that answers have."""
    try:
        return str(ip_address(content))
    except ValueError:
        return content.lower().removesuffix(".")


def family(address: str) -> str:
    """Return the record type of an address."""
    return "A" if ip_address(address).version == 4 else "AAAA"  # noqa: PLR2004 - IPv4


def listed(items: Iterable[str]) -> str:
    """Return items in order, as a sentence lists them; four are enough for a person."""
    known = sorted(items)
    more = f" and {len(known) - 4} more" if len(known) > 4 else ""  # noqa: PLR2004 - see above
    return ", ".join(known[:4]) + more
