"""A git host's API: a branch's head, a commit's files in one request, statuses, redeliveries."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from tailkeeper.adapters.read_again import read_again
from tailkeeper.git.archive import File, files_of
from tailkeeper.git.hosts import Host, State, host_of, told, words


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tailkeeper.config import Repository
    from tailkeeper.git.hosts import Way

LONG = 7  # seconds
TIMEOUT = 8
DOWNLOAD = 20  # seconds that an archive may take
THROTTLES = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.FORBIDDEN})
AGAIN = "Cannot transition status"  # GitLab, asked to set the state that stands


class Throttled(Exception):
    """The git host lets us wait: its limit of requests is used up."""


class Unreachable(Exception):
    """The git host did not answer, or answered 5xx or nonsense."""


class Refused(Exception):
    """The git host refused; the sentence says what, and what may be missing."""


PASSING = (Throttled, Unreachable)
TROUBLE = (*PASSING, Refused)
_read_again = read_again(*PASSING, long=LONG)


@dataclass(frozen=True)
class GitHost:
    """One repository at its host."""

    http: httpx.Client
    host: Host
    name: str
    web: str

    @_read_again
    def head(self, branch: str) -> str:
        """Return the commit at a branch's head."""
        template, way = self.host.head
        return self._read(self.host.path(template, self.name, branch=branch), way)

    @_read_again
    def merge_base(self, branch: str, sha: str, pull: str) -> str:
        """Return the commit from which a pull request's head left its branch."""
        template, way = self.host.base
        return self._read(
            self.host.path(template, self.name, branch=branch, sha=sha, pull=pull), way
        )

    @_read_again
    def files(self, sha: str, wants: Callable[[str], bool]) -> list[File]:
        """Return the wanted files of a commit, by one request; raise UnfitError for its archive."""
        path = self.host.path(self.host.archive, self.name, sha=sha)
        # The one redirect that hosts make leads to another origin: httpx leaves the token behind.
        with _named(path), self.http.stream("GET", self.web + path, **self._archive()) as answer:
            if answer.is_error:
                answer.read()
            _check(answer, path)
            return list(files_of(_in_time(answer), wants))

    def post_status(self, sha: str, state: State, description: str, link: str) -> None:
        """Set our status of a commit; setting it twice is setting it once."""
        repo = self.host.path("{repo}", self.name)
        if not link and self.host.page:
            link = self.web + self.host.path(self.host.page, self.name, sha=sha)
        path, body = self.host.status(repo, sha, words(state, description, link))
        with _named(path.partition("?")[0]):
            answer = self.http.post(path, json=body)
            if AGAIN not in answer.text:
                _check(answer, path.partition("?")[0])

    @_read_again
    def deliveries(self, hook: int) -> list[dict[str, Any]]:
        """Return GitHub's last hundred deliveries of a webhook, the newest first."""
        path = f"/repos/{self.name}/hooks/{hook}/deliveries"
        with _named(path):
            answer = self.http.get(path, params={"per_page": "100"})
            _check(answer, path)
            return [{name: one[name] for name in DELIVERY} for one in answer.json()]

    def redeliver(self, hook: int, delivery: int) -> None:
        """Ask GitHub to send a delivery again."""
        path = f"/repos/{self.name}/hooks/{hook}/deliveries/{delivery}/attempts"
        with _named(path):
            _check(self.http.post(path), path)

    def _archive(self) -> dict[str, Any]:
        token = self.http.headers.get("Authorization", "").removeprefix("Bearer ")
        login = {"auth": ("x-token-auth", token)} if self.host.web and token else {}
        identity = {"Accept-Encoding": "identity"}  # it is packed already
        return {"follow_redirects": True, "headers": identity, **login}

    def _read(self, path: str, way: Way) -> str:
        with _named(path):
            answer = self.http.get(path)
            _check(answer, path)
            return told(answer.json(), way)


DELIVERY = ("id", "guid", "delivered_at", "status_code")


logging.getLogger("httpx").setLevel(logging.WARNING)  # a redirect's address may hold a token


@contextmanager
def connect(repository: Repository, tokens: Mapping[str, str], elsewhere: str) -> Iterator[GitHost]:
    """Yield a repository's host; `elsewhere` replaces every address.

    `tokens` are by provider, or by the `url` of a host of one's own: a token goes nowhere else. A
    public repository needs none.
    """
    host = host_of(repository.provider, repository.url)
    url = elsewhere or repository.url or host.url
    token = tokens.get((not elsewhere and repository.url) or repository.provider, "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"User-Agent": "tailkeeper", "Accept": "application/json"}
    with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, max_redirects=3) as http:
        yield GitHost(http, host, repository.name, url if not host.web or elsewhere else host.web)


def _in_time(answer: httpx.Response) -> Iterator[bytes]:
    """Yield an answer's bytes as they were packed, for as long as a download may take."""
    end = time.monotonic() + DOWNLOAD
    for chunk in answer.iter_raw():
        if time.monotonic() > end:
            raise Unreachable(f"an archive takes longer than {DOWNLOAD} s")
        yield chunk


@contextmanager
def _named(path: str) -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, httpx.TooManyRedirects) as error:
        raise Unreachable(f"the git host: {type(error).__name__} at {path}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unreachable(f"the git host: the answer of {path} makes no sense") from error


def _check(answer: httpx.Response, path: str) -> None:
    """Raise what a status means; the sentence quotes no answer."""
    status = answer.status_code
    spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    if status in THROTTLES and (spent or status == httpx.codes.TOO_MANY_REQUESTS):
        raise Throttled(f"the git host throttles {path}")
    if answer.is_server_error:
        raise Unreachable(f"the git host answered {status} to {path}")
    if not answer.is_success:
        raise Refused(f"the git host answered {status} to {path}{HINTS.get(status, '')}")


HINTS = {
    301: ": it has another name now",
    401: ": it does not accept the token",
    403: ": the token may not do this",
    404: ": it is not there, or the token may not see it",
}
