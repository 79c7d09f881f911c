"""A webhook's receiver that answers as its request asks."""

from __future__ import annotations

import base64
import json
from typing import Any


def handler(event: dict[str, Any], _: Any) -> Any:
    """Echo the event, or do what the query says."""
    wish = event.get("queryStringParameters", {}).get("answer", "echo")
    return ANSWERS[wish](event)


def _fail(_: Any) -> None:
    raise RuntimeError("on purpose")


ANSWERS = {
    "echo": lambda event: {"statusCode": 202, "body": json.dumps(event)},
    "plain": lambda _: {"hello": "world"},
    "text": lambda _: "just text",
    "headers": lambda _: {
        "statusCode": 200,
        "headers": {"X-Number": 1, "content-type": "text/html"},
        "cookies": ["a=1", "b=2"],
        "body": "<p>",
    },
    "binary": lambda _: {
        "statusCode": 200,
        "headers": {"content-type": "image/png"},
        "body": base64.b64encode(b"\x89PNG\x00").decode(),
        "isBase64Encoded": True,
    },
    "malformed": lambda _: {"statusCode": "no number"},
    "fail": _fail,
}
