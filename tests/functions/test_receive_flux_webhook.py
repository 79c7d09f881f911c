"""The Flux receiver: the cluster has applied a commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions import receive_flux_webhook as receiver
from tests.support.deliveries import NEW, SECRET, delivery, document
from tests.support.handlers import set_secret


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

ACCEPTED = (202, {"accepted": 1, "ignored": 0})
IGNORED = (202, {"accepted": 0, "ignored": 1})


@pytest.fixture(autouse=True)
def _listening(line: Line) -> Iterator[None]:
    """Start a receiver that knows one secret, and one of the git hosts that is not for it."""
    set_secret("WEBHOOK_SECRETS", {"flux": SECRET, "git": "of the git hosts"})
    receiver.inbox.cache_clear()
    receiver.secrets.cache_clear()
    line.calls.clear()
    yield
    receiver.inbox.cache_clear()
    receiver.secrets.cache_clear()


def post(payload: Any = None, **how: Any) -> tuple[int, dict[str, Any]]:
    """Deliver the file of events/, or another payload."""
    made = receiver.handler(delivery("flux-applied", payload, **how), None)
    return made["statusCode"], json.loads(made["body"])


def test_what_was_applied_becomes_a_cause_once(line: Line) -> None:
    """Flux repeats what is not answered; the same event is the same cause."""
    assert [post(), post()] == [ACCEPTED, IGNORED]

    ((_, given),) = [call for call in line.calls if call[0] == "PutEvents"]
    (entry,) = given["Entries"]
    detail = json.loads(entry["Detail"])
    (cause,) = detail["causes"]
    assert (entry["Source"], list(detail)) == ("tailkeeper.flux", ["causes"])
    assert cause == {
        "kind": "flux",
        "id": cause["id"],
        "at": "2026-11-22T09:00:30.000Z",
        "by": "kustomize-controller",
        "ref": f"Kustomization/flux-system/apps main@sha1:{NEW}",
    }


def test_what_is_refused_does_nothing(line: Line) -> None:
    """No mark, no event, no poison."""
    refused: list[tuple[dict[str, Any], int]] = [
        ({"secret": "of the git hosts"}, 401),
        ({"headers": {"x-signature": ""}}, 401),
        ({"headers": {"x-signature": "0" * 64}}, 401),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"payload": b" " * (1024 * 1024 + 1)}, 413),
    ]
    assert [post(**how)[0] for how, _ in refused] == [status for _, status in refused]
    assert set(line.operations) == {"GetSecretValue"}


def test_a_failure_of_flux_starts_nothing(line: Line) -> None:
    """Nothing was applied: there is nothing new to look at."""
    failed = document("flux-applied") | {"severity": "error", "reason": "ValidationFailed"}
    assert post(failed) == IGNORED
    assert set(line.operations) == {"GetSecretValue"}


def test_poison_is_kept_and_acknowledged(aws: Stack) -> None:
    """A repeat would not help: 202, and the text is there to be inspected."""
    bodies = [b"{", b"[" * 10_000, b'{"severity": 1, "severity": 2}', b"\xff"]
    assert [post(body, encoded=True) for body in bodies] == [IGNORED] * 4
    kept = aws.table.query("poison")
    assert len(kept) == 4
    assert all("#flux#" in item["sk"] for item in kept)


def test_a_hand_over_that_failed_is_asked_for_again(line: Line) -> None:
    """503, and the repeat gets through."""
    line.fail("PutEvents", status=400, body={"__type": "AccessDeniedException"})
    assert post()[0] == 503
    assert post() == ACCEPTED
