"""What people were asked, and what they answered by a link: `asked#<change id>` / `<set>`.

A question is noted before it is sent: without a `receipt` it may have been sent or not, and is
never sent again. An `answer` without `done` may be given again, should its giving have failed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailkeeper.adapters.aws import ConditionFailed
from tailkeeper.decisions.decision import KEPT
from tailkeeper.decisions.links import LinkError, UsedError
from tailkeeper.moments import rfc3339


if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailkeeper.adapters.artifacts import Artifacts
    from tailkeeper.adapters.table import Table
    from tailkeeper.decisions.links import Link

FREE = "attribute_exists(pk) AND (attribute_not_exists(answer) OR (answer = :answer AND {open}))"


@dataclass(frozen=True)
class Questions:
    """The questions in the table."""

    table: Table
    artifacts: Artifacts

    def begin(self, link: Link, digests: Iterable[str], subject: str, words: str) -> bool:
        """Note a question, its words without the link; return False if it was begun before."""
        item = {
            "pk": _partition(link),
            "sk": link.digests,
            "digests": self.artifacts.pack(list(digests), "questions"),
            "subject": subject,
            "words": words,
            "at": rfc3339(time.time()),
            "expires_at": int(time.time()) + KEPT,
        }
        try:
            self.table.put(item, "attribute_not_exists(pk)")
        except ConditionFailed:
            return False
        return True

    def forget(self, link: Link) -> None:
        """Let a question be begun again, since it was certainly not sent."""
        self.table.delete(_partition(link), link.digests)

    def sent(self, link: Link, receipt: str) -> None:
        """Note that a question was sent."""
        self._set(link, "receipt = :receipt", "attribute_exists(pk)", receipt=receipt)

    def was_sent(self, link: Link) -> bool:
        """Say whether a question was certainly sent."""
        return bool((self.table.get(_partition(link), link.digests) or {}).get("receipt"))

    def digests(self, link: Link) -> list[str]:
        """Return what a link is about; raise LinkError when nobody was asked, or has answered."""
        item = self.table.get(_partition(link), link.digests)
        if not item:
            raise LinkError("nobody was asked this")
        if item.get("done"):
            raise UsedError(f"this link has been used, to {item['answer']}")
        return list(self.artifacts.unpack(item["digests"]))

    def claim(self, link: Link, answer: str) -> None:
        """Take the one use of a link for an answer; raise UsedError when it was another's."""
        free = FREE.format(open="attribute_not_exists(done)")
        try:
            self._set(link, "answer = :answer", free, answer=answer)
        except ConditionFailed as error:
            raise UsedError("this link has been used") from error

    def done(self, link: Link) -> None:
        """Note that the answer was given: the link opens nothing any more."""
        self._set(link, "done = :done", "attribute_exists(pk)", done=rfc3339(time.time()))

    def _set(self, link: Link, what: str, condition: str, **values: str) -> None:
        self.table.update(_partition(link), link.digests, f"SET {what}", condition, **values)


def _partition(link: Link) -> str:
    return f"asked#{link.change_id}"
