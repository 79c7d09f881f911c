"""One request to the API: who asks, what for, may they, and the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.access.reviews import REVIEWS
from sandbox.kubernetes.access.rules import Attributes
from sandbox.kubernetes.errors import method_not_allowed, no_such_resource
from sandbox.kubernetes.storage.selectors import single_name
from sandbox.kubernetes.wire.answers import Answerer, answer, answer_json, wanted_form
from sandbox.kubernetes.wire.bodies import (
    APPLY,
    check_apply_options,
    delete_options,
    patcher,
    read_body,
    write_options,
)
from sandbox.kubernetes.wire.lists import list_page
from sandbox.kubernetes.wire.scale import as_scale, scaled
from sandbox.kubernetes.wire.watching import Watch


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.kubernetes.access.users import User
    from sandbox.kubernetes.cluster import Cluster
    from sandbox.kubernetes.kinds.resource import Resource
    from sandbox.kubernetes.wire.paths import ResourcePath
    from sandbox.kubernetes.writes.options import Target

Handler = Callable[[], Awaitable["web.StreamResponse"]]
_TRUE = frozenset({"true", "1"})
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_ACCOUNTS = ("", "serviceaccounts")


@dataclass
class ResourceRequest:
    """A request for a resource; `answer` carries it out."""

    cluster: Cluster
    request: web.Request
    path: ResourcePath
    user: User
    target: Target

    @property
    def resource(self) -> Resource:
        """Return the resource the path names."""
        return self.target.resource

    @property
    def verb(self) -> str:
        """Return the request's verb as access rules name it."""
        method, named = self.request.method, bool(self.path.name)
        if method == "GET":
            if self.request.query.get("watch") in _TRUE:
                return "watch"
            return "get" if named else "list"
        if method == "DELETE":
            return "delete" if named else "deletecollection"
        if method not in _VERBS:
            raise method_not_allowed()
        return _VERBS[method]

    async def answer(self) -> web.StreamResponse:
        """Check access and carry the request out; raise ApiError for a refusal."""
        verb = self.verb
        self._require(verb)
        handler = self._handlers().get((self.path.subresource, verb))
        if handler is None:
            known = {"", *self.resource.subresources}
            raise method_not_allowed() if self.path.subresource in known else no_such_resource()
        return await handler()

    def _handlers(self) -> dict[tuple[str, str], Handler]:
        handlers: dict[tuple[str, str], Handler] = {
            ("", "get"): self._get,
            ("", "list"): self._list,
            ("", "watch"): self._watch,
            ("", "create"): self._create,
            ("", "update"): self._update,
            ("", "patch"): self._patch,
            ("", "delete"): self._delete,
            ("", "deletecollection"): self._delete_collection,
        }
        if "status" in self.resource.subresources:
            handlers["status", "get"] = self._get
            handlers["status", "update"] = self._update
            handlers["status", "patch"] = self._patch
        if "scale" in self.resource.subresources:
            handlers["scale", "get"] = self._get_scale
            handlers["scale", "update"] = self._update_scale
            handlers["scale", "patch"] = self._patch_scale
        if self.resource.key == _ACCOUNTS:
            handlers["token", "create"] = self._create_token
        return handlers

    def _require(self, verb: str) -> None:
        name = self.path.name
        if verb in {"list", "watch", "deletecollection"} and not name:
            name = single_name(self.request.query.get("fieldSelector", ""))
        path = self.path
        attributes = Attributes(
            verb, path.group, path.plural, path.subresource, self.target.namespace, name
        )
        self.cluster.authorizer.require(self.user, attributes)

    @property
    def _answerer(self) -> Answerer:
        return Answerer(
            self.cluster.store,
            self.target,
            wanted_form(self.request.headers.get("Accept", "")),
            self.request.query.get("includeObject") or "Metadata",
            self.cluster.now,
        )

    async def _get(self) -> web.StreamResponse:
        return answer(self._answerer.one(self.cluster.writer.live(self.target)))

    async def _list(self) -> web.StreamResponse:
        answerer = self._answerer
        store, namespace = self.cluster.store, self.target.namespace
        return answer(answerer.page(list_page(store, self.resource, namespace, self.request.query)))

    async def _watch(self) -> web.StreamResponse:
        watch = Watch.asked(self.cluster.store, self._answerer, self.request.query)
        return await watch.stream(self.request)

    async def _create(self) -> web.StreamResponse:
        if self.path.name:
            raise method_not_allowed()
        options = write_options(self.request)
        body = await read_body(self.request)
        document = self.cluster.writer.create(self.target, body, options)
        return answer(self._answerer.one(document), 201, options.warnings)

    async def _update(self) -> web.StreamResponse:
        options = write_options(self.request, self.path.subresource)
        body = await read_body(self.request)
        document = self.cluster.writer.replace(self.target, body, options)
        return answer(self._answerer.one(document), 200, options.warnings)

    async def _patch(self) -> web.StreamResponse:
        content_type = self.request.content_type
        check_apply_options(self.request.query, content_type)
        options = write_options(self.request, self.path.subresource)
        body = await read_body(self.request)
        if content_type == APPLY:
            if not self.cluster.exists(self.target):
                self._require("create")
            document, new = self.cluster.writer.apply(self.target, body, options)
            return answer(self._answerer.one(document), 201 if new else 200, options.warnings)
        change = patcher(self.resource, content_type, body)
        document = self.cluster.writer.patch(self.target, change, options)
        return answer(self._answerer.one(document), 200, options.warnings)

    async def _delete(self) -> web.StreamResponse:
        options = await delete_options(self.request)
        live = self.cluster.writer.live(self.target)
        last = self.cluster.remover.delete(self.resource, live, options)
        if self.cluster.exists(self.target) and not options.dry_run:
            return answer(self._answerer.one(last))
        return answer_json(self._deleted(last))

    def _deleted(self, last: dict[str, Any]) -> dict[str, Any]:
        details = {
            "name": last["metadata"]["name"],
            "group": self.resource.group,
            "kind": self.resource.plural,
            "uid": last["metadata"]["uid"],
        }
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {k: v for k, v in details.items() if v},
        }

    async def _delete_collection(self) -> web.StreamResponse:
        options = await delete_options(self.request)
        answerer, query = self._answerer, self.request.query
        page = list_page(self.cluster.store, self.resource, self.target.namespace, query)
        for document in page.documents:
            self.cluster.remover.delete(self.resource, document, options)
        return answer(answerer.page(page))

    async def _get_scale(self) -> web.StreamResponse:
        return answer_json(as_scale(self.cluster.writer.live(self.target)))

    async def _update_scale(self) -> web.StreamResponse:
        body = await read_body(self.request)
        return self._scale(lambda _: body)

    async def _patch_scale(self) -> web.StreamResponse:
        body = await read_body(self.request)
        return self._scale(patcher(self.resource, self.request.content_type, body))

    def _scale(self, change: Callable[[dict[str, Any]], Any]) -> web.Response:
        options = write_options(self.request, "scale")
        document = self.cluster.writer.patch(
            self.target, lambda live: scaled(live, change(as_scale(live))), options
        )
        return answer_json(as_scale(document))

    async def _create_token(self) -> web.StreamResponse:
        body = await read_body(self.request)
        name = self.path.name
        account = self.cluster.store.get(self.resource.key, self.target.namespace, name)
        request = self.cluster.reviewer.token_request(self.resource, account, name, body)
        return answer_json(request, 201)


async def answer_review(
    cluster: Cluster, request: web.Request, path: ResourcePath, user: User
) -> web.StreamResponse:
    """Answer a review; raise a 405 for anything but a create."""
    if request.method != "POST" or path.name:
        raise method_not_allowed()
    cluster.authorizer.require(
        user, Attributes("create", path.group, path.plural, namespace=path.namespace)
    )
    kind, _ = REVIEWS[path.group, path.plural]
    question = {"apiVersion": f"{path.group}/v1", "kind": kind, **await read_body(request)}
    return answer_json(cluster.reviewer.answer(path.plural, question, user), 201)
