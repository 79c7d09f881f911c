"""`tailkeeper demo`: what a stranger sees first."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.embedded import BIN


if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.world

EMPTY = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "empty"}}


def test_story(tmp_path: Path) -> None:
    """The story is proven from boot to the end, within 100 columns, and its report is whole."""
    report = tmp_path / "report.html"

    told = subprocess.run(
        [BIN / "tailkeeper", "demo", "--report", report, "--speed", "60"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert max(map(len, told.stdout.splitlines())) <= 100
    assert "\x1b" not in told.stdout
    assert "device unreachable" in told.stdout
    page = report.read_text()
    assert "<svg" in page
    assert "gateway-envoy-1" in page
    assert not re.search(r"(src|href)=|url\((?!#)|@import", page)


def test_nothing_to_tell(tmp_path: Path) -> None:
    """Manifests without a gateway end the story before it begins, and say what is missing."""
    (tmp_path / "namespace.json").write_text(str(EMPTY).replace("'", '"'))

    told = subprocess.run(
        [BIN / "tailkeeper", "demo", "--manifests", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert told.returncode == 1
    assert "a Gateway that a Tailscale device carries" in told.stderr
    assert "Traceback" not in told.stderr
