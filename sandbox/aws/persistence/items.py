"""DynamoDB items across restarts."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.aws.provision.stack import ACCOUNT
from sandbox.aws.repairs import moto_module


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.aws.persistence.journal import Journal

KIND = "item"


@dataclass
class ItemKeeper:
    """Notes each written item whole, by its table and key."""

    journal: Journal
    region: str

    def restore(self) -> None:
        """Put the items back into the tables that are there."""
        tables = moto_module("dynamodb.models").dynamodb_backends[ACCOUNT][self.region].tables
        for name, item in self.journal.saved(KIND).items():
            table = tables.get(json.loads(name)[0])
            if table:
                table.put_item(item)

    def note(self, table: Any, attributes: Mapping[str, Any]) -> None:
        """Note an item as it is now; the caller holds DynamoDB's lock."""
        names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
        key = {name: attributes[name] for name in names}
        dynamo_type = moto_module("dynamodb.models.dynamo_type").DynamoType
        item = table.get_item(*(dynamo_type(value) for value in key.values()))
        name = json.dumps([table.name, key], sort_keys=True, default=_as_text)
        self.journal.put(KIND, name, _plain(item.to_json()["Attributes"]) if item else None)


def _plain(value: Any) -> Any:
    """Return the value as JSON: moto keeps binary attributes as it got them."""
    return json.loads(json.dumps(value, default=_as_text))


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)
