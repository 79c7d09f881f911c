"""YAML of people whom we do not know: read as Kubernetes reads it, or told by its line."""

from __future__ import annotations

import pytest

from tailkeeper.adapters.yaml_documents import Broken, Document, documents


def test_documents_and_their_lines() -> None:
    """Empty ones are passed over; a broken one is told where it breaks, and the rest is read."""
    text = "# nothing\n---\na: 1\n---\nb: [1\n---\n\nc: 3\n"

    first, broken, last = documents(text)

    assert first == Document(3, {"a": 1})
    assert isinstance(broken, Broken)
    assert broken.line in {5, 6}
    assert last == Document(7, {"c": 3})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("v: 2024-01-01", "2024-01-01"),
        ("v: 22:22", "22:22"),
        ("v: 0x10", 16),
        ("v: yes", True),
        ("v: =", "="),
        ("v: 1.5", 1.5),
    ],
)
def test_scalars_are_those_of_kubernetes(text: str, value: object) -> None:
    """A date is text, since JSON has none."""
    assert list(documents(text)) == [Document(1, {"v": value})]


def test_keys_are_text() -> None:
    """As JSON has them."""
    assert list(documents("1: {true: x}")) == [Document(1, {"1": {"true": "x"}})]


BILLION = "a: &a0 [1, 1]\n" + "".join(f"k{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000 + "a",
        "{a: " * 100_000 + "}" * 100_000,
        "\n".join(" " * n + "a:" for n in range(300)),
        BILLION,
        "a: &a [*a]",
        "a: !!python/object/apply:os.system [ls]",
        "a: !!binary aGk=",
        "a: \x00",
        "a: *nobody",
        "a: b: c",
        "a: \ud800",
    ],
    ids=range(12),
)
def test_what_is_refused(text: str) -> None:
    """Nesting that kills the parser, aliases without end, objects, and plain mistakes."""
    (broken,) = documents(text)

    assert isinstance(broken, Broken)


@pytest.mark.parametrize("text", ['{"a": 1', "[" * 100_000])
def test_json(text: str) -> None:
    """JSON is read as JSON, and told of the same way."""
    (broken,) = documents(text, is_json=True)

    assert isinstance(broken, Broken)
    assert list(documents('{"a":\n1}', is_json=True)) == [Document(1, {"a": 1})]
