"""The receiver as it is deployed, with its secrets at hand and the hand-over left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions import receive_tailscale_webhook as deployed


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.model import Cause


@dataclass
class Counted:
    """An inbox up to the hand-over: every event is new, and nothing is sent."""

    handed_over: list[str] = field(default_factory=list)

    def claim(self, _: str) -> bool:
        """Take every event."""
        return True

    def hand_over(self, _: str, causes: Sequence[Cause]) -> None:
        """Count what the bus would get."""
        self.handed_over += [cause.id for cause in causes]


class Known:
    """The one secret of the bench."""

    def valid(self) -> tuple[str, ...]:
        """Return the secret."""
        return (os.environ["BENCH_SECRET"],)


INBOX, SECRETS = Counted(), Known()
setattr(deployed, "inbox", lambda: INBOX)  # noqa: B010 - two verbs of the real one
setattr(deployed, "secrets", lambda: SECRETS)  # noqa: B010 - one verb of the real one
handler = deployed.handler
