"""DNS names as Cloudflare keeps them: absolute, lower case, punycode, no last dot."""

from __future__ import annotations

import re

from sandbox.cloudflare.errors import Refused, refused


LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
RECORD_LABEL = re.compile(r"(?!-)[a-z0-9_*-]{1,63}(?<!-)")


def _wrong() -> Refused:
    return refused(9000, "DNS name is invalid.")


def within(name: str, zone: str) -> bool:
    """Say whether a name is the zone's apex or below it."""
    return name == zone or name.endswith(f".{zone}")


def completed(name: object, zone: str) -> str:
    """Return the absolute name in `zone`; `@` is the apex. Raise Refused for what is no name."""
    if not isinstance(name, str) or not name:
        raise _wrong()
    bare = name.removesuffix(".").lower()
    absolute = zone if bare == "@" else bare if within(bare, zone) else f"{bare}.{zone}"
    try:
        ascii_name = absolute if absolute.isascii() else absolute.encode("idna").decode()
    except UnicodeError as error:
        raise _wrong() from error
    if not is_name(ascii_name, wildcard=True):
        raise _wrong()
    return ascii_name


def is_name(name: str, *, wildcard: bool = False) -> bool:
    """Say whether every label may stand in a DNS name.

    A record's name may hold an asterisk anywhere: as the whole first label it is a `wildcard`, and
    "interpreted as the literal character" elsewhere (Cloudflare, Wildcard DNS records).
    """
    label = RECORD_LABEL if wildcard else LABEL
    labels = name.lower().removesuffix(".").split(".")
    return len(name) <= 253 and all(map(label.fullmatch, labels))


def ancestors(name: str, zone: str) -> list[str]:
    """Return the names above `name` up to the apex of the zone, nearest first."""
    found = []
    while name != zone:
        name = name.partition(".")[2]
        found.append(name)
    return found
