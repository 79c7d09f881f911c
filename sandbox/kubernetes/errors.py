"""Refusals, in the words and the Status objects of a real API server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.kubernetes.kinds.resource import Resource

STALE = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


@dataclass(frozen=True)
class Cause:
    """One thing wrong with one field of an object."""

    reason: str
    message: str
    field: str

    @classmethod
    def invalid(cls, path: str, value: Any, detail: str) -> Cause:
        """Return the cause for a value that its field cannot have."""
        return cls("FieldValueInvalid", f"Invalid value: {_shown(value)}: {detail}", path)

    @classmethod
    def required(cls, path: str, detail: str = "") -> Cause:
        """Return the cause for a field that is missing."""
        message = f"Required value: {detail}" if detail else "Required value"
        return cls("FieldValueRequired", message, path)

    @classmethod
    def unsupported(cls, path: str, value: Any, allowed: Sequence[str]) -> Cause:
        """Return the cause for a value outside an enumeration."""
        names = ", ".join(f'"{name}"' for name in sorted(allowed))
        message = f"Unsupported value: {_shown(value)}: supported values: {names}"
        return cls("FieldValueNotSupported", message, path)

    @classmethod
    def forbidden(cls, path: str, detail: str) -> Cause:
        """Return the cause for a field that may not be touched."""
        return cls("FieldValueForbidden", f"Forbidden: {detail}", path)

    def as_json(self) -> dict[str, Any]:
        """Return the cause as a Status lists it."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


class ApiError(Exception):
    """A refusal with its HTTP status, the API's reason for it, and details for machines."""

    def __init__(
        self, code: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def as_status(self) -> dict[str, Any]:
        """Return the Status object that the client gets."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}


def _about(resource: Resource, name: str, kind: str = "") -> dict[str, Any]:
    details = {"name": name, "group": resource.group, "kind": kind or resource.plural}
    return {k: v for k, v in details.items() if v}


def bad_request(message: str) -> ApiError:
    """Return a 400."""
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    """Return a 401."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def not_found(resource: Resource, name: str) -> ApiError:
    """Return the 404 for an object."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, _about(resource, name))


def no_such_resource() -> ApiError:
    """Return the 404 for a path that names nothing served."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> ApiError:
    """Return the 405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def already_exists(resource: Resource, name: str) -> ApiError:
    """Return the 409 for creating what is there."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _about(resource, name))


def conflict(resource: Resource, name: str, why: str = STALE) -> ApiError:
    """Return the 409 for writing over what has changed."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _about(resource, name))


def expired(message: str) -> ApiError:
    """Return the 410 for a resourceVersion or continue token that history no longer holds."""
    return ApiError(410, "Expired", message)


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    """Return the 415."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )
    return ApiError(415, "UnsupportedMediaType", message)


def invalid(
    resource: Resource, name: str, causes: Sequence[Cause], kind: str | None = None
) -> ApiError:
    """Return the 422 that lists what is wrong with an object; `kind` replaces its kind's name."""
    told = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    qualified = resource.qualified_kind if kind is None else kind
    details = {} if kind == "" else _about(resource, name, resource.kind if kind is None else "")
    details["causes"] = [cause.as_json() for cause in causes]
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {listed}', details)


def internal(message: str) -> ApiError:
    """Return the 500 that wraps an error without a reason of its own."""
    return ApiError(500, "", message)


def must_have_version(resource: Resource, name: str) -> ApiError:
    """Return the 422 for replacing a custom object without saying which version was read."""
    detail = "must be specified for an update"
    message = f"Invalid value: 0x0: {detail}"
    cause = Cause("FieldValueInvalid", message, "metadata.resourceVersion")
    return invalid(resource, name, [cause], kind=resource.qualified)
