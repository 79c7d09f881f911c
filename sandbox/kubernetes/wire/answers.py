"""Answers in the form the client accepts: the object, a table, or its metadata only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.wire.tables import as_table, only_metadata
from sandbox.kubernetes.writes.parts import in_version


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.kubernetes.storage.store import Document, Store
    from sandbox.kubernetes.wire.lists import Page
    from sandbox.kubernetes.writes.options import Target

_JSON = frozenset({"application/json", "application/*", "*/*", "", "application/yaml"})
Form = Literal["object", "table", "metadata", "aggregated"]
_FORMS: dict[str, Form] = {
    "Table": "table",
    "PartialObjectMetadata": "metadata",
    "PartialObjectMetadataList": "metadata",
    "APIGroupDiscoveryList": "aggregated",
}


def wanted_form(accept: str) -> Form:
    """Return the first form in an Accept header that we can give; raise a 406 without one."""
    for choice in accept.split(","):
        media_type, *parameters = (part.strip() for part in choice.split(";"))
        told = dict(p.split("=", 1) for p in parameters if "=" in p)
        if media_type not in _JSON:
            continue
        if "as" not in told:
            return "object"
        known = _known_form(told)
        if known:
            return known
    message = "only the following media types are accepted: application/json, application/yaml"
    raise ApiError(406, "NotAcceptable", message)


def _known_form(told: dict[str, str]) -> Form | None:
    if told["as"] == "APIGroupDiscoveryList" and told.get("v") != "v2":
        return None
    if told["as"] == "Table" and told.get("v") != "v1":
        return None
    return _FORMS.get(told["as"])


@dataclass(frozen=True)
class Answerer:
    """Puts objects of one request into the form that was asked for."""

    store: Store
    target: Target
    form: Form
    include: str
    now: Callable[[], float]

    def one(self, document: Document) -> str:
        """Return an object as JSON."""
        shown = in_version(document, self.target.api_version)
        if self.form == "table":
            version = {"resourceVersion": document["metadata"].get("resourceVersion", "")}
            return _dumps(self._table([shown], version))
        if self.form == "metadata":
            return _dumps(only_metadata(shown))
        return self.store.text(shown) if shown is document else _dumps(shown)

    def page(self, page: Page) -> str:
        """Return a list as JSON."""
        if self.form == "table":
            shown = [in_version(d, self.target.api_version) for d in page.documents]
            return _dumps(self._table(shown, page.metadata))
        kind, version = f"{self.target.resource.kind}List", self.target.api_version
        if self.form == "metadata":
            kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
        head = _dumps({"kind": kind, "apiVersion": version, "metadata": page.metadata})
        return f'{head[:-1]},"items":[{",".join(self.one(d) for d in page.documents)}]}}'

    def _table(self, shown: Sequence[Document], metadata: dict[str, Any]) -> Document:
        return as_table(self.target.resource, shown, metadata, self.include, self.now())


def _dumps(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"))


def answer(text: str, status: int = 200, warnings: Sequence[str] = ()) -> web.Response:
    """Return a JSON response, with a Warning header for each warning."""
    response = web.Response(text=text, status=status, content_type="application/json")
    for warning in dict.fromkeys(warnings):
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


def answer_json(document: Any, status: int = 200) -> web.Response:
    """Return any JSON."""
    return answer(_dumps(document), status)


def answer_error(error: ApiError) -> web.Response:
    """Return a refusal as the Status that clients understand."""
    return answer_json(error.as_status(), error.code)
