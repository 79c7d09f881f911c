"""A stack's parameters: defaults, allowed values and types, and values kept in SSM.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.aws.provision.intrinsics import TemplateError, as_text


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


SSM_VALUE = "AWS::SSM::Parameter::Value<"
LISTS = ("CommaDelimitedList", "List<")


def parameter_values(
    declared: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, Any],
    read_ssm: Callable[[str], str],
) -> dict[str, Any]:
    """Return each declared parameter's value; raise TemplateError as CloudFormation refuses.

    `read_ssm` returns an SSM parameter's value by its name, for the types that ask for one.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"the template has no parameters {', '.join(unknown)}")
    missing = sorted(n for n, d in declared.items() if n not in given and "Default" not in d)
    if missing:
        raise TemplateError(f"these parameters need a value: {', '.join(missing)}")
    return {
        name: _typed(
            name, declaration, as_text(given.get(name, declaration.get("Default"))), read_ssm
        )
        for name, declaration in declared.items()
    }


def _typed(
    name: str, declaration: Mapping[str, Any], text: str, read_ssm: Callable[[str], str]
) -> Any:

    _check(name, declaration, text)
    kind = declaration["Type"]
    if kind.startswith(SSM_VALUE):
        kind, text = kind[len(SSM_VALUE) : -1], read_ssm(text)
    if kind.startswith(LISTS):
        return [item.strip() for item in text.split(",")]
    return text


def _check(name: str, declaration: Mapping[str, Any], text: str) -> None:
    allowed = [str(value) for value in declaration.get("AllowedValues", [])]
    pattern = declaration.get("AllowedPattern")
    wrong = (
        (allowed and text not in allowed and f"is not one of {allowed}")
        or (pattern and not re.fullmatch(pattern, text) and f"does not match {pattern}")
        or _out_of_bounds(declaration, text)
    )
    if wrong:
        raise TemplateError(f"parameter {name} {wrong}: {declaration.get('Description', '')}")


def _out_of_bounds(declaration: Mapping[str, Any], text: str) -> str:
    size: float = len(text)
    if declaration["Type"] == "Number":
        try:
            size = float(text)
        except ValueError:
            return "is not a number"
    low = declaration.get("MinValue", declaration.get("MinLength", float("-inf")))
    high = declaration.get("MaxValue", declaration.get("MaxLength", float("inf")))
    return "" if float(low) <= size <= float(high) else f"is not within {low} and {high}"
