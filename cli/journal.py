"""The journal, as people read it: changes and their entries, from the stack's table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.executions import unpacked
from tailkeeper.model import SURFACES, Change


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cli.deployments import Deployment

Head = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One journalled change of a key: its state is intended, applied or conflict."""

    change: Change
    state: str
    receipt: str
    round: str
    at: str

    def as_json(self) -> dict[str, Any]:
        """Return the entry as `changes ID --json` prints it."""
        return {
            "round": self.round,
            "state": self.state,
            "receipt": self.receipt,
            "at": self.at,
            "change": self.change.as_json(),
        }


def heads(deployment: Deployment, limit: int) -> list[Head]:
    """Return the newest changes' heads, newest first."""
    pages = deployment.dynamodb.get_paginator("query").paginate(
        **_partition(deployment, "changes"),
        ScanIndexForward=False,
        PaginationConfig={"MaxItems": limit},
    )
    return [_head(item) for page in pages for item in page["Items"]]


def head(deployment: Deployment, change_id: str) -> Head | None:
    """Return one change's head, None when there is no such change."""
    key = {"pk": {"S": "changes"}, "sk": {"S": change_id}}
    found = deployment.dynamodb.get_item(TableName=deployment.table, Key=key, ConsistentRead=True)
    return _head(found["Item"]) if "Item" in found else None


def entries(deployment: Deployment, change_id: str) -> list[Entry]:
    """Return a change's entries, in the order of its rounds, and of surfaces and names in each."""
    found = [
        Entry(
            Change.from_json(_whole(deployment, json.loads(item["change"]["S"]))),
            item["state"]["S"],
            item["receipt"]["S"],
            item["sk"]["S"].partition("#")[0],
            item["at"]["S"],
        )
        for item in _items(deployment, f"change#{change_id}")
    ]
    return sorted(found, key=lambda entry: (entry.round, *_order(entry.change)))


def questions(deployment: Deployment, change_id: str) -> list[dict[str, str]]:
    """Return what people were asked about a change, in which words, and what a link answered."""
    shown = ("at", "subject", "words", "receipt", "answer", "done")
    found = _items(deployment, f"asked#{change_id}")
    return [{name: item[name]["S"] for name in shown if name in item} for item in found]


def lease_expiry(deployment: Deployment) -> float:
    """Return when the lease expires, in epoch seconds; 0 when nobody holds it."""
    key = {"pk": {"S": "lease"}, "sk": {"S": "stack"}}
    found = deployment.dynamodb.get_item(TableName=deployment.table, Key=key, ConsistentRead=True)
    return float(found["Item"]["expires"]["N"]) if "Item" in found else 0.0


def _whole(deployment: Deployment, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the change of an entry, which lies in the bucket where it is too large."""
    return unpacked(deployment, document) if "artifact" in document else document


def _order(change: Change) -> tuple[int, str, str]:
    return SURFACES.index(change.surface), change.place, change.key


def _items(deployment: Deployment, pk: str) -> Iterator[Mapping[str, Any]]:
    pages = deployment.dynamodb.get_paginator("query").paginate(**_partition(deployment, pk))
    for page in pages:
        yield from page["Items"]


def _partition(deployment: Deployment, pk: str) -> dict[str, Any]:
    return {
        "TableName": deployment.table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
        "ConsistentRead": True,
    }


def _head(item: Mapping[str, Any]) -> Head:
    """Return a head: every part of it is JSON under its name and an underscore."""
    parts = {name[:-1]: json.loads(v["S"]) for name, v in item.items() if name.endswith("_")}
    return {"id": item["sk"]["S"], **parts}
