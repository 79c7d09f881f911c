"""What a git host knows besides the repositories' own objects."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


RIGHTS = ("contents", "statuses", "hooks")


@dataclass
class Repository:
    """A repository at one provider; `folder` is its bare repository's name."""

    provider: str
    name: str
    branch: str = "main"

    @property
    def folder(self) -> str:
        """Where it lies below the host's folder."""
        return f"{self.name}.git"

    @property
    def id(self) -> int:
        """A number that stays."""
        return sum(self.name.encode()) * 1000 + len(self.name)


@dataclass
class Token:
    """Which repositories a token may see (none named: all), and what it may do there."""

    value: str
    repositories: list[str] = field(default_factory=list)
    rights: list[str] = field(default_factory=lambda: list(RIGHTS))

    def sees(self, name: str) -> bool:
        """Say whether it may see a repository."""
        return not self.repositories or name in self.repositories


@dataclass
class Pull:
    """A pull or merge request from one branch into another."""

    repository: str
    number: int
    head: str
    base: str


@dataclass
class Hook:
    """A webhook of a repository."""

    id: int
    repository: str
    url: str
    secret: str


@dataclass
class Delivery:
    """One try to deliver an event; those of one event share the guid. `status_code` 0: none."""

    id: int
    hook: int
    guid: str
    event: str
    action: str | None
    delivered_at: str
    payload: dict[str, Any]
    redelivery: bool = False
    duration: float = 0.0
    status: str = ""
    status_code: int = 0


@dataclass
class State:
    """All of it; `statuses` are by repository and commit, the newest last."""

    repositories: list[Repository] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    pulls: list[Pull] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    last_id: int = 0

    def next_id(self) -> int:
        """Return a new number."""
        self.last_id += 1
        return self.last_id

    def repository(self, name: str, *providers: str) -> Repository | None:
        """Return a repository of one of these providers (any, when none is named)."""
        found = (r for r in self.repositories if r.name == name)
        return next((r for r in found if not providers or r.provider in providers), None)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, secrets and all."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> State:
        """Read it; raise TypeError for what it is not."""
        parts = {
            "repositories": Repository,
            "tokens": Token,
            "pulls": Pull,
            "hooks": Hook,
            "deliveries": Delivery,
        }
        lists = {n: [kind(**one) for one in document.get(n, ())] for n, kind in parts.items()}
        statuses, last = document.get("statuses") or {}, document.get("last_id") or 0
        return cls(**lists, statuses=statuses, last_id=last)
