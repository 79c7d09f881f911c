"""How Cloudflare says no.

Codes and sentences as public threads and client libraries quote them; those nobody quotes are
grouped under 1004 with an `error_chain`, the shape the API itself uses for them.
"""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A request that the API turns down: an HTTP status and the envelope's `errors`."""

    def __init__(self, status: int, *errors: dict[str, Any]) -> None:
        super().__init__(f"{status}: {errors}")
        self.status = status
        self.errors = errors

    def at(self, pointer: str) -> Refused:
        """Return the same refusal, naming the part of the request it is about."""
        return Refused(self.status, *({**e, "source": {"pointer": pointer}} for e in self.errors))


def refused(code: int, message: str, *, status: int = 400) -> Refused:
    """Return a refusal with one error."""
    return Refused(status, {"code": code, "message": message})


def invalid(code: int, message: str) -> Refused:
    """Return the older shape of a validation error: 1004 with the reason in its chain."""
    chain = [{"code": code, "message": message}]
    return Refused(400, {"code": 1004, "message": "DNS Validation Error", "error_chain": chain})


def no_route(path: str) -> Refused:
    """Return what an unknown path or identifier gets."""
    return Refused(
        404,
        {
            "code": 7003,
            "message": f"Could not route to {path}, perhaps your object identifier is invalid?",
        },
        {"code": 7000, "message": "No route for that URI"},
    )


def no_record() -> Refused:
    """Return what an unknown record's id gets."""
    return refused(81044, "Record does not exist.", status=404)


def forbidden() -> Refused:
    """Return what a token without DNS permission gets."""
    return refused(10000, "Authentication error", status=403)


def unauthorized() -> Refused:
    """Return what a token without permission for a zone or for tokens gets."""
    return refused(9109, "Unauthorized to access requested resource", status=403)
