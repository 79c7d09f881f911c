"""What a git host tells, whoever it is: a push to one branch or tag, a pull or merge request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tailkeeper.webhooks.untrusted import at, canonical_id, commit, text


if TYPE_CHECKING:
    from collections.abc import Mapping


class Push(NamedTuple):
    """One ref that moved from `before` to `after`; a new or deleted one has zeros there.

    `branch` and `tag` are short names, one of them is "". `at` is the host's time of the push in
    UTC, "" where it tells none. `files` are all that changed, or None: anything may have.
    """

    provider: str
    repository: str
    branch: str
    before: str
    after: str
    pusher: str
    at: str = ""
    tag: str = ""
    created: bool = False
    deleted: bool = False
    forced: bool = False
    files: tuple[str, ...] | None = None

    @property
    def what(self) -> str:
        """Return what moved, and to where, in two words: the end of a cause's ref."""
        return f"{self.branch or self.tag} {self.after}"

    @property
    def content_id(self) -> str:
        """Identify what is said, whoever says it again under whatever (unsigned) delivery id."""
        refs = [self.branch, self.tag, self.before, self.after]
        return canonical_id([self.provider, self.repository, *refs, self.at])


class PullRequest(NamedTuple):
    """A pull or merge request into `branch`, with a commit at its `head` that was not there."""

    provider: str
    repository: str
    branch: str
    number: int
    head: str
    pusher: str
    at: str = ""

    @property
    def what(self) -> str:
        """Return which request, and its head, in two words: the end of a cause's ref."""
        return f"pull/{self.number} {self.head}"

    @property
    def content_id(self) -> str:
        """Identify head and branch: the plan is the same, however often they are told."""
        into = [self.repository, self.branch]
        return canonical_id([self.provider, *into, self.number, self.head])


LONGEST_LIST = 500_000  # characters
BRANCH, TAG = "refs/heads/", "refs/tags/"


def short_names(ref: str) -> tuple[str, str]:
    """Return the branch and the tag that a full ref is; both "" for another kind of ref."""
    branch = ref.removeprefix(BRANCH) if ref.startswith(BRANCH) else ""
    return branch, ref.removeprefix(TAG) if ref.startswith(TAG) else ""


def is_nothing(commit: str) -> bool:
    """Return whether a commit is the zeros that stand for none."""
    return not commit.strip("0")


def whole(number: Any) -> int:
    """Return a whole number; raise ValueError if it is none."""
    if type(number) is not int:
        raise ValueError(f"{number!r:.40} is not a number")
    return number


def read_push(
    provider: str,
    document: Mapping[str, Any],
    *,
    repository: str,
    pusher: str,
    moved_at: str = "",
    whole_list: bool,
    most_files: int = 2**31,
) -> Push:
    """Read the push that GitHub, GitLab and Gitea have in common: `ref`, `before`, `after`.

    `whole_list` says whether all commits are in `commits`; the files are still not all of them
    where the ref is new or its history was rewritten.
    """
    before, after = commit(document, "before"), commit(document, "after")
    branch, tag = short_names(text(document, "ref"))
    created, deleted = is_nothing(before), is_nothing(after)
    forced = document.get("forced") is True
    listed = whole_list and not (created or deleted or forced)
    files = changed_files(document.get("commits"), after, most=most_files) if listed else None
    return Push(
        provider,
        repository,
        branch,
        before,
        after,
        pusher,
        at=moved_at,
        tag=tag,
        created=created,
        deleted=deleted,
        forced=forced,
        files=files,
    )


def shown(document: Mapping[str, Any]) -> int:
    """Return how many commits are in the push's list."""
    commits = document.get("commits")
    return len(commits) if isinstance(commits, list) else 0


def changed_files(commits: Any, after: str, *, most: int) -> tuple[str, ...] | None:
    """Return all files that the commits name, or None when that may not be all.

    It is not when the last commit is not among them, or one of them names `most` files, or none
    at all: that may be a merge of which the host shows nothing. Nor is a list looked through that
    would keep the host waiting longer than a run takes.
    """
    if not isinstance(commits, list) or after not in [at(each, "id") for each in commits]:
        return None
    files: set[str] = set()
    for each in commits:
        names = [at(each, kind) for kind in ("added", "removed", "modified")]
        if not all(isinstance(paths, list) for paths in names):
            return None
        flat = [path for paths in names for path in paths]
        if not 0 < len(flat) < most or not all(isinstance(path, str) for path in flat):
            return None
        files.update(flat)
    return tuple(sorted(files)) if sum(map(len, files)) <= LONGEST_LIST else None
