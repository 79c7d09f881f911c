"""moto's DynamoDB and S3, repaired, and who wants to hear of every write.

- DynamoDB serves each request on a thread of its own and locks nothing: a condition may hold twice,
  and a transaction that fails puts the whole table back, with what others wrote meanwhile.
- Its Query sorts the whole table for each page: a journal of thousands would slow every other one.
- S3 enforces bucket policies without looking at their conditions, so that the customary
  "deny unless TLS" denies everything.

Secrets Manager and SSM are only listened to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.aws.repairs import moto_module, once, original, replace


# Called with (table, key) of an item, or (bucket, name) of an object, after it was written.
ItemObserver = Callable[[Any, Mapping[str, Any]], None]
ObjectObserver = Callable[[str, str], None]
item_observers: list[ItemObserver] = []
object_observers: list[ObjectObserver] = []
setting_observers: list[
    Callable[[], None]
] = []  # of secrets and parameters, told no more than that
MEGABYTE = 2**20
READS = ("Get", "List", "Describe", "BatchGet")
# DynamoDB is one place at a time; reads too, for moto's answers share its own values.
dynamodb_lock = threading.RLock()


@once
def repair() -> None:
    """Mend both in this process; a second time does nothing."""
    handler = moto_module("dynamodb.responses").DynamoHandler
    replace(handler, "call_action", _one_at_a_time(original(handler, "call_action")))
    table = moto_module("dynamodb.models.table").Table
    replace(table, "query", _of_one_partition(original(table, "query")))
    s3, s3_models = moto_module("s3.responses").S3Response, moto_module("s3.models")
    replace(s3, "key_response", _told_of_object(original(s3, "key_response")))
    backend = s3_models.S3Backend
    replace(backend, "delete_object", _told_of_delete(original(backend, "delete_object")))
    neutral = moto_module("iam.access_control").PermissionResult.NEUTRAL
    replace(s3_models.FakeBucket, "get_permission", lambda *_: neutral)
    _listen(moto_module("secretsmanager.responses").SecretsManagerResponse)
    _listen(moto_module("ssm.responses").SimpleSystemManagerResponse)


def _one_at_a_time(call_action: Any) -> Any:
    def repaired(handler: Any) -> Any:
        with dynamodb_lock:
            response = call_action(handler)
            if int(response[0]) == 200 and item_observers:
                for table_name, key in written(handler._get_action(), handler.body):
                    table = handler.dynamodb_backend.get_table(table_name)
                    for observer in item_observers:
                        observer(table, key)
        return response

    return repaired


class _Partition:
    """A table as its own Query needs to see it: the partition's next items, already in order."""

    def __init__(self, table: Any, items: list[Any]) -> None:
        self.table, self.items = table, items

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)

    def all_items(self) -> list[Any]:
        """Return the items; Query sorts and cuts them itself."""
        return self.items


def _of_one_partition(query: Any) -> Any:
    def repaired(table: Any, hash_key: Any, *args: Any, **more: Any) -> Any:
        compared, _, _, start, forward, _, index, *_ = args
        if index or table.range_key_type != "S":
            return query(table, hash_key, *args, **more)
        last = start[table.range_key_attr]["S"] if start else None
        left = [
            item
            for item in table.items.get(hash_key, {}).values()
            if last is None or (item.range_key.value > last) == forward
        ]
        left.sort(key=lambda item: item.range_key.value, reverse=not forward)
        page = left if compared else list(_first(left, 2 * MEGABYTE))
        return query(_Partition(table, page), hash_key, *args, **more)

    return repaired


def _first(items: list[Any], room: int) -> Iterator[Any]:
    """Yield items until they are more than a page, which ends at one megabyte."""
    for item in items:
        yield item
        room -= item.size()
        if room < 0:
            return


def written(action: str, body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the table and the attributes, the key's among them, of each item that a call wrote."""
    if action in {"PutItem", "UpdateItem", "DeleteItem"}:
        yield body["TableName"], body.get("Item") or body["Key"]
    elif action == "BatchWriteItem":
        for table, requests in body["RequestItems"].items():
            for request in requests:
                put, delete = request.get("PutRequest"), request.get("DeleteRequest")
                yield table, put["Item"] if put else delete["Key"]
    elif action == "TransactWriteItems":
        for entry in body["TransactItems"]:
            for kind, operation in entry.items():
                if kind != "ConditionCheck":
                    yield operation["TableName"], operation.get("Item") or operation["Key"]


def _told_of_object(key_response: Any) -> Any:
    def repaired(handler: Any, request: Any, full_url: str, headers: Any) -> Any:
        response = key_response(handler, request, full_url, headers)
        if request.method in {"PUT", "POST"}:
            _tell(handler.bucket_name, handler.parse_key_name())
        return response

    return repaired


def _told_of_delete(delete_object: Any) -> Any:
    def repaired(backend: Any, bucket_name: str, key_name: str, *args: Any, **more: Any) -> Any:
        result = delete_object(backend, bucket_name, key_name, *args, **more)
        _tell(bucket_name, key_name)
        return result

    return repaired


def _tell(bucket_name: str, key_name: str) -> None:
    for observer in object_observers:
        observer(bucket_name, key_name)


def _listen(handler_class: Any) -> None:
    call_action = handler_class.call_action

    def listening(handler: Any) -> Any:
        response = call_action(handler)
        if not handler._get_action().startswith(READS):
            for observer in setting_observers:
                observer()
        return response

    handler_class.call_action = listening
