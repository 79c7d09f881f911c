"""ExternalDNS's annotations, under both of its prefixes.

Version 0.22 moved them from `external-dns.alpha.kubernetes.io/` to `external-dns.kubernetes.io/`;
clusters hold both, so both are read and the newer one wins. Rules: ExternalDNS,
docs/annotations/annotations.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tailkeeper.durations import go_duration


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
PREFIXES = ("external-dns.kubernetes.io/", "external-dns.alpha.kubernetes.io/")
CONTROLLER = "dns-controller"
LONGEST_TTL = 2_147_483_647
_BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}


class Annotations:
    """The annotations of one object."""

    def __init__(self, annotations: Mapping[str, str] | None) -> None:
        self.all = annotations or {}

    def get(self, name: str) -> str | None:
        """Return the value under the newer prefix, else under the older one, else None."""
        return next((self.all[p + name] for p in PREFIXES if p + name in self.all), None)

    def listed(self, name: str) -> tuple[str, ...]:
        """Return a comma-separated value's parts, without blanks and final dots."""
        parts = (self.get(name) or "").replace(" ", "").split(",")
        return tuple(part.removesuffix(".") for part in parts if part)

    @property
    def elsewhere(self) -> str:
        """Return the name of another controller that the object is reserved for, or ""."""
        value = self.get("controller")
        return "" if value in {None, CONTROLLER} else value or "(empty)"

    @property
    def ttl(self) -> int | None:
        """Return the TTL in seconds, None where it is not set or cannot be read."""
        return self._read("ttl", _ttl)

    @property
    def proxied(self) -> bool | None:
        """Return whether Cloudflare should proxy, None where it is not set or cannot be read."""
        return self._read("cloudflare-proxied", _boolean)

    def _read(self, name: str, read: Callable[[str], T]) -> T | None:
        text = self.get(name)
        try:
            return None if text is None else read(text)
        except ValueError:
            return None

    def complaints(self) -> Iterator[str]:
        """Yield what stands here to no effect, and why."""
        if self.get("target") is not None:
            yield "its target annotation is ignored: it belongs on the Gateway"
        for name, read in (("ttl", _ttl), ("cloudflare-proxied", _boolean)):
            try:
                # Both readers take "0", so an absent annotation is never blamed.
                read(self.get(name) or "0")
            except ValueError as error:
                yield f"its {name} annotation is ignored: {error}"


def _ttl(text: str) -> int | None:
    """Read whole seconds or a Go duration, of which fractions are dropped; 0 means not set."""
    seconds = int(text) if text.isascii() and text.isdigit() else int(go_duration(text))
    if not 0 <= seconds <= LONGEST_TTL:
        raise ValueError(f"{text!r} is not between 1 and {LONGEST_TTL} seconds")
    return seconds or None


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(f"{text!r} is neither true nor false")
    return _BOOLEANS[text.lower()]
