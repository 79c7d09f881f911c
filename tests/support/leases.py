"""The lease of an embedded world, as a test looks at it, takes it and frees it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from tests.support.embedded import Embedded

KEY = {"pk": {"S": "lease"}, "sk": {"S": "stack"}}


def lease_of(world: Embedded) -> dict[str, Any]:
    """Return the lease as the table has it."""
    table = world.connection["aws"]["table"]
    lease: dict[str, Any] = world.aws("dynamodb").get_item(TableName=table, Key=KEY)["Item"]
    return lease


def free(world: Embedded) -> None:
    """Let the time be over for which a dead run's functions might still write."""
    world.aws("dynamodb").update_item(
        TableName=world.connection["aws"]["table"],
        Key=KEY,
        UpdateExpression="SET expires = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )


def hold(world: Embedded, execution: str) -> None:
    """Give the lease back to the run that has released it."""
    world.aws("dynamodb").update_item(
        TableName=world.connection["aws"]["table"],
        Key=KEY,
        UpdateExpression="SET holder = :holder, expires = :later",
        ExpressionAttributeValues={
            ":holder": {"S": execution},
            ":later": {"N": str(int(time.time()) + 600)},
        },
    )
