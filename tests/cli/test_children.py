"""The halves of the sandbox as children: ready, failed, silent, dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli import children
from cli.children import Child
from cli.problems import Problem


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY = """
import json, sys
asked = json.loads(sys.stdin.readline())
print("something prints by itself", flush=True)
print(json.dumps({"event": "progress", "text": "nearly"}), flush=True)
print(json.dumps({"event": "ready", "asked": asked}), flush=True)
sys.stdin.read()
"""
FAILED = """
import json, sys
sys.stdin.readline()
print("Traceback: the long story", file=sys.stderr)
print(json.dumps({"event": "failed", "text": "no port is free"}), flush=True)
"""
DEAD = "raise SystemExit(7)"
DEAF = """
import signal, sys, time
print('{"event": "ready"}', flush=True)
time.sleep(60)
"""


@pytest.fixture
def child(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Child]:
    """Start a module with the source that the test names; stop it afterwards."""
    (tmp_path / "half.py").write_text(request.param)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = Child("the half", "half", tmp_path / "logs" / "half.log")
    child.request({"speed": 2})
    yield child
    child.stop()


@pytest.mark.parametrize("child", [READY], indirect=True)
def test_ready(child: Child) -> None:
    """Progress is told until the child is ready; it ends when its input does."""
    told: list[str] = []

    answer = child.ready(told.append)

    assert answer["asked"] == {"speed": 2}
    assert told == ["the half: something prints by itself", "the half: nearly"]
    assert child.alive
    child.stop()
    assert not child.alive


@pytest.mark.parametrize(
    ("child", "sentence", "line"),
    [
        (FAILED, "the half cannot start: no port is free", "the long story"),
        (DEAD, "the half ended before it was ready", ""),
        ("import nothing_like_this", "the half ended before it was ready", "ModuleNotFoundError"),
    ],
    indirect=["child"],
)
def test_failed(child: Child, sentence: str, line: str) -> None:
    """A child that cannot start is a problem with its name, its reason and its last lines."""
    with pytest.raises(Problem, match=sentence) as caught:
        child.ready(lambda _: None)

    assert line in str(caught.value)


@pytest.mark.parametrize(
    "child", [DEAF.replace('"ready"', '"progress", "text": "half way"')], indirect=True
)
def test_silent(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that says nothing is not waited for for ever, and is ended."""
    monkeypatch.setattr(children, "BOOT_SECONDS", 0.01)
    monkeypatch.setattr(children, "GRACE_SECONDS", 0.01)

    with pytest.raises(Problem, match="the half is not ready after 0 s"):
        child.ready(lambda _: None)
    child.stop()

    assert not child.alive


@pytest.mark.parametrize("child", [DEAF.replace("time.sleep(60)", "sys.exit(3)")], indirect=True)
def test_ended(child: Child) -> None:
    """A child that ends by itself is told with its exit code."""
    child.ready(lambda _: None)
    child.stop()

    assert str(child.ended()) == "the half has ended by itself (exit 3)"
