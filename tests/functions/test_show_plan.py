"""Show Plan: who has a plan's name is led to it; who guesses is led nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from functions import show_plan
from tailkeeper.git.status import name_of


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

SHOWN = "<p>1 change</p>"
NAME = name_of(SHOWN, "k" * 64)


def show(name: str) -> dict[str, Any]:
    """Ask for a plan."""
    return show_plan.handler({"pathParameters": {"id": name}}, None)


def test_a_plan_is_found_by_its_name(aws: Stack) -> None:
    """By a redirect that nobody keeps; the name is the page's, whoever asks for it twice."""
    show_plan.artifacts.cache_clear()
    aws.artifacts.publish(NAME, SHOWN)

    answer = show(NAME)

    assert (answer["statusCode"], answer["headers"]["cache-control"]) == (302, "no-store")
    assert httpx.get(answer["headers"]["location"]).text == SHOWN
    assert httpx.get(show(name_of(SHOWN, "another key"))["headers"]["location"]).is_client_error


@pytest.mark.parametrize("name", ["", "x" * 40, NAME[:-1], NAME + "0", f"../{NAME}", NAME.upper()])
def test_what_is_no_name_leads_nowhere(name: str) -> None:
    """Nothing is signed for it."""
    assert show(name)["statusCode"] == 404
