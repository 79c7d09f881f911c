"""Which commits a run's causes tell of: the latest of each branch, and pull requests' heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tailkeeper.moments import epoch


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tailkeeper.model import Cause

PULL = "pull/"
WORDS = 4  # of a cause's ref; a fifth is the commit before the push
DAY = 24 * 3600


class Push(NamedTuple):
    """A commit on a branch, or (`pull/<number>`) at the head of a pull request.

    `before` is the commit before the branch's first push of the run, "" where nobody told it.
    """

    provider: str
    repository: str
    branch: str
    sha: str
    at: str
    before: str = ""

    @property
    def pull(self) -> str:
        """Return the pull or merge request's number, "" for a branch."""
        return self.branch.removeprefix(PULL) if self.branch.startswith(PULL) else ""

    @property
    def place(self) -> str:
        """Return what was pushed to: `<provider> <repository> <branch>`."""
        return " ".join(self[:3])

    @classmethod
    def of(cls, cause: Cause) -> Push | None:
        """Read a git cause's ref; None when it is none."""
        words = cause.ref.split()
        if cause.kind != "git" or len(words) < WORDS:
            return None
        provider, repository, branch, sha = words[:WORDS]
        before = words[WORDS] if len(words) > WORDS else ""
        return cls(provider, repository, branch, sha, cause.at, before if before.strip("0") else "")

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> Push:
        """Read what Gather Causes found."""
        return cls(**{name: document.get(name, "") for name in cls._fields})


def pushes_of(causes: Iterable[Cause]) -> list[Push]:
    """Return the latest push to each branch, whatever the order of their deliveries."""
    found: dict[tuple[str, str, str], Push] = {}
    for push in sorted(filter(None, map(Push.of, causes)), key=lambda push: push.at):
        earlier = found.get(push[:3])
        found[push[:3]] = push._replace(before=earlier.before) if earlier else push
    return list(found.values())


def goes_on_waiting(cause: Cause, missed: Collection[str], now: float) -> bool:
    """Return whether a cause is a push to a place that could not be read, for a day at most."""
    push = Push.of(cause)
    return push is not None and push.place in missed and now - epoch(push.at) < DAY
