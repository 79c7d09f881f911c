"""Calling AWS with a template's values, which are text where the API wants numbers and flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.aws.provision.intrinsics import TemplateError, as_text


FLAGS = {"true": True, "false": False}


def call(client: Any, operation: str, **parameters: Any) -> dict[str, Any]:
    """Call an operation by its boto3 name; raise TemplateError for a parameter it does not have."""
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    given = {name: value for name, value in parameters.items() if value is not None}
    answer: dict[str, Any] = getattr(client, operation)(**fit(given, model.input_shape, operation))
    return answer


def fit(value: Any, shape: Any, where: str) -> Any:
    """Return the value in a botocore shape's types; raise TemplateError for unknown members."""
    kind = shape.type_name
    if kind == "structure":
        return _fit_structure(value, shape, where)
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [fit(item, shape.member, where) for item in items]
    if kind == "map":
        return {as_text(k): fit(v, shape.value, f"{where}.{k}") for k, v in value.items()}
    return _fit_scalar(value, kind, where)


def _fit_structure(value: Any, shape: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TemplateError(f"{where} wants an object, not {value!r}")
    unknown = sorted(set(value) - set(shape.members))
    if unknown:
        raise TemplateError(f"{where} has no {', '.join(unknown)}")
    return {name: fit(item, shape.members[name], f"{where}.{name}") for name, item in value.items()}


def _fit_scalar(value: Any, kind: str, where: str) -> Any:
    try:
        if kind in {"integer", "long"}:
            return int(value)
        if kind in {"float", "double"}:
            return float(value)
        if kind == "boolean":
            return FLAGS[as_text(value)]
    except (ValueError, TypeError, KeyError):
        raise TemplateError(f"{where} wants a {kind}, not {value!r}") from None
    if kind == "string" and isinstance(value, (dict, list)):
        raise TemplateError(f"{where} wants text, not {value!r}")
    return as_text(value) if kind == "string" else value


def tag_map(tags: Any) -> dict[str, str]:
    """Return tags as a map, from a template's list of Key and Value or from a map."""
    pairs = tags.items() if isinstance(tags, Mapping) else ((t["Key"], t["Value"]) for t in tags)
    return {str(key): as_text(value) for key, value in pairs}


def camel(value: Any) -> Any:
    """Return the value with the first letter of every key in lower case, at any depth."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: camel(item) for key, item in value.items()}
    return value
