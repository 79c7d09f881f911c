"""Server-side apply over an object that is there, and its conflicts as the API tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.ownership import fields, last_applied
from sandbox.kubernetes.ownership.fields import OwnershipConflict
from sandbox.kubernetes.ownership.paths import as_text


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.fields import Field
    from sandbox.kubernetes.ownership.managers import Entry, Managed

Document = dict[str, Any]


def applied_over(
    schema: Field,
    live: Document,
    applied: Document,
    managed: Managed,
    writer: Entry,
    *,
    force: bool,
) -> tuple[Document, Managed]:
    """Return the object and its managers; raise a 409 that lists the conflicts."""
    document: Document
    by_kubectl = writer.manager.name == last_applied.MANAGER
    try:
        document, after = fields.apply(schema, live, applied, managed, writer, force=force)
    except OwnershipConflict as error:
        stand = error.conflicts
        if by_kubectl:
            stand = last_applied.conflicts_that_stand(schema, live, error)
        if stand:
            raise _as_status(OwnershipConflict(stand)) from error
        document, after = fields.apply(schema, live, applied, managed, writer, force=True)
    return (last_applied.following(document, applied) if by_kubectl else document), after


def _as_status(error: OwnershipConflict) -> ApiError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {conflict.manager}",
            "field": as_text(conflict.path),
        }
        for conflict in error.conflicts
    ]
    return ApiError(409, "Conflict", str(error), {"causes": causes})
