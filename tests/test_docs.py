"""The documents say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#]+)\)")
TARGET = re.compile(r"`make ([a-z]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    """No page points at something that moved away."""
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    """What a page tells people to type, make knows."""
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(TARGET.findall(page.read_text())) <= known


def test_every_command_is_in_the_readme() -> None:
    """Each subcommand of `tailkeeper` is shown at work."""
    paths = (ROOT / "cli" / "commands").glob("[a-z]*.py")
    commands = {path.stem.replace("_", "-") for path in paths}
    shown = set(re.findall(r"tailkeeper ([a-z-]+)", (ROOT / "README.md").read_text()))

    assert commands - {"demo"} <= shown  # `make run` is the demo


def test_every_partition_of_the_table_is_described() -> None:
    """A key that code writes is explained where people look for it."""
    described = (ROOT / "docs" / "documents.md").read_text()
    adapters = ROOT / "layers" / "core" / "tailkeeper" / "adapters"
    written = {
        key
        for path in [*adapters.rglob("*.py"), *(ROOT / "functions").glob("*.py")]
        for key in re.findall(r'"pk": f?"([a-z]+)', path.read_text())
    }

    assert written
    assert sorted(key for key in written if f"`{key}" not in described) == []


def test_the_changelog_has_room_for_what_comes() -> None:
    """Keep a Changelog: there is an Unreleased section."""
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
