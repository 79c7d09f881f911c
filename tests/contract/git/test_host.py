"""The git host, driven by the real git and by plain HTTP: what it serves, refuses and tells."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.git.commands import GitError
from tests.support.repositories import Clone, admin, clone_url


if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.git import GitHost
    from tests.contract.git.conftest import Hosted

TOKEN = {"Authorization": "Bearer token"}
BASIC = ("x-token-auth", "token")
ARCHIVES = {
    "github": "/repos/github/lab/tarball/{sha}",
    "gitlab": "/api/v4/projects/gitlab%2Flab/repository/archive.tar.gz?sha={sha}",
    "gitea": "/api/v1/repos/gitea/lab/archive/{sha}.tar.gz",
    "forgejo": "/api/v1/repos/forgejo/lab/archive/{sha}.tar.gz",
    "bitbucket": "/bitbucket/lab/get/{sha}.tar.gz",
}
STATUSES = {
    "github": ("/repos/github/lab/statuses/{sha}", {"state": "pending", "context": "x"}),
    "gitlab": ("/api/v4/projects/gitlab%2Flab/statuses/{sha}?state=pending&name=x", None),
    "gitea": ("/api/v1/repos/gitea/lab/statuses/{sha}", {"state": "warning", "context": "x"}),
    "bitbucket": (
        "/2.0/repositories/bitbucket/lab/commit/{sha}/statuses/build",
        {"state": "INPROGRESS", "key": "x", "url": "https://example.com"},
    ),
}


def get(host: GitHost, path: str, **more: Any) -> httpx.Response:
    """Ask with the token."""
    return httpx.get(host.base_url + path, headers=TOKEN, **more)


@pytest.mark.parametrize("provider", ARCHIVES)
def test_an_archive_holds_the_commit(hosted: Hosted, provider: str) -> None:
    """One folder of the host's own, and in it the files as they were committed."""
    path = ARCHIVES[provider].format(sha=hosted.main)
    asked = {"auth": BASIC} if provider == "bitbucket" else {}

    answer = get(hosted.host, path, follow_redirects=True, **asked)

    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
        files = [member.name.partition("/")[2] for member in archive if member.isfile()]
    assert files == ["apps/a.yaml", "apps/b.yaml"]


def test_github_sends_archives_from_elsewhere(hosted: Hosted) -> None:
    """A redirect to another origin with a ticket that is good once; no token is wanted there."""
    answer = get(hosted.host, f"/repos/github/lab/zipball/{hosted.main}")
    place = answer.headers["location"]

    first, second = httpx.get(place), httpx.get(place)

    assert (answer.status_code, place.startswith(hosted.host.base_url)) == (302, False)
    assert zipfile.ZipFile(io.BytesIO(first.content)).testzip() is None
    assert second.status_code == 404
    before = hosted.host.dump()["leaked"]
    httpx.get(place, headers=TOKEN)
    assert hosted.host.dump()["leaked"] == before + 1


@pytest.mark.parametrize("provider", ARCHIVES)
@pytest.mark.parametrize(("token", "status"), [("", 404), ("wrong", 401), ("other", 404)])
def test_who_may_not_see_it_is_told_nothing(
    hosted: Hosted, provider: str, token: str, status: int
) -> None:
    """Nobody, a token that is none, and one for another repository."""
    if token == "other":
        admin(hosted.host, "/tokens", {"value": "other", "repositories": ["else/where"]})
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    answer = httpx.get(
        hosted.host.base_url + ARCHIVES[provider].format(sha="main"), headers=headers
    )

    assert answer.status_code == status


@pytest.mark.parametrize("provider", STATUSES)
def test_statuses(hosted: Hosted, provider: str) -> None:
    """Kept by commit; a word that the host does not know, and a reader's token, are refused."""
    sha, (path, body) = hosted.main, STATUSES[provider]
    url = hosted.host.base_url + path.format(sha=sha)
    admin(hosted.host, "/tokens", {"value": f"reader-{provider}", "rights": ["contents"]})
    reader = {"Authorization": f"Bearer reader-{provider}"}
    wrong = {**body, "state": "great"} if body else None

    assert httpx.post(url, json=body, headers=reader).status_code == 403
    assert httpx.post(url.replace("pending", "great"), json=wrong, headers=TOKEN).is_client_error
    assert httpx.post(url, json=body, headers=TOKEN).status_code == 201
    assert hosted.host.dump()["statuses"][f"{provider}/lab {sha}"][-1]["context"] == "x"


def test_requests_are_counted(hosted: Hosted) -> None:
    """As GitHub says it, and no more than there are."""
    host = hosted.host
    path = "/repos/github/lab/git/ref/heads/main"
    first, second = get(host, path), get(host, path)
    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in (first, second)]
    host.gate.limit = 1
    over = get(host, path)
    host.gate.limit = 5000

    assert left[0] - left[1] == 1
    assert (over.status_code, over.headers["x-ratelimit-remaining"]) == (403, "0")


def test_git_needs_the_token(hosted: Hosted, tmp_path: Path) -> None:
    """Neither reading nor writing goes without."""
    url = f"{hosted.host.base_url}/github/lab.git"

    with pytest.raises(GitError):
        Clone.of(url, tmp_path / "no")


def signed(provider: str, headers: dict[str, str], body: bytes) -> bool:
    """Say whether a delivery is signed as the provider documents it."""
    hexed = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    expected = {
        "github": ("x-hub-signature-256", f"sha256={hexed}"),
        "gitlab": ("x-gitlab-token", "s3cret"),
        "gitea": ("x-gitea-signature", hexed),
        "forgejo": ("x-forgejo-signature", hexed),
        "bitbucket": ("x-hub-signature", f"sha256={hexed}"),
    }
    name, value = expected[provider]
    return headers.get(name) == value


@pytest.mark.parametrize("provider", ARCHIVES)
def test_pushes_and_pull_requests_are_told(hosted: Hosted, provider: str) -> None:
    """A real push, and a request for a branch: signed, once each, with the right commits."""
    name, taken = f"{provider}/lab", hosted.taker.taken
    hook = {"repository": name, "url": f"{hosted.taker.base_url}/{provider}", "secret": "s3cret"}
    admin(hosted.host, "/hooks", hook)
    before = hosted.main
    taken.clear()

    after = hosted.clone.commit({"README": provider}, branch="more", remotes=[provider])
    admin(hosted.host, "/pulls", {"repository": name, "head": "more"})
    wait_for(hosted, 2)

    (headers, body), (_, request) = sorted(taken, key=lambda one: b"README" not in one[1])[:2]
    if provider == "bitbucket":
        (headers, body), (_, request) = sorted(taken, key=lambda one: b'"push"' not in one[1])[:2]
    assert all(signed(provider, *one) for one in taken)
    assert after in body.decode()
    assert after[:12] in request.decode()
    assert before not in json.loads(body).get("after", "")
    assert headers["content-type"] == "application/json"


def wait_for(hosted: Hosted, count: int) -> None:
    """Wait until so many webhooks were delivered, as the host notes it."""
    for _ in range(1000):
        if len(hosted.taker.taken) >= count:
            return
        httpx.get(hosted.host.admin_url + "/state")
    raise AssertionError(f"{len(hosted.taker.taken)} of {count} webhooks came")


def test_github_delivers_once_and_again_when_asked(hosted: Hosted) -> None:
    """A failed delivery stays failed until somebody asks for it; then it has the same guid."""
    hosted.taker.status, name = 503, "github/lab"
    url = f"{hosted.taker.base_url}/once"
    hook = admin(hosted.host, "/hooks", {"repository": name, "url": url, "secret": "s"})["id"]
    hosted.taker.taken.clear()
    admin(hosted.host, "/push", {"repository": name})
    path = f"/repos/{name}/hooks/{hook}/deliveries"
    wait_for(hosted, 1)
    (failed,) = settled(hosted, path, 1)
    hosted.taker.status = 202

    asked = httpx.post(f"{hosted.host.base_url}{path}/{failed['id']}/attempts", headers=TOKEN)

    assert asked.status_code == 202
    again, first = settled(hosted, path, 2)
    assert (first["status_code"], again["status_code"]) == (503, 202)
    assert (first["guid"], first["redelivery"]) == (again["guid"], not again["redelivery"])
    assert first["id"] != again["id"]


def settled(hosted: Hosted, path: str, count: int) -> list[dict[str, Any]]:
    """Return the deliveries of a hook once there are so many."""
    for _ in range(1000):
        found: list[dict[str, Any]] = get(hosted.host, path).json()
        if len(found) >= count:
            return found
    raise AssertionError(f"{len(found)} of {count} deliveries")


def test_a_restart_keeps_everything(hosted: Hosted, tmp_path: Path) -> None:
    """Repositories are on disk, and what the host knows besides goes into its file."""
    state = hosted.host.saved()

    hosted.host.load(json.loads(json.dumps(state)))

    assert hosted.host.saved() == state
    assert "token" not in {token.get("value") for token in hosted.host.dump()["tokens"]}
    Clone.of(clone_url(hosted.host, "github/lab"), tmp_path / "again")
