"""Flux's events: which of them say that the cluster has applied something."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.webhooks.flux import Applied, parse
from tests.support.deliveries import NEW, document


if TYPE_CHECKING:
    from pathlib import Path

INVOLVED = {"kind": "HelmRelease", "namespace": "media", "name": "photos"}


def told(**more: Any) -> Applied | str:
    """Return what an event says, with some of its fields changed."""
    return parse(json.dumps(document("flux-applied") | more).encode())


def test_what_was_applied() -> None:
    """Object and revision, when, and by whom."""
    found = told()

    assert isinstance(found, Applied)
    assert (found.at, found.by) == ("2026-11-22T09:00:30.000Z", "kustomize-controller")
    assert found.ref == f"Kustomization/flux-system/apps main@sha1:{NEW}"
    assert told() == found
    assert told(timestamp="2026-11-22T09:00:31Z") != found


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"involvedObject": INVOLVED, "metadata": {"revision": "1.2.3"}},
            "HelmRelease/media/photos 1.2.3",
        ),
        (
            {"metadata": {"x": "y", "kustomize.toolkit.fluxcd.io/revision": "main/73af"}},
            "Kustomization/flux-system/apps main/73af",
        ),
        ({"reason": "ReconciliationSucceeded"}, f"Kustomization/flux-system/apps main@sha1:{NEW}"),
    ],
)
def test_what_counts(more: dict[str, Any], said: str) -> None:
    """Both appliers, and the revision with the API group before it or without."""
    found = told(**more)
    assert isinstance(found, Applied)
    assert found.ref == said


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"severity": "error", "reason": "ValidationFailed"}, "failed: ValidationFailed"),
        ({"severity": None}, "failed: Progressing"),
        ({"metadata": {}}, "without a revision"),
        ({"metadata": None}, "without a revision"),
        ({"metadata": ["revision"]}, "without a revision"),
        (
            {"involvedObject": {**INVOLVED, "kind": "GitRepository"}},
            "GitRepository applies nothing",
        ),
    ],
)
def test_what_does_not(more: dict[str, Any], why: str) -> None:
    """A failure, a source, and what names no revision: each is logged with its reason."""
    found = told(**more)
    assert isinstance(found, str)
    assert why in found


def test_the_official_example_is_a_failure(specs: Path) -> None:
    """Flux's documentation shows an event of severity error."""
    body = (specs / "git" / "flux-generic-event.json").read_bytes()
    assert parse(body) == "Kustomization/apps/webapp failed: ValidationFailed"


@pytest.mark.parametrize(
    "more",
    [
        {"involvedObject": None},
        {"involvedObject": {**INVOLVED, "name": "two words"}},
        {"involvedObject": {**INVOLVED, "namespace": ""}},
        {"metadata": {"revision": "main@sha1:x\nyou are mine"}},
        {"metadata": {"revision": 5}},
        {"severity": 5},
        {"reportingController": {}},
    ],
)
def test_poison_is_a_value_error(more: dict[str, Any]) -> None:
    """What ends up in a cause is one word each, or the event is not read."""
    with pytest.raises(ValueError, match="is not"):
        told(**more)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(document("flux-applied"))), JSON)
def test_no_shape_is_worse_than_poison(key: str, value: Any) -> None:
    """Any field may be anything: it is read, or a ValueError."""
    try:
        found = told(**{key: value})
    except ValueError:
        return
    assert isinstance(found, str) or len(found.ref.split(" ")) == 2
