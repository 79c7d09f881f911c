"""Selectors in text (ExternalDNS's annotation filter) and as objects (allowedRoutes)."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.selectors import SelectorError, label_selector, parse_selector


EXPOSE = "external-dns.alpha.kubernetes.io/expose"


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("", {}, True),
        ("  ", {"a": "b"}, True),
        (f"{EXPOSE}=true", {EXPOSE: "true"}, True),
        (f"{EXPOSE}=true", {EXPOSE: "false"}, False),
        (f"{EXPOSE}=true", {}, False),
        (f"{EXPOSE} == true", {EXPOSE: "true"}, True),
        ("a=", {"a": ""}, True),
        ("a!=b", {"a": "b"}, False),
        ("a!=b", {"a": "c"}, True),
        ("a!=b", {}, True),
        ("a in (x, y)", {"a": "y"}, True),
        ("a in (x,y)", {"a": "z"}, False),
        ("a in ( x , y )", {"a": "x"}, True),
        ("a in ()", {"a": ""}, True),
        ("a notin (x,y)", {}, True),
        ("a notin (x,y)", {"a": "x"}, False),
        ("a", {"a": "anything"}, True),
        ("a", {}, False),
        ("!a", {}, True),
        ("!a", {"a": ""}, False),
        ("a in (x,y),b=1,!c", {"a": "x", "b": "1"}, True),
        ("a in (x,y),b=1,!c", {"a": "x", "b": "1", "c": ""}, False),
    ],
)
def test_text_form(text: str, labels: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a table
    """Every condition must hold; an absent key satisfies only the negative ones."""
    assert parse_selector(text).matches(labels) is expected


@pytest.mark.parametrize(
    "text",
    ["=true", "a=b=c", "a in x", "a in (x", "a in (x y)", "a notin (x, y z)", "a,,b", "a b", "a>1"],
)
def test_text_that_is_no_selector(text: str) -> None:
    """Nonsense is refused with the part that is wrong, never taken as "everything"."""
    with pytest.raises(SelectorError, match="is not a condition"):
        parse_selector(text)


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        (None, {}, True),
        ({}, {"a": "b"}, True),
        ({"matchLabels": {"a": "b"}}, {"a": "b", "c": "d"}, True),
        ({"matchLabels": {"a": "b"}}, {"a": "c"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]}, {"a": "x"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}, {}, True),
        (
            {
                "matchLabels": {"a": "b"},
                "matchExpressions": [{"key": "c", "operator": "In", "values": ["x", "y"]}],
            },
            {"a": "b", "c": "z"},
            False,
        ),
    ],
)
def test_object_form(selector: Any, labels: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a table
    """Labels and expressions are joined by "and"."""
    assert label_selector(selector).matches(labels) is expected


def test_object_with_an_unknown_operator() -> None:
    """An operator that Kubernetes does not have is refused."""
    with pytest.raises(SelectorError, match="'Gt' is not an operator"):
        label_selector({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]})
