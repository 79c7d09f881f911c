"""Cloudflare's envelope around every answer, and its paging."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from sandbox.cloudflare.errors import Refused, invalid


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Item = TypeVar("Item")


@dataclass(frozen=True)
class Page:
    """One page of a list: `number` counts from 1."""

    number: int
    size: int

    @classmethod
    def of(cls, query: Mapping[str, str], *, default: int, most: int) -> Page:
        """Read `page` and `per_page`; raise Refused outside 1 to `most`."""
        try:
            number = int(float(query.get("page", 1)))
            size = int(float(query.get("per_page", default)))
        except ValueError as error:
            raise invalid(9207, "page and per_page must be numbers.") from error
        if number < 1 or not 1 <= size <= most:
            raise invalid(9207, f"page starts at 1, per_page must be between 1 and {most}.")
        return cls(number, size)

    def cut(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the page's part of all items."""
        return items[(self.number - 1) * self.size : self.number * self.size]

    def info(self, count: int, total: int) -> dict[str, int]:
        """Return the `result_info` of a page with `count` of `total` items."""
        return {
            "page": self.number,
            "per_page": self.size,
            "count": count,
            "total_count": total,
            "total_pages": -(-total // self.size),
        }


def answer(
    result: Any, *, info: dict[str, int] | None = None, message: str | None = None
) -> web.Response:
    """Return a successful answer."""
    notes = [{"code": 10000, "message": message, "type": None}] if message else []
    body = {"result": result, "success": True, "errors": [], "messages": notes}
    return web.json_response(body | ({"result_info": info} if info else {}))


def listing(page: Page, items: Sequence[Any]) -> web.Response:
    """Return one page of all `items`."""
    part = page.cut(items)
    return answer(part, info=page.info(len(part), len(items)))


def listing_of_texts(page: Page, texts: Sequence[str], total: int) -> web.Response:
    """Return a page whose items are JSON already: thousands of records, encoded once each."""
    tail = {
        "success": True,
        "errors": [],
        "messages": [],
        "result_info": page.info(len(texts), total),
    }
    body = f'{{"result": [{",".join(texts)}], {json.dumps(tail)[1:]}'
    return web.Response(text=body, content_type="application/json")


def refusal(error: Refused) -> web.Response:
    """Return the answer of a request that was turned down."""
    body = {"result": None, "success": False, "errors": list(error.errors), "messages": []}
    return web.json_response(body, status=error.status)
