"""What of a git host's events starts a run, by the repositories of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tailkeeper.path_patterns import touches
from tailkeeper.webhooks.git.events import Push


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailkeeper.webhooks.git.events import PullRequest

UNKNOWN = "the repository is not in the configuration"
ALIKE = {"forgejo": "gitea"}  # one protocol: a server may be called either


class Watched(NamedTuple):
    """A branch of a repository as the configuration names it, and which paths of it count."""

    provider: str
    name: str
    branch: str
    paths: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Watched:
        """Read one of the configuration's `repositories`, whole or as a person writes it."""
        branch, paths = document.get("branch", "main"), document.get("paths", ())
        return cls(document["provider"], document["name"], branch, tuple(paths))

    def is_of(self, event: Push | PullRequest) -> bool:
        """Return whether the event is this repository's; hosts do not tell case apart."""
        mine, other = (ALIKE.get(each.provider, each.provider) for each in (self, event))
        return mine == other and self.name.casefold() == event.repository.casefold()


def judge(event: Push | PullRequest, watched: Sequence[Watched]) -> tuple[Watched | None, str]:
    """Return the watched branch that the event concerns, or None and why it starts nothing.

    A file list is a hint: it can only say that nothing of interest changed, and only when it is
    complete.
    """
    here = [each for each in watched if each.is_of(event)]
    if not here:
        return None, UNKNOWN
    if isinstance(event, Push) and event.deleted:
        return None, "the ref was deleted"
    here = [each for each in here if each.branch == event.branch]
    if not here:
        return None, "not a branch that is watched"
    if not isinstance(event, Push) or event.files is None:
        return here[0], ""
    touched = next((each for each in here if touches(each.paths, event.files)), None)
    return touched, "" if touched else "no file that is watched"
