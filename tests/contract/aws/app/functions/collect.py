"""A queue's reader: keeps each record in the table, and refuses the poisonous ones."""

from __future__ import annotations

import os
from typing import Any

import boto3


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Say which messages failed, by ReportBatchItemFailures."""
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    failed = []
    for record in event["Records"]:
        count = record["attributes"]["ApproximateReceiveCount"]
        table.put_item(Item={"pk": "record", "sk": f"{record['body']} {count}", "record": record})
        if record["body"] == "poison":
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
