"""What each verb does with a resource, its status, its scale, its token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import method_not_allowed, no_such_resource
from sandbox.kubernetes.wire.answers import answer, answer_json
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

    from sandbox.kubernetes.kinds.resource import Resource
    from sandbox.kubernetes.requests import ResourceRequest

Handler = Callable[["ResourceRequest"], Awaitable["web.StreamResponse"]]
_ACCOUNTS = ("", "serviceaccounts")


async def handle(request: ResourceRequest) -> web.StreamResponse:
    """Check access and carry a request out; raise ApiError for a refusal."""
    verb, subresource = request.verb, request.path.subresource
    request.require(verb)
    # without a namespace a namespaced kind can only be looked through
    homeless = request.resource.namespaced and not request.target.namespace
    if homeless and verb not in {"list", "watch"}:
        raise method_not_allowed()
    handler = _handlers(request.resource).get((subresource, verb))
    if handler:
        return await handler(request)
    known = {"", *request.resource.subresources}
    raise method_not_allowed() if subresource in known else no_such_resource()


def _handlers(resource: Resource) -> dict[tuple[str, str], Handler]:
    found: dict[tuple[str, str], Handler] = {("", verb): do for verb, do in _MAIN.items()}
    for subresource in resource.subresources:
        found |= {(subresource, verb): do for verb, do in _PARTS[subresource].items()}
    if resource.key == _ACCOUNTS:
        found["token", "create"] = _create_token
    return found


async def _get(request: ResourceRequest) -> web.StreamResponse:
    live = request.cluster.writer.live(request.target)
    return answer(request.answerer.one(live))


async def _list(request: ResourceRequest) -> web.StreamResponse:
    store, namespace = request.cluster.store, request.target.namespace
    page = list_page(store, request.resource, namespace, request.http.query)
    return answer(request.answerer.page(page))


async def _watch(request: ResourceRequest) -> web.StreamResponse:
    watch = Watch.asked(request.cluster.store, request.answerer, request.http.query)
    return await watch.stream(request.http)


async def _create(request: ResourceRequest) -> web.StreamResponse:
    if request.path.name:
        raise method_not_allowed()
    answerer, options = request.answerer, write_options(request.http)
    body = await read_body(request.http)
    document = request.cluster.writer.create(request.target, body, options)
    return answer(answerer.one(document), 201, options.warnings)


async def _update(request: ResourceRequest) -> web.StreamResponse:
    answerer = request.answerer
    options = write_options(request.http, request.path.subresource)
    body = await read_body(request.http)
    document = request.cluster.writer.replace(request.target, body, options)
    return answer(answerer.one(document), 200, options.warnings)


async def _patch(request: ResourceRequest) -> web.StreamResponse:
    answerer, content_type = request.answerer, request.http.content_type
    check_apply_options(request.http.query, content_type)
    options = write_options(request.http, request.path.subresource)
    body = await read_body(request.http)
    writer, status = request.cluster.writer, 200
    if content_type == APPLY:
        # patch alone does not let anyone bring new objects in
        if not request.cluster.exists(request.target):
            request.require("create")
        document, new = writer.apply(request.target, body, options)
        status = 201 if new else 200
    else:
        change = patcher(request.resource, content_type, body)
        document = writer.patch(request.target, change, options)
    return answer(answerer.one(document), status, options.warnings)


async def _delete(request: ResourceRequest) -> web.StreamResponse:
    options = await delete_options(request.http)
    live = request.cluster.writer.live(request.target)
    last = request.cluster.remover.delete(request.resource, live, options)
    if request.cluster.exists(request.target) and not options.dry_run:
        return answer(request.answerer.one(last))
    return answer_json(_deleted(request.resource, last))


def _deleted(resource: Resource, last: dict[str, Any]) -> dict[str, Any]:
    metadata = last["metadata"]
    details = {"name": metadata["name"], "kind": resource.plural, "uid": metadata["uid"]}
    if resource.group:
        details["group"] = resource.group
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return {**status, "details": details}


async def _delete_collection(request: ResourceRequest) -> web.StreamResponse:
    options = await delete_options(request.http)
    store, namespace = request.cluster.store, request.target.namespace
    page = list_page(store, request.resource, namespace, request.http.query)
    for document in page.documents:
        request.cluster.remover.delete(request.resource, document, options)
    return answer(request.answerer.page(page))


async def _get_scale(request: ResourceRequest) -> web.StreamResponse:
    return answer_json(as_scale(request.cluster.writer.live(request.target)))


async def _update_scale(request: ResourceRequest) -> web.StreamResponse:
    body = await read_body(request.http)
    return _scale(request, lambda _: body)


async def _patch_scale(request: ResourceRequest) -> web.StreamResponse:
    body = await read_body(request.http)
    return _scale(request, patcher(request.resource, request.http.content_type, body))


def _scale(request: ResourceRequest, change: Callable[[dict[str, Any]], Any]) -> web.StreamResponse:
    options = write_options(request.http, "scale")
    document = request.cluster.writer.patch(
        request.target, lambda live: scaled(live, change(as_scale(live))), options
    )
    return answer_json(as_scale(document))


async def _create_token(request: ResourceRequest) -> web.StreamResponse:
    body = await read_body(request.http)
    resource, name = request.resource, request.path.name
    account = request.cluster.store.get(resource.key, request.target.namespace, name)
    reviewer = request.cluster.reviewer
    return answer_json(reviewer.token_request(resource, account, name, body), 201)


_MAIN: dict[str, Handler] = {
    "get": _get,
    "list": _list,
    "watch": _watch,
    "create": _create,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
    "deletecollection": _delete_collection,
}
_PARTS: dict[str, dict[str, Handler]] = {
    "status": {"get": _get, "update": _update, "patch": _patch},
    "scale": {"get": _get_scale, "update": _update_scale, "patch": _patch_scale},
}
