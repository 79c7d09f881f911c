"""ExternalDNS's annotations, under both of its prefixes, and tailkeeper's own two.

Version 0.22 moved them from `external-dns.alpha.kubernetes.io/` to `external-dns.kubernetes.io/`;
clusters hold both, so both are read and the newer one wins. Rules: ExternalDNS,
docs/annotations/annotations.md.

    tailkeeper.dev/target   cname | address: what the zone answers, instead of the zone's own way
    tailkeeper.dev/views    public, tailnet: the only views that get the object's names
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from tailkeeper.durations import go_duration


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
PREFIXES = ("external-dns.kubernetes.io/", "external-dns.alpha.kubernetes.io/")
OWN_PREFIX = "tailkeeper.dev/"
CONTROLLER = "dns-controller"
LONGEST_TTL = 2_147_483_647
WAYS = ("cname", "address")
VIEWS = ("public", "tailnet")
HOSTNAME_SOURCES = ("annotation-only", "defined-hosts-only")
UNFOLLOWED = frozenset(
    {
        "access",
        "alias",
        "cloudflare-custom-hostname",
        "cloudflare-region-key",
        "internal-hostname",
        "record-type",
        "set-identifier",
    }
)
_BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}


class Annotations:
    """The annotations of one object."""

    def __init__(self, annotations: Mapping[str, str] | None) -> None:
        self.all = annotations or {}
        self._named = {
            name.removeprefix(prefix): value
            for prefix in reversed(PREFIXES)
            for name, value in self.all.items()
            if name.startswith(prefix)
        }

    def get(self, name: str) -> str | None:
        """Return the value under the newer prefix, else under the older one, else None."""
        return self._named.get(name)

    def listed(self, name: str) -> tuple[str, ...]:
        """Return a comma-separated value's parts, without blanks and final dots."""
        parts = (self.get(name) or "").replace(" ", "").split(",")
        return tuple(part.removesuffix(".") for part in parts if part)

    def hostname_source(self, kind: str) -> str:
        """Return what `<kind>-hostname-source` chooses, "" where it chooses nothing."""
        return _read(self.get(f"{kind}-hostname-source"), _hostname_source) or ""

    @property
    def elsewhere(self) -> str:
        """Return the name of another controller that the object is reserved for, or ""."""
        value = self.get("controller")
        return "" if value in {None, CONTROLLER} else value or "(empty)"

    @property
    def ttl(self) -> int | None:
        """Return the TTL in seconds, None where it is not set or cannot be read."""
        return _read(self.get("ttl"), _ttl)

    @property
    def proxied(self) -> bool | None:
        """Return whether Cloudflare should proxy, None where it is not set or cannot be read."""
        return _read(self.get("cloudflare-proxied"), _boolean)

    @property
    def comment(self) -> str | None:
        """Return the comment for Cloudflare's record, None where it is not set."""
        return self.get("cloudflare-record-comment")

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the tags for Cloudflare's record, in order."""
        return tuple(sorted(set(self.listed("cloudflare-tags"))))

    @property
    def answer(self) -> str:
        """Return `cname` or `address`, "" where the zone's own way is followed."""
        return _read(self.all.get(f"{OWN_PREFIX}target"), _way) or ""

    @property
    def views(self) -> tuple[str, ...]:
        """Return the views that may get the names: all, unless somebody chose."""
        return _read(self.all.get(f"{OWN_PREFIX}views"), _views) or VIEWS

    def complaints(self, *, target: bool = False) -> Iterator[str]:
        """Yield what stands here to no effect, and why; `target` says that one counts here."""
        if self.get("target") is not None and not target:
            yield "its target annotation is ignored: it belongs on the Gateway"
        for name in sorted(UNFOLLOWED & self._named.keys()):
            yield f"its {name} annotation is not followed"
        texts: tuple[tuple[str, str | None, Callable[[str], Any]], ...] = (
            ("ttl", self.get("ttl"), _ttl),
            ("cloudflare-proxied", self.get("cloudflare-proxied"), _boolean),
            *(
                (name, self.get(name), _hostname_source)
                for name in ("gateway-hostname-source", "ingress-hostname-source")
            ),
            (f"{OWN_PREFIX}target", self.all.get(f"{OWN_PREFIX}target"), _way),
            (f"{OWN_PREFIX}views", self.all.get(f"{OWN_PREFIX}views"), _views),
        )
        for name, text, read in texts:
            try:
                _ = text is None or read(text)
            except ValueError as error:
                yield f"its {name} annotation is ignored: {error}"


def _read(text: str | None, read: Callable[[str], T]) -> T | None:
    try:
        return None if text is None else read(text)
    except ValueError:
        return None


def _ttl(text: str) -> int | None:
    """Read whole seconds or a Go duration, of which fractions are dropped; 0 means not set."""
    number = text.removeprefix("+")
    seconds = int(number) if number.isascii() and number.isdigit() else int(go_duration(number))
    if not 0 <= seconds <= LONGEST_TTL:
        raise ValueError(f"{text!r} is not between 1 and {LONGEST_TTL} seconds")
    return seconds or None


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(f"{text!r} is neither true nor false")
    return _BOOLEANS[text.lower()]


def _hostname_source(text: str) -> str:
    if text.lower() not in HOSTNAME_SOURCES:
        raise ValueError(f"{text!r} is neither annotation-only nor defined-hosts-only")
    return text.lower()


def _way(text: str) -> str:
    if text not in WAYS:
        raise ValueError(f"{text!r} is neither cname nor address")
    return text


def _views(text: str) -> tuple[str, ...]:
    named = {part.strip() for part in text.split(",")}
    if not named <= set(VIEWS):
        raise ValueError(f"{text!r} does not list public or tailnet")
    return tuple(view for view in VIEWS if view in named)
