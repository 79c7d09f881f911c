"""What a person adds to the clusters' own objects: names by hand, paths to probe, limits."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tailkeeper.config.problems import UnfitError, dns_name
from tailkeeper.durations import format_duration
from tailkeeper.path_patterns import compiled


if TYPE_CHECKING:
    from tailkeeper.config.reading import Section

MOST_DELETES = 10_000
LAST_PORT = 65_535
OBJECT = re.compile(r"(gateway|service|ingress)/[^/]+/[^/]+|proxygroup/[^/]+")
MOST_HOOKS = 2**53


@dataclass(frozen=True, slots=True)
class DeclaredExposure:
    """A hostname published by hand; `target` is an address or a name, taken as it is.

    Or it is an object of a cluster (the only one, where `cluster` is ""), whose device is followed:
    `gateway|service|ingress/<namespace>/<name>` or `proxygroup/<name>`. `answer` (`cname`,
    `address`) is then what the zone says, where that is not the zone's own way.
    """

    host: str
    target: str
    port: int = 443
    protocol: str = "https"
    views: tuple[str, ...] = ("public", "tailnet")
    cluster: str = ""
    answer: str = ""

    @property
    def carrier(self) -> str | None:
        """Return what carries it, as exposures name it; None for a literal target."""
        return self.target.removeprefix("gateway/") if "/" in self.target else None

    @classmethod
    def read(cls, section: Section) -> DeclaredExposure:
        """Read one element of `exposures`."""
        exposure = cls(
            host=section.text("host", like="nas.example.com", check=dns_name),
            target=section.text("target", like="100.64.0.9", check=_target),
            port=section.whole("port", 443, least=1, most=LAST_PORT),
            protocol=section.choice("protocol", ("https", "http", "tls", "tcp"), "https"),
            views=section.texts("views", like="tailnet", check=_view) or ("public", "tailnet"),
            cluster=section.text("cluster", ""),
            answer=section.text("answer", "", check=_answer),
        )
        section.finish()
        return exposure


@dataclass(frozen=True, slots=True)
class Bridge:
    """A path to probe hop by hop, each `host:port`, from the public end to the NodePort."""

    name: str
    hops: tuple[str, ...]

    @classmethod
    def read(cls, section: Section) -> Bridge:
        """Read one element of `bridges`."""
        bridge = cls(
            name=section.text("name", like="vps"),
            hops=section.texts("hops", like="vps.example.com:443", needed=True, check=_hop),
        )
        section.finish()
        return bridge


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository whose pushes are causes, when they touch one of `paths` on `branch`.

    `url` is a host of one's own. `cluster` is which one applies it, "" for the only one. `apply`
    says whether names wait until the cluster accepts them. Failed deliveries of the webhook `hook`
    are asked for again; 0 is none.
    """

    provider: str
    name: str
    branch: str = "main"
    paths: tuple[str, ...] = ()
    url: str = ""
    cluster: str = ""
    apply: str = "accepted"
    hook: int = 0

    @property
    def key(self) -> str:
        """Identify what is read: provider, name and branch, and the cluster where it is named."""
        return f"{self.provider} {self.name} {self.branch} {self.cluster}".rstrip()

    @classmethod
    def read(cls, section: Section) -> Repository:
        """Read one element of `repositories`."""
        providers = ("github", "gitlab", "gitea", "forgejo", "bitbucket")
        repository = cls(
            provider=section.choice("provider", providers),
            name=section.text("name", like="me/homelab", check=_repository),
            branch=section.text("branch", "main", check=_one_word),
            paths=section.texts("paths", like="apps/**", check=_pattern),
            url=section.text("url", "", check=_url),
            cluster=section.text("cluster", ""),
            apply=section.choice("apply", ("accepted", "at-once"), "accepted"),
            hook=section.whole("hook", 0, least=0, most=MOST_HOOKS),
        )
        section.finish()
        return repository


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Deletes that need no person: the larger of a number and a share of the zone's exposures."""

    deletes: int = 1
    delete_share: float = 0.3
    protected: tuple[str, ...] = ()

    @classmethod
    def read(cls, section: Section) -> GuardLimits:
        """Read the mapping under `guard`."""
        limits = cls(
            deletes=section.whole("deletes", 1, least=0, most=MOST_DELETES),
            delete_share=section.share("delete_share", 0.3),
            protected=section.texts("protected", like="www.example.com", check=dns_name),
        )
        section.finish()
        return limits


@dataclass(frozen=True, slots=True)
class Budgets:
    """Seconds that may pass: until the cluster settles, until the proof, until people decide.

    `decide` is how long a link to decide works, and how long an approval waits to be carried out.
    """

    settle: int = 90
    prove: int = 300
    decide: int = 86_400

    @classmethod
    def read(cls, section: Section) -> Budgets:
        """Read the mapping under `budgets`."""
        budgets = cls(
            settle=section.duration("settle", 90, like="90s"),
            prove=section.duration("prove", 300, like="5m"),
            decide=section.duration("decide", 86_400, like="24h"),
        )
        section.finish()
        return budgets

    def as_json(self) -> dict[str, str]:
        """Return the budgets as the file writes them."""
        return {name: format_duration(value) for name, value in asdict(self).items()}


def _target(value: str) -> str:
    if "/" in value and not OBJECT.fullmatch(value):
        raise UnfitError(f"is {value!r}", "write it as service/<namespace>/<name>, or as a name")
    return value


def _answer(value: str) -> str:
    if value not in {"cname", "address"}:
        raise UnfitError(f"is {value!r}", "use cname or address")
    return value


def _repository(value: str) -> str:
    if "/" not in value.strip("/"):
        raise UnfitError(f"is {value!r}", "write it as owner/name")
    return _one_word(value)


def _one_word(value: str) -> str:
    if value.split() != [value]:
        raise UnfitError(f"is {value!r}", "write it without blanks")
    return value


def _pattern(value: str) -> str:
    try:
        compiled(value.removeprefix("!"))
    except re.error as error:
        told = f"is {value!r}, no pattern: {error}"
        raise UnfitError(told, "write it as in .gitignore") from None
    return value


def _view(value: str) -> str:
    if value not in {"public", "tailnet"}:
        raise UnfitError(f"is {value!r}", "use public or tailnet")
    return value


def _url(value: str) -> str:
    if not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise UnfitError(f"is {value!r}", "write it as https://git.example.com")
    return value.rstrip("/")


def _hop(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= LAST_PORT:
        raise UnfitError(f"is {value!r}", "write it as host:port")
    return value
