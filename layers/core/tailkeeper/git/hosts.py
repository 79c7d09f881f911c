"""The parts that we use of each git host's API: where they are, and what they answer.

Rules: docs.github.com/rest (2022-11-28), docs.gitlab.com/api, Gitea's and Forgejo's swagger (v1),
developer.atlassian.com/cloud/bitbucket/rest and /server/bitbucket/rest. All take the token as a
bearer, but for the archives of Bitbucket Cloud, which the web site serves as git's HTTP does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

State = Literal["pending", "success", "failure"]
Way = tuple[str | int, ...]
CONTEXT = "tailkeeper"
ESCAPED = "%2F"
LONGEST = 140  # characters of a description: GitHub's limit, the least of them


@dataclass(frozen=True, slots=True)
class Host:
    """One provider: `url` is its API, `web` where archives are when that is elsewhere.

    Paths are templates of `{repo}`, `{sha}`, `{branch}`, `{pull}`; the ways into an answer are
    keys in order. `status` makes the path and the body that posts a commit status, which needs a
    link at some hosts: then `page` is a commit's own. `slash` stands for the one in a name.
    """

    url: str
    archive: str
    head: tuple[str, Way]
    base: tuple[str, Way]
    status: Callable[[str, str, Mapping[str, str]], tuple[str, dict[str, str] | None]]
    web: str = ""
    page: str = ""
    slash: str = "/"

    def path(self, template: str, repository: str, **parts: str) -> str:
        """Return a path of the API; names are escaped, as the host wants them."""
        name = quote(repository).replace("/", self.slash)
        safe = "" if self.slash == ESCAPED else "/"
        return template.format(repo=name, **{k: quote(v, safe=safe) for k, v in parts.items()})


def told(answer: Any, way: Way) -> str:
    """Return the text at the end of a way; raise KeyError or TypeError when it is not there."""
    for key in way:
        answer = answer[key]
    if not isinstance(answer, str) or not answer:
        raise TypeError("no text there")
    return answer


def words(state: State, description: str, link: str) -> dict[str, str]:
    """Return a commit status as GitHub and Gitea write it."""
    text = description if len(description) <= LONGEST else description[: LONGEST - 1] + "…"
    status = {"state": state, "context": CONTEXT, "description": text}
    return status | ({"target_url": link} if link else {})


def _github(repo: str, sha: str, status: Mapping[str, str]) -> tuple[str, dict[str, str] | None]:
    return f"/repos/{repo}/statuses/{sha}", dict(status)


def _gitea(repo: str, sha: str, status: Mapping[str, str]) -> tuple[str, dict[str, str] | None]:
    return f"/api/v1/repos/{repo}/statuses/{sha}", dict(status)


def _gitlab(repo: str, sha: str, status: Mapping[str, str]) -> tuple[str, dict[str, str] | None]:
    state = {"failure": "failed"}.get(status["state"], status["state"])
    query = urlencode({**status, "state": state})
    return f"/api/v4/projects/{repo}/statuses/{sha}?{query}", None


def _build(status: Mapping[str, str]) -> dict[str, str]:
    """Return a commit status as Bitbucket writes it, Cloud and Data Center."""
    states = {"pending": "INPROGRESS", "success": "SUCCESSFUL", "failure": "FAILED"}
    named = {"key": CONTEXT, "name": CONTEXT, "state": states[status["state"]]}
    return {**named, "description": status["description"], "url": status["target_url"]}


def _bitbucket(repo: str, sha: str, status: Mapping[str, str]) -> tuple[str, dict[str, str] | None]:
    return f"/2.0/repositories/{repo}/commit/{sha}/statuses/build", _build(status)


def _own(repo: str, sha: str, status: Mapping[str, str]) -> tuple[str, dict[str, str] | None]:
    return f"/rest/api/latest/projects/{repo}/commits/{sha}/builds", _build(status)


GITHUB = Host(
    "https://api.github.com",
    archive="/repos/{repo}/tarball/{sha}",
    head=("/repos/{repo}/git/ref/heads/{branch}", ("object", "sha")),
    base=("/repos/{repo}/compare/{branch}...{sha}", ("merge_base_commit", "sha")),
    status=_github,
)
GITLAB = Host(
    "https://gitlab.com",
    archive="/api/v4/projects/{repo}/repository/archive.tar.gz?sha={sha}",
    head=("/api/v4/projects/{repo}/repository/branches/{branch}", ("commit", "id")),
    base=("/api/v4/projects/{repo}/repository/merge_base?refs[]={branch}&refs[]={sha}", ("id",)),
    status=_gitlab,
    slash=ESCAPED,
)
GITEA = Host(
    "https://gitea.com",
    archive="/api/v1/repos/{repo}/archive/{sha}.tar.gz",
    head=("/api/v1/repos/{repo}/branches/{branch}", ("commit", "id")),
    base=("/api/v1/repos/{repo}/pulls/{pull}", ("merge_base",)),
    status=_gitea,
)
BITBUCKET = Host(
    "https://api.bitbucket.org",
    archive="/{repo}/get/{sha}.tar.gz",
    head=("/2.0/repositories/{repo}/refs/branches/{branch}", ("target", "hash")),
    base=("/2.0/repositories/{repo}/merge-base/{branch}..{sha}", ("hash",)),
    status=_bitbucket,
    web="https://bitbucket.org",
    page="/{repo}/commits/{sha}",
)
DATA_CENTER = Host(
    "",
    archive="/rest/api/latest/projects/{repo}/archive?at={sha}&format=tar.gz&prefix=commit/",
    head=(
        "/rest/api/latest/projects/{repo}/commits?until=refs/heads/{branch}&limit=1",
        ("values", 0, "id"),
    ),
    base=("/rest/api/latest/projects/{repo}/pull-requests/{pull}/merge-base", ("id",)),
    status=_own,
    page="/projects/{repo}/commits/{sha}",
    slash="/repos/",
)
"""Bitbucket at an address of one's own, which knows nothing of the Cloud's API."""

FORGEJO = Host("https://codeberg.org", GITEA.archive, GITEA.head, GITEA.base, _gitea)
HOSTS = {
    "github": GITHUB,
    "gitlab": GITLAB,
    "gitea": GITEA,
    "forgejo": FORGEJO,
    "bitbucket": BITBUCKET,
}


def host_of(provider: str, url: str) -> Host:
    """Return a provider's host, at its public address ("") or at one of one's own."""
    return DATA_CENTER if url and provider == "bitbucket" else HOSTS[provider]
