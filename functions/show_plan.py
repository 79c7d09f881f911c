"""GET /plans/{id}: what a pull request would change, by way of a link that soon expires.

Hosts take no status with an address as long as a signed one; and a signature dies with its session.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tailkeeper.adapters.artifacts import Artifacts
from tailkeeper.git.status import PAGE


GOOD = 300  # seconds
ALONE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
LOST = "This plan is not there: such links are good for thirty days."


@cache
def artifacts() -> Artifacts:
    """Return the process's bucket."""
    return Artifacts()


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Answer an HTTP API request (payload 2.0): 302, or 404 for what can be no plan.

    Who has the id may see the page: nobody can guess it.
    """
    page = (event.get("pathParameters") or {}).get("id", "")
    if not PAGE.fullmatch(page):
        return {"statusCode": 404, "headers": {**ALONE, "content-type": "text/plain"}, "body": LOST}
    return {"statusCode": 302, "headers": {**ALONE, "location": artifacts().shown(page, GOOD)}}
