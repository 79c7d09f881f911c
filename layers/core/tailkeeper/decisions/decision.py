"""Decisions: what stands about a change's digest.

`held` and `refused` only say that people know: the guard always judges anew. `approved` lets the
change through until it is done or the approval expires; `rejected` and `undone` hold it back until
somebody approves it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tailkeeper.model import Change, digest_of
from tailkeeper.moments import epoch, rfc3339
from tailkeeper.summary import text_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailkeeper.model import Cause

KEPT = 400 * 24 * 3600  # seconds, as the journal
EXPIRY = "expires_at"  # as the table knows it
TEXT = 300  # characters of a before or an after
TOLD = 8  # reasons that are remembered as told
APPROVALS = 6  # their row in the guard's table
LIFTED = frozenset({"held", "refused", "approved"})  # by a plan without the change
BACK = frozenset({"rejected", "undone"})
TO_TELL = frozenset({"held", "refused", "undone"})
TO_ASK = frozenset({"held", "undone"})  # what a message, and its link, are about
Word = Literal["held", "refused", "approved", "rejected", "undone"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What stands about a digest: `change_id` is the change under which people were last asked.

    `before` and `after` are for people, cut short. `told` marks the reasons that were told.
    """

    digest: str
    word: Word
    change_id: str
    since: str
    expires: int
    reasons: tuple[str, ...] = ()
    row: int = 0
    by: str = ""
    surface: str = ""
    place: str = ""
    key: str = ""
    action: str = ""
    before: str = ""
    after: str = ""
    told: tuple[str, ...] = ()
    contested: bool = False

    @classmethod
    def on(cls, change: Change, word: Word, change_id: str, now: float) -> Decision:
        """Return a decision on a change, with the guard's reasons if it has judged it."""
        verdict = change.verdict
        return cls(
            change.digest,
            word,
            change_id,
            rfc3339(now),
            int(now) + KEPT,
            verdict.reasons if verdict else (),
            verdict.row if verdict else 0,
            surface=change.surface,
            place=change.place,
            key=change.key,
            action=change.action,
            before=text_of(change.before)[:TEXT],
            after=text_of(change.after)[:TEXT],
            contested=bool(verdict and verdict.contested),
        )

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Decision:
        """Read an item of the table."""
        own = {name: value for name, value in item.items() if name not in {"pk", "sk", EXPIRY}}
        lists = {name: tuple(item[name]) for name in ("reasons", "told")}
        return cls(**{**own, **lists, "digest": item["sk"], "expires": int(item[EXPIRY])})

    def as_item(self) -> dict[str, Any]:
        """Return the decision as an item of the table."""
        document = asdict(self)
        keys = {"pk": "decisions", "sk": document.pop("digest"), EXPIRY: document.pop("expires")}
        return {**document, **keys}

    def as_json(self) -> dict[str, Any]:
        """Return the decision as people and scripts see it."""
        return {name: value for name, value in asdict(self).items() if name != "told"}

    @property
    def news(self) -> bool:
        """Say whether nobody has been told of it for these reasons."""
        return self.word in TO_TELL and mark_of(self.reasons) not in self.told

    @property
    def decidable(self) -> bool:
        """Say whether an approval lets it through: of the rows above, a contested write only."""
        held = self.row > APPROVALS or self.contested
        return self.word in BACK or (self.word == "held" and held)

    def as_told(self) -> Decision:
        """Return the decision after people were told of it."""
        return replace(self, told=(*self.told, mark_of(self.reasons))[-TOLD:])

    def decided(self, word: Word, by: str, at: str, expires: int) -> Decision:
        """Return what a person makes of it."""
        return replace(self, word=word, by=by, since=at, expires=expires)

    def __str__(self) -> str:
        """Return why it holds a change back, and what lifts it."""
        who = f"{self.word} by {self.by}" if self.by else self.word
        lifts = f"`tailkeeper approve {self.change_id}` lets it through"
        return f"{who} on {self.since[:10]}; {lifts}"


def mark_of(reasons: Iterable[str]) -> str:
    """Return what the same reasons have in common."""
    return digest_of(list(reasons))[:16]


def standing_back(known: Mapping[str, Decision]) -> dict[str, str]:
    """Return, by digest, why rejected and undone changes stand back."""
    return {digest: str(one) for digest, one in known.items() if one.word in BACK}


def let_through(known: Mapping[str, Decision]) -> frozenset[str]:
    """Return the digests that people approved."""
    return frozenset(digest for digest, one in known.items() if one.word == "approved")


def approvals(
    digests: Iterable[str], known: Mapping[str, Decision], cause: Cause, expires: int
) -> Iterator[Decision]:
    """Yield the decisions that an approval makes; what was rejected or undone since stays so."""
    for digest in digests:
        old = known.get(digest) or Decision(digest, "approved", cause.id, cause.at, expires)
        if old.word not in BACK or epoch(old.since) <= epoch(cause.at):
            yield old.decided("approved", cause.by, cause.at, expires)
