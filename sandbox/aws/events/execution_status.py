"""The event that tells of an execution's new status; moto publishes none.

By the developer guide, "Automating Step Functions event delivery with EventBridge".
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any


LARGEST_DATA_BYTES = 248 * 1024


def status_event(execution: Any) -> dict[str, Any]:
    """Return the event for an execution as it stands now."""
    region, account = execution.region_name, execution.account_id
    stopped = execution.stop_date
    output = json.dumps(execution.output) if execution.status == "SUCCEEDED" else None
    data = {"input": execution.execution_input, "output": output}
    fits = sum(len(text.encode()) for text in data.values() if text) <= LARGEST_DATA_BYTES
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(stopped) if stopped else None,
        **{name: text if fits else None for name, text in data.items()},
        "inputDetails": {"included": fits},
        "outputDetails": {"included": fits} if output is not None else None,
        "error": execution.error,
        "cause": execution.cause,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": None,
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": account,
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "region": region,
        "resources": [execution.exec_arn],
        "detail": detail,
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
