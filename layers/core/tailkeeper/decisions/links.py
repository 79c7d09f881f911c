"""The signed link by which a person decides without a terminal: once, within a day, for one set.

A token is `<expires>.<set>.<signature>`: epoch seconds, what the changes' digests come to, and an
HMAC-SHA256 of both and of the change's id. It opens the page; only a POST with it decides.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailkeeper.model import digest_of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TOKEN = re.compile(r"([1-9][0-9]{,11})\.([0-9a-f]{32})\.([0-9a-f]{64})")
PURPOSE = "tailkeeper decide 1"


class LinkError(Exception):
    """The token opens nothing: `status` is the HTTP status to say so with."""

    status = 403


class UnfitError(LinkError):
    """What was posted is no decision."""

    status = 400


class ExpiredError(LinkError):
    """The token was good once."""

    status = 410


class UsedError(LinkError):
    """The token has been used."""

    status = 410


class ClosedError(LinkError):
    """There is nothing left to decide."""

    status = 410


@dataclass(frozen=True, slots=True)
class Link:
    """Which changes a link is about, by change id and set of digests, and until when."""

    change_id: str
    digests: str
    expires: int

    @classmethod
    def to(cls, change_id: str, digests: Iterable[str], expires: int) -> Link:
        """Return the link to a set of a change's digests."""
        return cls(change_id, set_of(digests), expires)

    def token(self, key: str) -> str:
        """Return the link's token."""
        return f"{self.expires}.{self.digests}.{_signature(self, key)}"

    @classmethod
    def read(cls, change_id: str, token: str, key: Callable[[], str], now: float) -> Link:
        """Return what a token opens; raise LinkError. The key is fetched for what may be one."""
        found = TOKEN.fullmatch(token)
        if not found:
            raise LinkError("this link is not ours, or a part of it is missing")
        link = cls(change_id, found[2], int(found[1]))
        if not hmac.compare_digest(_signature(link, key()), found[3]):
            raise LinkError("this link is not ours, or a part of it is missing")
        if link.expires <= now:
            raise ExpiredError("this link has expired")
        return link


def set_of(digests: Iterable[str]) -> str:
    """Return what a set of digests comes to, whatever their order."""
    return digest_of(sorted(set(digests)))[:32]


def _signature(link: Link, key: str) -> str:
    text = "\n".join((PURPOSE, link.change_id, link.digests, str(link.expires)))
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()
