"""A receiver as it is deployed, with what it reads at hand and the hand-over left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from tailkeeper.webhooks.git.relevance import Watched


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.model import Cause


@dataclass
class Counted:
    """An inbox up to the hand-over: every event is new, and nothing is sent."""

    handed_over: list[str] = field(default_factory=list)

    def take_in(self, _: str, found: Mapping[str, Cause], **__: bool) -> int:
        """Count what the bus would get."""
        self.handed_over += [cause.id for cause in found.values()]
        return len(found)


class Known:
    """What the bench knows, never read again."""

    def __init__(self, *known: object) -> None:
        self.known = known

    def get(self) -> tuple[object, ...]:
        """Return it."""
        return self.known


INBOX, SECRETS = Counted(), Known(os.environ["BENCH_SECRET"])
WATCHED = Known(Watched("github", "me/homelab", "main", ("apps/**", "infrastructure/**")))
deployed = import_module(os.environ["BENCH_FUNCTION"])
setattr(deployed, "inbox", lambda: INBOX)  # noqa: B010 - one verb of the real one
setattr(deployed, "secrets", lambda *_: SECRETS)  # noqa: B010 - one verb of the real one
setattr(deployed, "watched", lambda: WATCHED)  # noqa: B010 - one verb of the real one
handler = deployed.handler
