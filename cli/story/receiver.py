"""When the receiver acknowledged the webhook, by its own log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3


if TYPE_CHECKING:
    from collections.abc import Mapping

SAID = '"acknowledged"'  # a filter pattern of CloudWatch Logs: the phrase in a line


def acknowledged(aws: Mapping[str, Any], since: float) -> float | None:
    """Return when the receiver first said so after an epoch second, None if it never did.

    `aws` is that part of the connection file.
    """
    session = boto3.Session(
        aws["access_key_id"], aws["secret_access_key"], region_name=aws["region"]
    )
    found = session.client("logs", endpoint_url=aws["endpoint_url"]).filter_log_events(
        logGroupName=aws["log_group"], startTime=int(since * 1000), filterPattern=SAID
    )
    times = [event["timestamp"] for event in found["events"]]
    return min(times) / 1000 if times else None
