"""Whom a run that coalesced waits for."""

from __future__ import annotations

import pytest

from cli.executions import Ended


@pytest.mark.parametrize(
    ("status", "before_us", "abandoned"),
    [
        ("SUCCEEDED", False, False),
        ("SUCCEEDED", True, False),
        ("FAILED", False, False),
        ("FAILED", True, True),
        ("ABORTED", False, True),
        ("TIMED_OUT", True, True),
        ("GONE", True, True),
    ],
)
def test_yesterdays_failure_is_not_todays_answer(
    status: str, *, before_us: bool, abandoned: bool
) -> None:
    """A holder that had failed before us saw nothing of our causes: we start again."""
    assert Ended("arn", status, None).abandoned(before_us=before_us) == abandoned
