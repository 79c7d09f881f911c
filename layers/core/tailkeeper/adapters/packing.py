"""Documents of a thousand names in one item of the table: compressed, since an item has 400 KB."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping


def packed(document: Mapping[str, Any]) -> str:
    """Return a document as an item holds it."""
    return base64.b64encode(zlib.compress(json.dumps(document).encode())).decode()


def unpacked(text: str) -> dict[str, Any]:
    """Return the document of `packed`."""
    document: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(text)))
    return document
