"""What a world is booted with."""

from __future__ import annotations

import pytest

from cli.boot import Wishes
from tailkeeper.config import Config


@pytest.mark.parametrize(
    ("sweep", "speed", "seconds"),
    [
        ("rate(5 minutes)", 1, 270),
        ("rate(5 minutes)", 60, 4.5),
        ("rate(1 minute)", 10, 5.4),
        ("rate(2 hours)", 1, 6480),
        ("cron(0 * * * ? *)", 10, 27),
    ],
)
def test_how_far_apart_two_reads_must_be(sweep: str, speed: float, seconds: float) -> None:
    """It is the world's time, by the clock of this machine."""
    assert Wishes(Config(), speed=speed, sweep=sweep).sweep_seconds == seconds
