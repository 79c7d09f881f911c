"""The hops from a client to an exposure, and what one probe says of them.

A probe goes `dns`, `tailnet`, `tcp`, `tls`, `http`, and ends at the first hop that fails. Its
finding is the JSON document that the proof judges: {host, view, path, state, hop, detail, ms}.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tailkeeper.hostnames import is_wildcard


State = Literal["healthy", "degraded", "down", "blind"]
Hop = Literal["dns", "tailnet", "tcp", "tls", "http"]

DAY = 86_400
FEW_DAYS = 14  # of a certificate: cert-manager and Let's Encrypt's clients renew at 30
NO_SUCH_NAME = "tailkeeper-no-such-name"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a probe ended: `hop` is the one that failed or is poor, None when all went well.

    `mute` marks a failure of which nobody said why: it may be our own way that is broken.
    """

    state: State
    detail: str
    hop: Hop | None = None
    mute: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe of one host; `ms` is how long it took."""

    host: str
    view: str
    path: str
    outcome: Outcome
    ms: float

    @property
    def unless_heard(self) -> Finding:
        """Return the finding of a prober that heard nothing at all: blind, where it is mute."""
        if not self.outcome.mute:
            return self
        why = f"nothing in the tailnet answers this prober; {self.outcome.detail}"
        return replace(self, outcome=Outcome("blind", why))

    def as_json(self) -> dict[str, Any]:
        """Return the finding as it is judged, kept and shown."""
        outcome = asdict(self.outcome)
        del outcome["mute"]
        return {"host": self.host, "view": self.view, "path": self.path, **outcome, "ms": self.ms}


class Fault(Exception):
    """A hop failed; the probe ends here."""

    def __init__(self, hop: Hop, detail: str, *, mute: bool = False) -> None:
        super().__init__(f"{hop}: {detail}")
        self.outcome = Outcome("down", detail, hop, mute)


class Blind(Exception):
    """We could not look: that says nothing about the exposure."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.outcome = Outcome("blind", detail)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the far end showed: when its certificate ends, in epoch seconds; its answer to GET /."""

    ends: float | None = None
    status: int | None = None
    empty: bool = False


def judge_spoken(spoken: Spoken, now: float) -> Outcome:
    """Return the outcome of a conversation that came to its end.

    Any status below 500 is an answer: an application may well want a login, or have nothing at /.
    But a 404 without a body is what a gateway says of a name that it has no route for; an
    application may say it too, so it is degraded, not down.
    """
    said = f"HTTP {spoken.status}" if spoken.status else "connected"
    if spoken.status and spoken.status >= 500:  # noqa: PLR2004 - 5xx
        return Outcome("down", said, "http")
    days = int((spoken.ends - now) // DAY) if spoken.ends is not None else None
    if days is not None and days < FEW_DAYS:
        return Outcome("degraded", f"{said}, but the certificate ends in {days} days", "tls")
    if spoken.status == 404 and spoken.empty:  # noqa: PLR2004 - not found
        return Outcome("degraded", f"{said} without a body, as of a gateway without route", "http")
    return Outcome("healthy", said if days is None else f"{said}, certificate good for {days} days")


def asked_name(host: str) -> str:
    """Return the name to ask for a host: of a wildcard, one that only the wildcard covers."""
    return f"{NO_SUCH_NAME}{host[1:]}" if is_wildcard(host) else host
