"""The git hosts' adapter against the stand-in: what it reads, by how much, and what it gives up."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.git import GitHost
from sandbox.threads import running
from tailkeeper.adapters.git_host import GitHost as Adapter
from tailkeeper.adapters.git_host import Refused, Throttled, Unreachable, connect
from tailkeeper.config import Repository
from tailkeeper.git.archive import UnfitError
from tests.support.repositories import Clone, admin, clone_url, routes


if TYPE_CHECKING:
    from collections.abc import Iterator

PROVIDERS = ("github", "gitlab", "gitea", "bitbucket")
DATA_CENTER = "bitbucket-data-center"  # the same repository by the API of a server of one's own
HOSTS = (*PROVIDERS, DATA_CENTER)
TOKENS = dict.fromkeys(PROVIDERS, "token")


class Lab:
    """The host, one history pushed to all providers, and what is asked of it."""

    def __init__(self, host: GitHost, clone: Clone) -> None:
        self.host = host
        self.main = clone.commit(routes("ab") | {"README": "no manifest"}, remotes=())
        self.feature = clone.commit({"apps/b.yaml": None}, branch="feature", remotes=())
        for provider in PROVIDERS:
            clone.git("push", "--quiet", provider, "main", "feature")
        opened = {
            provider: admin(host, "/pulls", {"repository": f"{provider}/lab", "head": "feature"})
            for provider in PROVIDERS
        }
        self.pulls = {provider: str(one["number"]) for provider, one in opened.items()}
        self._open = ExitStack()

    def at(self, name: str, tokens: dict[str, str] | None = None) -> Adapter:
        """Return the adapter for a provider's repository."""
        provider = name.partition("-")[0]
        url = "https://bitbucket.example.com" if name == DATA_CENTER else ""
        repository = Repository(provider, f"{provider}/lab", url=url)
        given = TOKENS if tokens is None else tokens
        return self._open.enter_context(connect(repository, given, self.host.base_url))

    def close(self) -> None:
        """Close what is open."""
        self._open.close()

    def asked(self) -> list[str]:
        """Return the paths that were asked for since, and forget them."""
        found = [request["path"] for request in self.host.requests]
        self.host.requests.clear()
        return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Serve two commits at every provider."""
    folder = tmp_path_factory.mktemp("git")
    host = GitHost(folder / "bare", token="token")
    for provider in PROVIDERS:
        host.add(provider, f"{provider}/lab")
    with running(host):
        remotes = {provider: clone_url(host, f"{provider}/lab") for provider in PROVIDERS}
        made = Lab(host, Clone.new(folder / "clone", remotes))
        yield made
        made.close()


@pytest.fixture
def lab(shared: Lab) -> Iterator[Lab]:
    """Return the host without faults, and without memory of what was asked."""
    shared.asked()
    yield shared
    shared.host.faults.clear()


def fault(lab: Lab, path: str, times: int = 1, **more: Any) -> None:
    """Let requests for a path go wrong."""
    httpx.post(f"{lab.host.admin_url}/faults", json={"path": path, "times": times, **more})


@pytest.mark.parametrize("provider", HOSTS)
def test_a_commit_is_read_by_one_request(lab: Lab, provider: str) -> None:
    """Its head by another; the wanted files are those of the commit."""
    host = lab.at(provider)

    assert host.head("main") == lab.main
    assert len(lab.asked()) == 1
    files = host.files(lab.feature, lambda path: path.endswith(".yaml"))

    assert [file.path for file in files] == ["apps/a.yaml"]
    assert len(lab.asked()) == (2 if provider == "github" else 1), "GitHub redirects"
    assert lab.host.dump()["leaked"] == 0


@pytest.mark.parametrize("provider", HOSTS)
def test_where_a_pull_request_left_its_branch(lab: Lab, provider: str) -> None:
    """Every host knows, each in its own way."""
    pull = lab.pulls[provider.partition("-")[0]]
    assert lab.at(provider).merge_base("main", lab.feature, pull) == lab.main


@pytest.mark.parametrize("provider", HOSTS)
def test_a_status_may_be_set_twice(lab: Lab, provider: str) -> None:
    """GitLab refuses the second time, which is as good."""
    host = lab.at(provider)
    for state, link in (("pending", ""), ("pending", ""), ("failure", "https://example.com")):
        host.post_status(lab.feature, state, "1 held", link)  # type: ignore[arg-type]

    name = f"{host.name} {lab.feature}"
    last = lab.host.dump()["statuses"][name][-1]
    assert (last["context"], last["description"]) == ("tailkeeper", "1 held")
    assert "https://example.com" in (last.get("target_url"), last.get("url"))


@pytest.mark.parametrize("provider", ["gitlab", "bitbucket", DATA_CENTER])
def test_a_link_has_a_length(lab: Lab, provider: str) -> None:
    """A signed link to a bucket is too long for these."""
    with pytest.raises(Refused, match="400"):
        lab.at(provider).post_status(lab.feature, "success", "1 change", f"https://a/{'x' * 450}")


@pytest.mark.parametrize(
    ("tokens", "sentence"),
    [
        ({}, "404 .* the token may not see it"),
        ({"gitlab": "token"}, "404 .* the token may not see it"),
        ({"github": "wrong"}, "401 .* does not accept the token"),
    ],
    ids=["none", "another host's", "wrong"],
)
def test_who_is_not_let_in(lab: Lab, tokens: dict[str, str], sentence: str) -> None:
    """The sentence says what may be missing, and quotes no token; nothing is asked twice."""
    host = lab.at("github", tokens)

    with pytest.raises(Refused, match=sentence):
        host.head("main")

    assert len(lab.asked()) == 1


ARCHIVE = "*/legacy.tar.gz/*"


@pytest.mark.parametrize("broken", [{"status": 502}, {"cut": "before"}, {"cut": "after"}])
def test_what_passes_is_tried_again(lab: Lab, broken: dict[str, Any]) -> None:
    """A cut archive begins anew, redirect and all, since its ticket is spent."""
    fault(lab, ARCHIVE, **broken)

    assert len(lab.at("github").files(lab.main, lambda _: True)) == 3


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("*/git/ref/*", {"message": "later"}, Unreachable),
        ("*/git/ref/*", ["odd"], Unreachable),
        ("*/git/ref/*", {"object": {"sha": ""}}, Unreachable),
    ],
)
def test_answers_that_make_no_sense(
    lab: Lab, path: str, body: Any, expected: type[Exception]
) -> None:
    """A 200 that is no answer is no commit."""
    fault(lab, path, times=3, body=body)

    with pytest.raises(expected, match="makes no sense"):
        lab.at("github").head("main")


def test_an_archive_that_is_none(lab: Lab) -> None:
    """A page with status 200 is not an empty commit."""
    fault(lab, ARCHIVE, body="<html>sign in</html>")

    with pytest.raises(UnfitError):
        lab.at("github").files(lab.main, lambda _: True)


def test_a_spent_limit(lab: Lab) -> None:
    """GitHub's 403 with nothing left is not a matter of rights."""
    lab.host.gate.limit = 0
    try:
        with pytest.raises(Throttled):
            lab.at("github").head("main")
    finally:
        lab.host.gate.limit = 5000


@pytest.mark.parametrize(
    ("url", "elsewhere", "sent"),
    [
        ("", "", "Bearer ours"),
        ("https://git.example.com", "", "Bearer theirs"),
        ("https://else.example.com", "", None),
        ("https://else.example.com", "http://127.0.0.1:9", "Bearer ours"),
    ],
)
@pytest.mark.parametrize("provider", ["gitlab", "bitbucket"])
def test_a_token_goes_to_its_own_host(
    provider: str, url: str, elsewhere: str, sent: str | None
) -> None:
    """A host of one's own is not given what opens the provider's public one, nor the reverse."""
    tokens = {provider: "ours", "https://git.example.com": "theirs"}

    with connect(Repository(provider, "a/b", url=url), tokens, elsewhere) as host:
        assert host.http.headers.get("Authorization") == sent
        assert not url or host.web == (elsewhere or url)


def test_a_host_that_is_not_there() -> None:
    """Nobody listens: said in a sentence, after three tries."""
    with (
        connect(Repository("gitea", "a/b"), {}, "http://127.0.0.1:9") as host,
        pytest.raises(Unreachable, match="ConnectError"),
    ):
        host.head("main")
