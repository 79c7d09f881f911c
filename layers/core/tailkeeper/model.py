"""The nouns: causes, exposures, changes, verdicts and plans, as frozen values with a JSON form.

A change's `before` and `after` are plain JSON, shaped by its surface (docs/documents.md):

    records    {"records": [{"type", "content", "ttl", "proxied"}], "resource": "httproute/ns/name"}
               for one name of a zone; its ownership marks follow from it, or are told in "marks"
    resolver   {"addresses": [...]} for one host, or {"text": ...} for the whole document
    split-dns  {"nameservers": [...]} for one domain
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Surface = Literal["records", "resolver", "split-dns"]
Word = Literal["apply", "wait", "hold", "refuse", "skip"]
Action = Literal["Create", "Update", "Delete"]

DECIDED = 5  # the guard's row of what was rejected or undone
SURFACES: tuple[Surface, ...] = ("records", "resolver", "split-dns")
# One encoder: `json.dumps` makes a new one for each of thousands of digests.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def digest_of(*parts: Any) -> str:
    """Return the SHA-256 of the parts as canonical JSON, in hex."""
    return sha256(_canonical(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a run happens; every change names at least one."""

    kind: Literal["tailscale", "git", "flux", "sweep", "person", "approval", "undo"]
    id: str
    at: str
    by: str
    ref: str = ""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Cause:
        """Read a cause; a missing part is an empty string."""
        parts = (str(document.get(part) or "") for part in ("id", "at", "by", "ref"))
        return _cause(document["kind"], *parts)

    def as_json(self) -> dict[str, str]:
        """Return the cause as it is stored and shown."""
        return {"kind": self.kind, "id": self.id, "at": self.at, "by": self.by, "ref": self.ref}


@lru_cache(maxsize=1000)
def _cause(*parts: Any) -> Cause:
    """Return the same cause for the same parts: each of thousands of changes names it."""
    return Cause(*parts)


@dataclass(frozen=True, slots=True)
class Exposure:
    """A hostname that a cluster object, or the configuration, publishes.

    `source` names the object as `<kind>/<namespace>/<name>`. `gateway` is what carries it: the
    `<namespace>/<name>` of a Gateway, or the `<kind>/<namespace>/<name>` of what the Tailscale
    operator carries by itself; None for a declared exposure whose `target` is literal. `published`
    says whether the name goes into the zone, `answer` (`cname` or `address`) how, where that is
    not the zone's own way; `comment` and `tags` go with the record. `protocol` is https, http,
    tls, tcp or udp.
    """

    host: str
    source: str
    cluster: str = ""
    gateway: str | None = None
    views: tuple[str, ...] = ("public", "tailnet")
    port: int = 443
    protocol: str = "https"
    target: str | None = None
    ttl: int | None = None
    proxied: bool | None = None
    published: bool = True
    answer: str = ""
    comment: str | None = None
    tags: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the exposure as JSON."""
        return {**asdict(self), "views": list(self.views), "tags": list(self.tags)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The guard's word on one change, the row of its table, and why.

    `contested`: a writer brought his own value back, over whom an approval writes once.
    """

    word: Word
    row: int
    reasons: tuple[str, ...] = ()
    contested: bool = False

    @property
    def silent(self) -> bool:
        """Say whether nobody is to be told: a person's decision stands behind it."""
        return self.row == DECIDED

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as changes hold it; `contested` only where it is."""
        document = {"word": self.word, "row": self.row, "reasons": list(self.reasons)}
        return document | ({"contested": True} if self.contested else {})

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Verdict:
        """Read a verdict as `as_json` writes it."""
        contested = bool(document.get("contested"))
        return cls(document["word"], document["row"], tuple(document["reasons"]), contested)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one key in one place of a surface.

    `place` is the zone, `<cluster>/<namespace>/<config map>`, or `tailnet`. `gateway` is set when
    its device decides `after`; `moved` when `before` is what that gateway answered once. `source`
    is `<cluster>/<kind>` of the object behind it. `obstacle` says what is in the way.
    """

    surface: Surface
    key: str
    before: Any
    after: Any
    place: str = ""
    gateway: str = ""
    moved: bool = False
    source: str = ""
    obstacle: str = ""
    verdict: Verdict | None = None
    causes: tuple[Cause, ...] = field(default=())

    @property
    def action(self) -> Action:
        """Say what happens to the key."""
        if self.before is None:
            return "Create"
        return "Delete" if self.after is None else "Update"

    @property
    def digest(self) -> str:
        """Identify the change by surface, place, key, before and after; never by its causes."""
        return digest_of(self.surface, self.place, self.key, self.before, self.after)

    @property
    def inverse(self) -> Change:
        """Return the change that undoes this one."""
        return replace(self, before=self.after, after=self.before, verdict=None)

    def followed_by(self, later: Change) -> Change:
        """Return this change and a later one of the same key as one."""
        return replace(later, before=self.before)

    def judged(self, verdict: Verdict) -> Change:
        """Return the change with the guard's word on it."""
        return replace(self, verdict=verdict)

    def as_json(self) -> dict[str, Any]:
        """Return the change as plans and the journal hold it."""
        document = {
            "surface": self.surface,
            "place": self.place,
            "key": self.key,
            "action": self.action,
            "before": self.before,
            "after": self.after,
            "gateway": self.gateway,
            "moved": self.moved,
            "source": self.source,
            "obstacle": self.obstacle,
            "digest": self.digest,
            "causes": [cause.as_json() for cause in self.causes],
        }
        return document | ({"verdict": self.verdict.as_json()} if self.verdict else {})

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Change:
        """Read a change; `action` and `digest` are derived, never trusted."""
        verdict = document.get("verdict")
        return cls(
            surface=document["surface"],
            key=document["key"],
            before=document.get("before"),
            after=document.get("after"),
            place=document.get("place", ""),
            gateway=document.get("gateway", ""),
            moved=bool(document.get("moved")),
            source=document.get("source", ""),
            obstacle=document.get("obstacle", ""),
            verdict=Verdict.from_json(verdict) if verdict else None,
            causes=tuple(Cause.from_json(cause) for cause in document.get("causes", ())),
        )


ORDER = {"Delete": 0, "Create": 1, "Update": 2}


@dataclass(frozen=True, slots=True)
class Plan:
    """An ordered list of changes, never empty: no changes is None."""

    changes: tuple[Change, ...]

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Plan | None:
        """Order the changes by surface, place and key; return None when there are none."""
        ordered = sorted(
            changes, key=lambda c: (SURFACES.index(c.surface), c.place, c.key, ORDER[c.action])
        )
        return cls(tuple(ordered)) if ordered else None

    def because(self, causes: Iterable[Cause]) -> Plan:
        """Return the plan with the causes on each of its changes."""
        named = tuple(causes)
        return Plan(tuple(replace(change, causes=named) for change in self.changes))

    def with_word(self, word: Word) -> tuple[Change, ...]:
        """Return the changes that the guard gave this word."""
        return tuple(c for c in self.changes if c.verdict and c.verdict.word == word)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the changes as JSON, in order."""
        return [change.as_json() for change in self.changes]

    @classmethod
    def from_json(cls, document: Iterable[Mapping[str, Any]]) -> Plan | None:
        """Read a plan; an empty list is None."""
        return cls.of(Change.from_json(change) for change in document)
