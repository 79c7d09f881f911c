"""The git receiver: who may speak, what is handed over, and that nothing is lost or done twice."""

from __future__ import annotations

import json
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions import receive_git_webhook as receiver
from tests.support.deliveries import (
    HEAD,
    HOMELAB,
    NEW,
    OLD,
    PUSHES,
    SECRET,
    delivery,
    document,
    standard_signature,
    watching,
)
from tests.support.fresh import answered
from tests.support.handlers import set_config, set_secret


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
ACCEPTED = (202, {"accepted": 1, "ignored": 0})
IGNORED = (202, {"accepted": 0, "ignored": 1})
REQUESTS = (
    "github-pull-request",
    "gitlab-merge-request",
    "gitea-pull-request",
    "bitbucket-pull-request",
)


@pytest.fixture(autouse=True)
def _listening(line: Line) -> Iterator[None]:
    """Start a receiver that knows one secret and a repository of each host."""
    set_secret("WEBHOOK_SECRETS", {"git": SECRET})
    set_config(watching("github", "gitlab", "gitea", "bitbucket"))
    forget()
    line.calls.clear()
    yield
    forget()


def forget() -> None:
    """Let the next request find a fresh process."""
    for cached in (receiver.inbox, receiver.secrets, receiver.watched):
        cached.cache_clear()


def answer(event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return status and answer of the receiver."""
    made = receiver.handler(event, None)
    return made["statusCode"], json.loads(made["body"])


def post(name: str = "github-push", payload: Any = None, **how: Any) -> tuple[int, dict[str, Any]]:
    """Deliver a file of events/, or another payload from the same host."""
    return answer(delivery(name, payload, **how))


def put(line: Line) -> list[tuple[str, dict[str, Any]]]:
    """Return what went to the bus: sources and details."""
    entries = [e for name, given in line.calls if name == "PutEvents" for e in given["Entries"]]
    return [(entry["Source"], json.loads(entry["Detail"])) for entry in entries]


def pushed(number: int, file: str = "apps/x.yaml") -> dict[str, Any]:
    """Return the payload of another push of GitHub's, with one file."""
    after = f"{number + 1:040x}"
    commit = {**document("github-push")["commits"][0], "id": after, "added": [file], "modified": []}
    repository = {**document("github-push")["repository"], "pushed_at": 1_700_000_000 + number}
    moved = {"after": after, "commits": [commit], "repository": repository}
    return document("github-push") | moved


@pytest.mark.parametrize("host", PUSHES[:5])
def test_a_push_becomes_a_cause(line: Line, host: str) -> None:
    """Of every host: claimed, on the bus, seen, and then acknowledged."""
    set_config(watching(host))
    line.calls.clear()
    assert post(f"{host}-push") == ACCEPTED

    assert line.operations == [
        *["GetSecretValue"] * 3,
        "GetParameter",
        "PutItem",
        "PutEvents",
        "PutItem",
    ]
    ((source, detail),) = put(line)
    (cause,) = detail["causes"]
    assert (source, list(detail)) == ("tailkeeper.git", ["causes"])
    assert cause["ref"] == f"{host} me/homelab main {NEW} {OLD}"
    assert (cause["kind"], cause["by"]) == ("git", "me")
    assert cause["id"].startswith(f"{host}:")
    if host not in {"gitlab", "bitbucket"}:
        assert cause["at"] == "2026-11-22T09:00:00.000Z"


def test_a_push_of_bitbucket_data_center_becomes_a_cause(line: Line) -> None:
    """Whatever case the configuration writes the project's key in."""
    assert post("bitbucket-data-center-push") == ACCEPTED
    ((_, detail),) = put(line)
    assert detail["causes"][0]["ref"] == f"bitbucket me/homelab main {NEW} {OLD}"


@pytest.mark.parametrize("name", REQUESTS)
def test_a_pull_request_becomes_a_dry_run(line: Line, name: str) -> None:
    """It is told once for each head, and nothing may be written for it."""
    host = name.partition("-")[0]
    head = HEAD[:12] if host == "bitbucket" else HEAD
    assert [post(name), post(name, secret=SECRET)] == [ACCEPTED, IGNORED]

    ((source, detail),) = put(line)
    (cause,) = detail["causes"]
    assert (source, detail["dry_run"]) == ("tailkeeper.git", True)
    assert cause["ref"] == f"{host} me/homelab pull/7 {head}"


def test_a_delivery_s_id_decides_nothing(line: Line) -> None:
    """No host signs it: two pushes under one id are two, whatever stands in the header."""
    for number, id_ in enumerate(["same", "same", 'x"\r\nX-Evil: 1', "x" * 8000, ""]):
        payload = pushed(7) | {"before": f"{number + 1:040x}"}
        assert post(payload=payload, headers={"x-github-delivery": id_}) == ACCEPTED

    causes = [detail["causes"][0] for _, detail in put(line)]
    assert len({f"{cause['at']}#{cause['id']}" for cause in causes}) == 5
    assert {len(cause["id"]) for cause in causes} == {len("github:") + 64}


@pytest.mark.parametrize("host", ["github", "gitea"])
def test_forms(host: str) -> None:
    """GitHub signs the form as it is sent, Gitea the JSON in it."""
    assert post(f"{host}-push", form=True) == ACCEPTED
    assert post(f"{host}-push", form=True, encoded=True) == IGNORED
    other = {"x-hub-signature-256": "sha256=" + "0" * 64, "x-gitea-signature": "0" * 64}
    assert post(f"{host}-push", form=True, headers=other)[0] == 401


def test_only_the_holder_of_the_secret_is_heard(line: Line) -> None:
    """A refused request does nothing at all: no mark, no event, no poison."""
    line.calls.clear()
    for host, secret in product(PUSHES, ["guess", SECRET + "x", SECRET[:-1]]):
        assert post(f"{host}-push", secret=secret)[0] == 401, (host, secret)
        assert post(f"{host}-push", b"{", secret=secret)[0] == 401, (host, secret)
    assert set(line.operations) == {"GetSecretValue"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-hub-signature-256": ""}, 401),
        ({"x-hub-signature-256": "sha1=00"}, 401),
        ({"x-github-event": ""}, 401),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": ""}, 415),
    ],
)
def test_what_is_not_a_delivery(line: Line, headers: dict[str, str], status: int) -> None:
    """Without headers that could prove anything, not even a secret is read."""
    assert post(headers=headers)[0] == status
    assert not line.calls


def test_a_content_type_may_say_more() -> None:
    """Its parameters do not matter; a form without a payload is poison, not a refusal."""
    for kind in ("application/json; charset=utf-8", "application/x-www-form-urlencoded"):
        assert post(headers={"content-type": kind})[0] == 202


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_may_have_four_mebibytes(line: Line, *, encoded: bool) -> None:
    """One byte more is not even verified."""
    text = json.dumps(document("github-push")).encode()
    assert post(payload=text.ljust(4 * MIB + 1), encoded=encoded)[0] == 413
    assert not line.calls
    assert post(payload=text.ljust(4 * MIB), encoded=encoded) == ACCEPTED


def test_each_host_has_its_own_secrets(line: Line) -> None:
    """Who holds GitHub's cannot speak for Gitea, though Gitea sends GitHub's headers too."""
    set_secret("WEBHOOK_SECRETS", {"github": ["old", "new"], "gitea": "tea"})
    set_secret("WEBHOOK_SECRETS", {"github": ["old", "new"], "gitea": "tea"})

    assert [post(secret=each)[0] for each in ("old", "new", "tea")] == [202, 202, 401]
    assert [post("gitea-push", secret=each)[0] for each in ("tea", "new")] == [202, 401]
    claimed = delivery("gitea-push", secret="tea")
    claimed["headers"] |= delivery("github-push", document("gitea-push"), secret="new")["headers"]
    claimed["headers"]["x-gitea-signature"] = "0" * 64
    assert answer(claimed)[0] == 401


def test_gitlab_signs_or_sends_a_token(line: Line) -> None:
    """Where there is a signature it decides: with a stolen token nobody gets past it."""
    body, now = json.dumps(document("gitlab-push")).encode(), int(time.time())
    good = standard_signature(SECRET.encode(), body, at=now)
    bad = standard_signature(b"guess", body, at=now)
    late = standard_signature(SECRET.encode(), body, at=now - 400)

    assert post("gitlab-push", body, headers={**good, "x-gitlab-token": ""}) == ACCEPTED
    assert post("gitlab-push", body, headers={**good, "x-gitlab-token": "guess"}) == IGNORED
    assert post("gitlab-push", body, headers=bad)[0] == 401
    assert post("gitlab-push", body, headers=late)[0] == 401
    assert post("gitlab-push", body, headers={"webhook-signature": "v2,x"})[0] == 401
    same = {"idempotency-key": good["webhook-id"]}
    assert post("gitlab-push", body, headers=same) == IGNORED, "seen, by its token alone"


def test_a_rotated_secret_is_read_again_when_its_signature_comes(line: Line) -> None:
    """No delivery is lost to a rotation; yet a flood of wrong signatures reads nothing."""
    assert post(payload=pushed(1))[0] == 202
    set_secret("WEBHOOK_SECRETS", {"git": "newer"})

    assert post(payload=pushed(2), secret="newer")[0] == 401, "read just now"
    receiver.secrets("github")._read_at -= 11
    assert post(payload=pushed(3), secret="newer")[0] == 202
    assert post(payload=pushed(4))[0] == 202, "the former one is still good"
    assert line.operations.count("GetSecretValue") == 6


def test_a_new_repository_is_found_when_it_pushes(line: Line, aws: Stack) -> None:
    """The configuration is not read for each request, but again for one that is not in it."""
    set_config({"repositories": []})
    assert [post(), post()] == [IGNORED, IGNORED]
    set_config(watching("github"))
    receiver.watched()._read_at -= 11

    assert post() == ACCEPTED, "nothing was marked while it was unknown"
    assert [post(payload=pushed(n)) for n in range(3)] == [ACCEPTED] * 3
    assert line.operations.count("GetParameter") == 2


def test_what_cannot_matter_stops_here(line: Line) -> None:
    """Another branch, a tag, a deletion, a stranger, a file that is not watched: no mark even."""
    line.calls.clear()
    for change in (
        {"ref": "refs/heads/feature"},
        {"ref": "refs/tags/main"},
        {"after": "0" * 40, "deleted": True, "commits": [], "head_commit": None},
        {"repository": {"full_name": "you/homelab"}},
        {"commits": [{"id": NEW, "added": ["README.md"], "removed": [], "modified": []}]},
    ):
        assert post(payload=document("github-push") | change) == IGNORED, change
    assert set(line.operations) == {"GetSecretValue", "GetParameter"}


def test_what_may_have_changed_everything_starts_a_run() -> None:
    """Forced, new, or shown in part: the list of files says nothing then."""
    readme: dict[str, Any] = {"added": ["README.md"], "removed": [], "modified": []}
    changes: list[dict[str, Any]] = [
        {"forced": True, "commits": [{**readme, "id": f"{1:040x}"}]},
        {"before": "0" * 40, "created": True, "commits": []},
        {"commits": [{**readme, "id": OLD}]},
    ]
    for number, change in enumerate(changes):
        assert post(payload=pushed(number) | change) == ACCEPTED, change


def test_a_ping_is_acknowledged(line: Line) -> None:
    """What a host sends when the hook is made; nothing is read for it but the secret."""
    line.calls.clear()
    ping = {"zen": "Design for failure.", "hook_id": 1, "hook": {"type": "Repository"}}
    assert post(payload=ping, headers={"x-github-event": "ping"}) == IGNORED
    assert set(line.operations) == {"GetSecretValue"}


def test_several_branches_in_one_delivery(line: Line) -> None:
    """One is watched, one is not, one stands twice: counted each, handed over once."""
    payload = document("bitbucket-push")
    (change,) = payload["push"]["changes"]
    other = {**change, "new": {**change["new"], "name": "other"}}
    set_config(
        {
            "repositories": [
                {**HOMELAB, "provider": "bitbucket", "branch": b} for b in ("main", "other")
            ]
        }
    )
    payload["push"]["changes"] += [other, change, {**other, "new": {**change["new"], "name": "x"}}]

    assert post("bitbucket-push", payload) == (202, {"accepted": 2, "ignored": 2})

    ((_, detail),) = put(line)
    assert [cause["ref"].split()[2] for cause in detail["causes"]] == ["main", "other"]
    assert len({cause["id"] for cause in detail["causes"]}) == 2


def test_the_same_push_is_handed_over_once(line: Line) -> None:
    """Sent again, by a fresh process, under another (unsigned) id, or by a second hook."""
    assert post() == ACCEPTED
    forget()
    assert post() == IGNORED
    assert post(headers={"x-github-delivery": "another"}) == IGNORED
    assert post(headers={"x-github-delivery": ""}, encoded=True) == IGNORED
    assert len(put(line)) == 1


def test_pushed_back_and_again_is_three_pushes(line: Line) -> None:
    """The same commit may be pushed twice in a day: the host's time tells it from a replay."""
    for number, (before, after) in enumerate([(OLD, NEW), (NEW, OLD), (OLD, NEW)]):
        moved = {"before": before, "after": after, "forced": True}
        assert post(payload=pushed(number) | moved) == ACCEPTED
    assert len(put(line)) == 3


def test_gitlab_tells_no_time_but_each_delivery_has_its_id(line: Line) -> None:
    """Pushed back and again is three pushes there too; a retry, which keeps the id, is none."""
    set_config(watching("gitlab"))
    for number, (before, after) in enumerate([(OLD, NEW), (NEW, OLD), (OLD, NEW)]):
        payload = document("gitlab-push") | {"before": before, "after": after}
        id_ = {"idempotency-key": str(number)}
        assert post("gitlab-push", payload, headers=id_) == ACCEPTED
        assert post("gitlab-push", payload, headers=id_) == IGNORED
    body = json.dumps(document("gitlab-push") | {"before": HEAD}).encode()
    signed = standard_signature(SECRET.encode(), body, at=int(time.time()))
    for unsigned, expected in (("a", ACCEPTED), ("b", IGNORED)):
        headers = {**signed, "idempotency-key": unsigned}
        assert post("gitlab-push", body, headers=headers) == expected
    assert len(put(line)) == 4


def test_deliveries_in_another_order_are_put_right_by_their_time(line: Line) -> None:
    """Waiting causes are read by `at`: the commit that was pushed last is the last."""
    for number in (2, 3, 1):
        post(payload=pushed(number))
    causes = [detail["causes"][0] for _, detail in put(line)]
    assert [c["ref"].split()[3][-1] for c in sorted(causes, key=lambda c: c["at"])] == [
        "2",
        "3",
        "4",
    ]


def test_no_push_is_of_tomorrow(line: Line) -> None:
    """A host whose clock is ahead does not make its push the newest for ever."""
    ahead = {**document("github-push")["repository"], "pushed_at": int(time.time()) + 86_400}
    post(payload=document("github-push") | {"repository": ahead})
    ((_, detail),) = put(line)
    assert detail["causes"][0]["at"] < time.strftime(
        "%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)
    )


def test_poison_is_kept_and_acknowledged(line: Line, aws: Stack) -> None:
    """A repeat would not help: 202, and the text is there to be inspected."""
    bodies = [
        b"{",
        b"[1]",
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"ref": "refs/heads/main", "ref": "refs/heads/other"}',
        json.dumps({"ref": "\ud800"}).encode(),
        json.dumps({**document("github-push"), "after": "HEAD; rm -rf /"}).encode(),
    ]
    for body in bodies:
        assert post(payload=body, encoded=True) == IGNORED, body[:80]
    kept = aws.table.query("poison")
    assert {item["text"] for item in kept} == {body.decode(errors="replace") for body in bodies}
    assert all("#github#" in item["sk"] for item in kept)
    assert not put(line)


def test_no_depth_is_more_than_poison() -> None:
    """At the edge of what Python recurses into, too."""
    for depth in (*range(900, 1000, 9), 5_000):
        body = json.dumps(document("github-push"))[:-1] + ',"x":' + "[" * depth + "]" * depth + "}"
        assert post(payload=body.encode())[0] == 202


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("PutEvents", {"status": 400, "body": {"__type": "AccessDeniedException"}}),
        ("PutEvents", {"cut": "before", "times": 3}),
        ("PutEvents", {"body": {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "x"}]}}),
        ("PutItem", {"status": 500, "times": 3}),
        ("GetParameter", {"status": 400, "body": {"__type": "ThrottlingException"}, "times": 3}),
        ("GetSecretValue", {"status": 400, "body": {"__type": "AccessDeniedException"}}),
    ],
)
def test_a_delivery_asked_for_again_after_a_loss_gets_through(
    line: Line, operation: str, fault: dict[str, Any]
) -> None:
    """503; and the same delivery, under the same id, is not taken for a duplicate."""
    line.fail(operation, **fault)

    assert post()[0] == 503
    assert post() == ACCEPTED
    assert len(put(line)) >= 1


def test_a_receiver_that_died_with_a_delivery_has_not_acknowledged_it(line: Line) -> None:
    """Within its minute the repeat is refused, not swallowed: GitHub asks nobody twice."""
    post(payload=pushed(1))
    ((mark, _),) = [(g["Item"]["pk"]["S"], g) for n, g in line.calls if n == "PutItem"][:1]
    receiver.inbox()._mark(mark.removeprefix("event#"), 60, claimant="dead")

    assert post(payload=pushed(1))[0] == 503
    receiver.inbox()._mark(mark.removeprefix("event#"), 0, claimant="dead")
    assert post(payload=pushed(1)) == ACCEPTED


def test_the_process_is_light_and_its_log_is_clean(line: Line, tmp_path: Path) -> None:
    """From a fresh interpreter to 202: nothing heavy, and no body or secret in the log."""
    payload = document("github-push") | {"compare": "do-not-log"}
    asked = [
        delivery("github-push", payload, secret="guess"),
        delivery("github-push", payload),
        delivery("gitlab-push", payload | {"object_kind": "push"}),
        delivery("github-push", payload | {"ref": "refs/heads/other"}),
    ]
    statuses, modules, said = answered("receive_git_webhook", asked, tmp_path)

    assert statuses == [401, 202, 202, 202]
    heavy = {"kubernetes", "cloudflare", "httpx", "boto3", "dns", "yaml", "asyncio", "pydantic"}
    assert not (heavy | {"tailkeeper.config"}) & modules
    for word in ('"status":401', '"accepted":1', "poison", "not a branch that is watched"):
        assert word in said
    assert not [word for word in (SECRET, "do-not-log", "guess") if word in said]
