"""Webhooks of the five git hosts: who sent it, and what it says, in one form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.webhooks.git import delivery_of, parse, payload_of, takes, verifier
from tailkeeper.webhooks.git.events import PullRequest, Push
from tailkeeper.webhooks.signatures import MissingSignatureError, SignatureError
from tests.support.deliveries import (
    FORM,
    HEAD,
    NEW,
    OLD,
    PUSHES,
    ZEROS,
    delivery,
    document,
    headers_of,
)


if TYPE_CHECKING:
    from collections.abc import Callable

FILES = ("apps/kustomization.yaml", "apps/photos/route.yaml")
PUSHED = "2026-11-22T09:00:00.000Z"
REQUESTS = ("github-pull-request", "gitlab-merge-request", "gitea-pull-request")


def read(name: str, changed: Any = None) -> list[Push | PullRequest]:
    """Return what a delivery of events/ says, with another payload if one is given."""
    payload = document(name) if changed is None else changed
    return parse(delivery_of(headers_of(name)), json.dumps(payload).encode())


def push(name: str, **more: Any) -> Push:
    """Return the one push of a host's file in events/, with fields of its payload changed."""
    (found,) = read(f"{name}-push", document(f"{name}-push") | more)
    assert isinstance(found, Push)
    return found


@pytest.mark.parametrize("host", PUSHES)
def test_a_push_is_the_same_whoever_tells_it(host: str) -> None:
    """Every host's payload becomes the same; Bitbucket tells no files, two hosts no time."""
    provider = host.partition("-")[0]
    name = "ME/homelab" if host == "bitbucket-data-center" else "me/homelab"
    timeless = host in {"gitlab", "bitbucket"}
    files = None if provider == "bitbucket" else FILES

    expected = Push(provider, name, "main", OLD, NEW, "me", at="" if timeless else PUSHED)

    assert push(host) == expected._replace(files=files)


@pytest.mark.parametrize("host", PUSHES[:4])
def test_a_branch_that_comes_or_goes_has_no_list_of_files(host: str) -> None:
    """Zeros stand for what was not there or is no more; a new branch may have no commits."""
    counts = {"commits": [], "total_commits": 0, "total_commits_count": 0}
    created, deleted = push(host, before=ZEROS, **counts), push(host, after=ZEROS, **counts)

    assert (created.created, created.deleted, created.files) == (True, False, None)
    assert push(host, before=ZEROS).files is None, "though its commits are shown"
    assert (deleted.created, deleted.deleted, deleted.files) == (False, True, None)


@pytest.mark.parametrize(
    ("host", "before", "after"),
    [
        ("bitbucket", {"old": None}, {"new": None}),
        ("bitbucket-data-center", {"type": "ADD"}, {"type": "DELETE"}),
    ],
)
def test_bitbucket_says_so_in_words(host: str, before: Any, after: Any) -> None:
    """Cloud by a ref that is null, Data Center by the type of the change."""

    def changed(more: Any) -> Push:
        payload = document(f"{host}-push")
        (payload.get("push") or payload)["changes"][0].update(more)
        (found,) = read(f"{host}-push", payload)
        assert isinstance(found, Push)
        return found

    assert (changed(before).created, changed(before).branch) == (True, "main")
    assert (changed(after).deleted, changed(after).branch) == (True, "main")


def test_bitbucket_tells_several_refs_at_once() -> None:
    """A branch, a tag and a branch that was forced, in one delivery."""
    payload = document("bitbucket-push")
    (change,) = payload["push"]["changes"]
    tag = {**change, "new": {**change["new"], "name": "v1", "type": "tag"}, "old": None}
    payload["push"]["changes"] += [tag, {**change, "forced": True}]

    found = [event for event in read("bitbucket-push", payload) if isinstance(event, Push)]

    assert [(p.branch, p.tag, p.forced) for p in found] == [
        ("main", "", False),
        ("", "v1", False),
        ("main", "", True),
    ]


@pytest.mark.parametrize("host", PUSHES[:4])
@pytest.mark.parametrize(
    ("ref", "branch", "tag"),
    [
        ("refs/heads/main", "main", ""),
        ("refs/heads/feature/refs/heads/main", "feature/refs/heads/main", ""),
        ("refs/tags/main", "", "main"),
        ("refs/notes/main", "", ""),
        ("main", "", ""),
    ],
)
def test_a_tag_is_not_a_branch(host: str, ref: str, branch: str, tag: str) -> None:
    """Even one that is called like the branch."""
    assert (push(host, ref=ref).branch, push(host, ref=ref).tag) == (branch, tag)


def commits(number: int, files: int = 1) -> list[dict[str, Any]]:
    """Return so many commits, the last of them the push's, with so many files each."""
    names = [f"docs/{n}.md" for n in range(files)]
    made = [
        {"id": f"{n:040x}", "added": names, "removed": [], "modified": []} for n in range(number)
    ]
    return [*made[:-1], {**made[-1], "id": NEW}]


def without(**fields: Any) -> list[dict[str, Any]]:
    """Return a commit in whose list something is not as it should be."""
    return [{**commits(1)[0], **fields}]


@pytest.mark.parametrize(
    ("host", "more", "complete"),
    [
        ("github", {"commits": commits(1)}, True),
        ("github", {"commits": commits(2047)}, True),
        ("github", {"commits": commits(2048)}, False),
        ("github", {"commits": commits(1, files=2999)}, True),
        ("github", {"commits": commits(1, files=3000)}, False),
        ("github", {"commits": without(added=["x" * 500_000])}, True),
        ("github", {"commits": without(added=["x" * 500_001])}, False),
        ("github", {"commits": commits(1), "forced": True}, False),
        ("github", {"commits": []}, False),
        ("github", {"commits": None}, False),
        ("github", {"commits": without(id=OLD)}, False),
        ("github", {"commits": without(added=[])}, False),
        ("github", {"commits": without(removed=None)}, False),
        ("github", {"commits": without(modified="docs")}, False),
        ("github", {"commits": without(added=[1])}, False),
        ("github", {"commits": [*commits(1), 1]}, False),
        ("gitlab", {"commits": commits(20), "total_commits_count": 20}, True),
        ("gitlab", {"commits": commits(20), "total_commits_count": 21}, False),
        ("gitlab", {"commits": [], "total_commits_count": 0}, False),
        ("gitlab", {"total_commits_count": None}, False),
        ("gitea", {"commits": commits(5), "total_commits": 5}, True),
        ("gitea", {"commits": commits(5), "total_commits": 6}, False),
        ("gitea", {"total_commits": None}, False),
        ("forgejo", {"commits": commits(5), "total_commits": 6}, False),
    ],
)
def test_a_list_of_files_is_complete_or_none(
    host: str, more: dict[str, Any], *, complete: bool
) -> None:
    """What was cut off, rewritten or not shown may have changed anything."""
    found = push(host, **more)

    assert (found.files is not None) == complete


def test_moved_files_are_named_where_they_were_and_are() -> None:
    """Added, removed and modified, of every commit, each once."""
    moved = {"added": ["apps/b"], "removed": ["apps/a"], "modified": ["apps/b", "c"]}
    assert push("github", commits=[*commits(2), *without(**moved)]).files == (
        "apps/a",
        "apps/b",
        "c",
        "docs/0.md",
    )


def test_the_official_example_of_gitlab_is_not_complete() -> None:
    """It shows two commits of four, with files; Gitea's old one does not say how many there are."""
    two = [{**commits(1)[0], "id": OLD}, *commits(1)]
    assert push("gitlab", commits=two, total_commits_count=4).files is None
    payload = {k: v for k, v in document("gitea-push").items() if k != "total_commits"}
    (found,) = read("gitea-push", payload)
    assert isinstance(found, Push)
    assert found.files is None


@pytest.mark.parametrize("name", [*REQUESTS, "forgejo-pull-request", "bitbucket-pull-request"])
def test_a_request_is_the_same_whoever_tells_it(name: str) -> None:
    """Pull or merge request: which, into what, and its head; Bitbucket shows twelve digits."""
    provider = name.partition("-")[0]
    head = HEAD[:12] if provider == "bitbucket" else HEAD

    assert read(name) == [PullRequest(provider, "me/homelab", "main", 7, head, "me", PUSHED)]


def test_a_request_of_bitbucket_data_center() -> None:
    """Its repository is a project's key and a slug."""
    repository = document("bitbucket-data-center-push")["repository"]
    ends = {
        "fromRef": {"displayId": "photos", "latestCommit": HEAD, "repository": repository},
        "toRef": {"displayId": "main", "latestCommit": OLD, "repository": repository},
    }
    payload = {
        "eventKey": "pr:opened",
        "date": "2026-11-22T10:00:00+0100",
        "actor": {"name": "me"},
        "pullRequest": {"id": 7, "version": 0, "title": "Publish photos", "open": True, **ends},
    }
    headers = headers_of("bitbucket-data-center-push") | {"x-event-key": "pr:from_ref_updated"}

    found = parse(delivery_of(headers), json.dumps(payload).encode())

    assert found == [PullRequest("bitbucket", "ME/homelab", "main", 7, HEAD, "me", PUSHED)]


@pytest.mark.parametrize(
    ("name", "action", "matters"),
    [
        ("github-pull-request", "opened", True),
        ("github-pull-request", "synchronize", True),
        ("github-pull-request", "reopened", True),
        ("github-pull-request", "closed", False),
        ("github-pull-request", "labeled", False),
        ("gitea-pull-request", "synchronized", True),
        ("gitea-pull-request", "edited", False),
        ("gitlab-merge-request", "open", True),
        ("gitlab-merge-request", "reopen", True),
        ("gitlab-merge-request", "update", True),
        ("gitlab-merge-request", "merge", False),
        ("gitlab-merge-request", "approved", False),
    ],
)
def test_a_request_matters_when_there_is_a_commit_to_plan_for(
    name: str, action: str, *, matters: bool
) -> None:
    """Not when it is closed, labelled or approved."""
    payload = document(name)
    (payload.get("object_attributes") or payload)["action"] = action
    assert bool(read(name, payload)) == matters


def test_a_merge_request_without_a_new_commit_does_not_matter() -> None:
    """GitLab says `update` of a new title too; only with `oldrev` was something pushed."""
    payload = document("gitlab-merge-request")
    del payload["object_attributes"]["oldrev"]
    assert read("gitlab-merge-request", payload) == []


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        (
            {"x-github-event": "ping"},
            {"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {}},
        ),
        ({"x-github-event": "push,pull_request"}, document("github-push")),
        ({"x-github-event": "workflow_run"}, {}),
        ({"x-gitea-event": "create"}, {}),
        ({"x-gitlab-event": "Pipeline Hook"}, {"object_kind": "pipeline"}),
        ({"x-event-key": "diagnostics:ping"}, {"test": True}),
        ({"x-event-key": "repo:push"}, {"push": {"changes": []}}),
    ],
)
def test_other_events_say_nothing(headers: dict[str, str], payload: Any) -> None:
    """Pings among them: they are acknowledged, and that is all."""
    assert parse(delivery_of(headers), json.dumps(payload).encode()) == []


@pytest.mark.parametrize(
    ("headers", "provider", "event", "id_"),
    [
        (headers_of("github-push"), "github", "push", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        (headers_of("gitlab-push"), "gitlab", "Push Hook", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"),
        (headers_of("gitea-push"), "gitea", "push", "f6266f16-1bf3-46a5-9ea4-602e06ead473"),
        (headers_of("forgejo-push"), "forgejo", "push", "f6266f16-1bf3-46a5-9ea4-602e06ead473"),
        (
            headers_of("bitbucket-push"),
            "bitbucket",
            "repo:push",
            "8c1b6f0e-55c8-4f0a-a8e2-9d0f1a2b3c4d",
        ),
        ({"x-github-event": "push"}, "github", "push", ""),
        ({"x-event-key": "x", "x-request-id": "x" * 8000}, "bitbucket", "x", "x" * 100),
    ],
)
def test_senders_are_told_apart_by_their_own_headers(
    headers: dict[str, str], provider: str, event: str, id_: str
) -> None:
    """Gitea and Forgejo send GitHub's too, so theirs count first."""
    assert delivery_of(headers) == (provider, event, id_)


def test_who_is_nobody_proves_nothing() -> None:
    """Without a host's header there is nothing to check, and so nothing that holds."""
    with pytest.raises(MissingSignatureError):
        delivery_of({"content-type": "application/json", "x-hub-signature-256": "sha256=00"})


def test_content_types() -> None:
    """JSON from all; forms from those that offer them."""
    assert [takes(host, "application/json; charset=utf-8") for host in ("github", "gitlab")] == [
        True,
        True,
    ]
    assert [
        takes(host, FORM) for host in ("github", "gitea", "forgejo", "gitlab", "bitbucket")
    ] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert not takes("github", "text/plain")
    assert not takes("github", "")


@given(st.binary(max_size=200))
def test_a_form_carries_the_very_bytes(body: bytes) -> None:
    """Blanks, ampersands, equals signs and whatever is no UTF-8."""
    quoted = "".join(f"%{byte:02X}" for byte in body).replace("%20", "+").encode()
    assert payload_of(FORM, b"a=b&payload=" + quoted + b"&payload=second") == body
    assert payload_of("application/json", body) == body
    assert payload_of(FORM, b"other=1") == b""


def verify_as(provider: str, headers: dict[str, str], secret: str) -> bool:
    """Return whether a provider's check of these headers holds for a body of `{}`."""
    try:
        verifier(provider, headers, b"{}", b"{}", now=0)([secret])
    except SignatureError:
        return False
    return True


def test_a_signature_counts_in_its_host_s_own_header_only() -> None:
    """What another host would have sent proves nothing here, though the digest is right."""
    signed = {name: delivery(f"{name}-push", b"{}")["headers"] for name in PUSHES[:5]}

    assert all(
        verify_as(name, headers, "git-secret-of-the-tests") for name, headers in signed.items()
    )
    hub_only = {"x-hub-signature-256": signed["github"]["x-hub-signature-256"]}
    for provider in ("gitea", "forgejo", "gitlab", "bitbucket"):
        assert not verify_as(provider, hub_only, "git-secret-of-the-tests")


def drop(payload: Any, *path: str) -> Any:
    """Return a payload without one of its parts."""
    *around, last = path
    part = payload
    for key in around:
        part = part[key]
    del part[last]
    return payload


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("github-push", lambda p: drop(p, "after")),
        ("github-push", lambda p: drop(p, "repository")),
        ("github-push", lambda p: p | {"before": "main"}),
        ("github-push", lambda p: p | {"after": ["x"]}),
        ("github-push", lambda p: p | {"ref": 1}),
        ("github-push", lambda p: p | {"repository": {"full_name": "me/home lab"}}),
        ("github-push", lambda p: p | {"repository": {"full_name": "me/homelab\nX-Evil: 1"}}),
        ("github-push", lambda p: p | {"pusher": {"name": 5}}),
        ("github-push", lambda _: [1]),
        ("github-pull-request", lambda p: p | {"number": "7"}),
        ("github-pull-request", lambda p: p | {"number": True}),
        ("github-pull-request", lambda p: drop(p, "pull_request", "head", "sha")),
        ("gitlab-push", lambda p: drop(p, "project")),
        ("gitlab-merge-request", lambda p: drop(p, "object_attributes", "last_commit")),
        ("gitea-push", lambda p: drop(p, "before")),
        ("bitbucket-push", lambda p: drop(p, "push")),
        ("bitbucket-push", lambda p: p | {"push": {"changes": [1]}}),
        ("bitbucket-push", lambda p: p | {"push": {"changes": [{"new": "main"}]}}),
        ("bitbucket-data-center-push", lambda p: drop(p, "repository", "slug")),
        ("bitbucket-data-center-push", lambda p: drop(p, "changes")),
    ],
)
def test_poison_is_a_value_error(name: str, change: Callable[[Any], Any]) -> None:
    """Whatever a signed body leaves out or has instead, nothing but ValueError comes of it."""
    with pytest.raises(
        ValueError, match=r"not (text|one word|the hash|a list|an object)|is not a number"
    ):
        read(name, change(document(name)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(NEW),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.sampled_from([*(f"{host}-push" for host in PUSHES), *REQUESTS]), st.data())
def test_no_shape_is_worse_than_poison(name: str, data: st.DataObject) -> None:
    """Any part of a real payload may be anything: it is read, or a ValueError."""
    payload = document(name)
    part = payload
    while True:
        key = data.draw(st.sampled_from(sorted(part)))
        below = part[key][0] if isinstance(part[key], list) and part[key] else part[key]
        if not isinstance(below, dict) or not below or data.draw(st.booleans()):
            break
        part = below
    part[key] = data.draw(JSON)

    try:
        events = read(name, payload)
    except ValueError:
        return
    for event in events:
        assert len(event.what.split()) <= 2 or " " in event.branch
        json.dumps([event, event.content_id])


def test_what_is_said_is_identified_not_who_says_it() -> None:
    """The same push under another delivery id is the same; pushed back and again, another one."""
    first = push("github")

    assert push("github", compare="elsewhere").content_id == first.content_id
    later = {**document("github-push")["repository"], "pushed_at": 1_795_338_060}
    others = [
        push("github", before=NEW, after=OLD),
        push("github", ref="refs/tags/main"),
        push("github", repository=later),
        push("gitea"),
    ]
    assert len({first.content_id, *(other.content_id for other in others)}) == 5
