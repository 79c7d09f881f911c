"""tailkeeper.yaml: every error names its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.config_file import ConfigFileError, parse_config, parse_yaml, read_config, to_yaml
from tailkeeper.config import Config, ZoneConfig


if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zones: []\nghosts: burn\n", ["f:2: ghosts is 'burn': use report, remove"]),
        (
            "zones:\n- name: example.com\n  owner: me\n  polcy: sync\n",
            ["f:4: zones[0].polcy is unknown: did you mean policy?"],
        ),
        ("zones:\n\n- name: example.com\n", ["f:3: zones[0].owner is missing: add owner: homelab"]),
        (
            "zones:\n- {name: example.com, owner: on}\n",
            ["f:2: zones[0].owner is true or false, not text: write owner: homelab"],
        ),
        (
            "ghosts: 1\nguard:\n  deletes: many\n",
            [
                "f:1: ghosts is a whole number, not text: write ghosts: report",
                "f:3: guard.deletes is text, not a whole number: write a whole number",
            ],
        ),
        (
            "ghosts: report\nghosts: remove\n",
            ["f:2: ghosts stands here again, after line 1: keep one"],
        ),
        ("a: 1\nb: [2\n", ["f:3: expected ',' or ']', but got '<stream end>': this line"]),
        ("a: b: c\n", ["f:1: mapping values are not allowed here: this line is not YAML"]),
        ("a: 1\n---\nb: 2\n", ["f:2: but found another document: this line is not YAML"]),
        ("x: &a [*a]\n", ["f:1: x is unknown: use "]),
        ("a: \x01\n", ["f: unacceptable character"]),
        (
            "zones: !!python/tuple []\n",
            ["f:1: could not determine a constructor for the tag"],
        ),
        (
            "defaults: &d {owner: me}\nzones:\n- {<<: *d, name: a b}\n",
            ["f:1: defaults is unknown", "f:3: zones[0].name is 'a b'"],
        ),
    ],
)
def test_errors_name_their_line(text: str, expected: list[str]) -> None:
    """The first thing in an error is where to click."""
    with pytest.raises(ConfigFileError) as raised:
        parse_config(text, "f")

    lines = str(raised.value).splitlines()
    assert len(lines) >= len(expected)
    for line, start in zip(lines, expected, strict=False):
        assert line.startswith(start)


def test_a_file_is_read(tmp_path: Path) -> None:
    """A file becomes a configuration, and what we write reads back."""
    path = tmp_path / "tailkeeper.yaml"
    path.write_text("zones:\n- {name: Example.com., owner: me, annotation_filter: 'a=b'}\n")

    config = read_config(path)

    assert config == Config(zones=(ZoneConfig("example.com", "me", annotation_filter="a=b"),))
    path.write_text(to_yaml(config))
    assert read_config(path) == config


def test_an_empty_file_is_the_default() -> None:
    """Nothing said is nothing wrong."""
    assert parse_config("# later\n") == Config()


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "No such file or directory: write one"), (b"zones: \xff", "byte 7 is not UTF-8")],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, expected: str) -> None:
    """A missing or binary file is a sentence, not a traceback."""
    path = tmp_path / "tailkeeper.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigFileError, match=expected):
        read_config(path)


def test_helm_values_are_parsed() -> None:
    """Values are YAML, and nonsense is a ValueError."""
    assert parse_yaml("a: [1]\n") == {"a": [1]}
    with pytest.raises(ValueError, match="while parsing"):
        parse_yaml("a: [1")
