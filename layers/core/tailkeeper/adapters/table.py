"""The one DynamoDB table: items by partition and sort key (docs/documents.md)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.aws import Aws


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Item = dict[str, Any]
BATCH = 25  # BatchWriteItem's limit
FIRST, LONGEST = 0.05, 2.0  # seconds to wait while the table takes less than it is given


def marshal(value: Any) -> dict[str, Any]:
    """Return the value in DynamoDB's typed JSON."""
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case None:
            return {"NULL": True}
        case list() | tuple():
            return {"L": [marshal(entry) for entry in value]}
        case dict():
            return {"M": {key: marshal(entry) for key, entry in value.items()}}
    raise TypeError(f"DynamoDB holds no {type(value).__name__}")


def unmarshal(typed: Mapping[str, Any]) -> Any:
    """Return the value of DynamoDB's typed JSON."""
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return float(value) if "." in value or "e" in value.lower() else int(value)
        case "NULL":
            return None
        case "L":
            return [unmarshal(entry) for entry in value]
        case "M":
            return {key: unmarshal(entry) for key, entry in value.items()}
    return value


def plain(item: Mapping[str, Any]) -> Item:
    """Return an item's plain values."""
    return {name: unmarshal(value) for name, value in item.items()}


def typed(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item in typed JSON."""
    return {name: marshal(value) for name, value in item.items()}


@dataclass
class Table:
    """Reads are consistent; conditional writes raise ConditionFailed."""

    aws: Aws = field(default_factory=Aws)
    name: str = field(default_factory=lambda: os.environ["TABLE"])
    sleep: Callable[[float], None] = time.sleep

    def get(self, pk: str, sk: str) -> Item | None:
        """Return one item, or None."""
        answer = self._call("GetItem", Key=typed({"pk": pk, "sk": sk}), ConsistentRead=True)
        return plain(answer["Item"]) if answer.get("Item") else None

    def put(self, item: Item, condition: str = "", **values: Any) -> None:
        """Write one item whole, if the condition holds."""
        self._call("PutItem", Item=typed(item), **_conditions(condition, values))

    def update(self, pk: str, sk: str, expression: str, condition: str = "", **values: Any) -> Item:
        """Update one item and return it as it then is. `values` fill `:name` in the expressions."""
        answer = self._call(
            "UpdateItem",
            Key=typed({"pk": pk, "sk": sk}),
            UpdateExpression=expression,
            ReturnValues="ALL_NEW",
            **_conditions(condition, values),
        )
        return plain(answer["Attributes"])

    def delete(self, pk: str, sk: str, condition: str = "", **values: Any) -> None:
        """Delete one item; a missing one is fine."""
        self._call("DeleteItem", Key=typed({"pk": pk, "sk": sk}), **_conditions(condition, values))

    def query(
        self, pk: str, prefix: str = "", *, limit: int = 0, newest: bool = False
    ) -> list[Item]:
        """Return the partition's items, sorted; `limit` 0 means all of them."""
        items: list[Item] = []
        for item in self.items(pk, prefix, limit=limit, newest=newest):
            items.append(item)
            if limit and len(items) == limit:
                break
        return items

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[tuple[str, str]] = ()) -> None:
        """Put and delete many items, unconditionally, in batches; repeats what was not taken."""
        requests = [{"PutRequest": {"Item": typed(item)}} for item in puts]
        requests += [{"DeleteRequest": {"Key": typed({"pk": pk, "sk": sk})}} for pk, sk in deletes]
        wait = FIRST
        while requests:
            batch, requests = requests[:BATCH], requests[BATCH:]
            answer = self.aws.call("dynamodb", "BatchWriteItem", RequestItems={self.name: batch})
            if left := answer.get("UnprocessedItems", {}).get(self.name):
                requests += left
                self.sleep(wait)
            wait = min(wait * 2, LONGEST) if left else FIRST

    def items(
        self, pk: str, prefix: str = "", *, limit: int = 0, newest: bool = False
    ) -> Iterator[Item]:
        """Yield the partition's items, sorted, page by page; `limit` is how many are wanted."""
        condition = "pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else "")
        values = {"pk": pk, **({"prefix": prefix} if prefix else {})}
        start: dict[str, Any] = {"Limit": limit} if limit else {}
        while True:
            answer = self._call(
                "Query",
                KeyConditionExpression=condition,
                ExpressionAttributeValues={f":{k}": marshal(v) for k, v in values.items()},
                ConsistentRead=True,
                ScanIndexForward=not newest,
                **start,
            )
            yield from map(plain, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.aws.call("dynamodb", operation, TableName=self.name, **parameters)


def _conditions(condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if condition:
        parameters["ConditionExpression"] = condition
    if values:
        parameters["ExpressionAttributeValues"] = {f":{k}": marshal(v) for k, v in values.items()}
    return parameters
