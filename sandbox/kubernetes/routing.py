"""From a URL to the part of the server that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.kubernetes.access.reviews import REVIEWS
from sandbox.kubernetes.access.rules import Attributes
from sandbox.kubernetes.access.users import User, service_account
from sandbox.kubernetes.errors import ApiError, method_not_allowed, no_such_resource
from sandbox.kubernetes.handlers import handle
from sandbox.kubernetes.requests import ResourceRequest
from sandbox.kubernetes.wire import discovery, openapi
from sandbox.kubernetes.wire.answers import answer_error, answer_json, wanted_form
from sandbox.kubernetes.wire.bodies import read_body
from sandbox.kubernetes.wire.paths import ResourcePath, resource_path
from sandbox.kubernetes.writes.options import Target


if TYPE_CHECKING:
    from sandbox.kubernetes.cluster import Cluster

VERSION = {
    "major": "1",
    "minor": "37",
    "gitVersion": "v1.37.1",
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "2026-11-01T00:00:00Z",
    "goVersion": "go1.26",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
_ACCOUNT = "system:serviceaccount:"


@dataclass
class Router:
    """Answers every request to the API port."""

    cluster: Cluster

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; refusals become Status objects."""
        try:
            return await self._answer(request)
        except ApiError as error:
            return answer_error(error)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        # who asks comes first: a stranger does not learn what is served
        user = self._user(request)
        path = resource_path(request.path)
        if path is None:
            attributes = Attributes(request.method.lower(), path=request.path)
            self.cluster.authorizer.require(user, attributes)
            return self._answer_plain(request)
        if (path.group, path.plural) in REVIEWS and path.version == "v1":
            return await self._review(request, path, user)
        target = self._target(path)
        return await handle(ResourceRequest(self.cluster, request, path, user, target))

    async def _review(
        self, request: web.Request, path: ResourcePath, user: User
    ) -> web.StreamResponse:
        if request.method != "POST" or path.name:
            raise method_not_allowed()
        wanted = Attributes("create", path.group, path.plural, namespace=path.namespace)
        self.cluster.authorizer.require(user, wanted)
        kind, _ = REVIEWS[path.group, path.plural]
        question = {"apiVersion": f"{path.group}/v1", "kind": kind, **await read_body(request)}
        return answer_json(self.cluster.reviewer.answer(path.plural, question, user), 201)

    def _target(self, path: ResourcePath) -> Target:
        resource = self.cluster.kinds.find(path.group, path.version, path.plural)
        if resource is None or (path.namespace and not resource.namespaced):
            raise no_such_resource()
        return Target(resource, path.version, path.namespace, path.name)

    def _user(self, request: web.Request) -> User:
        """Return who asks, or for whom: `kubectl --as` needs leave to impersonate."""
        user = self.cluster.authenticator.user(request.headers.get("Authorization", ""))
        name = request.headers.get("Impersonate-User")
        if not name:
            return user
        groups = request.headers.getall("Impersonate-Group", [])
        for resource, named in (("users", name), *(("groups", group) for group in groups)):
            wanted = Attributes("impersonate", resource=resource, name=named)
            self.cluster.authorizer.require(user, wanted)
        parts = name.removeprefix(_ACCOUNT).split(":")
        if name.startswith(_ACCOUNT) and len(parts) == 2:
            return service_account(parts[0], parts[1])
        return User(name, (*groups, "system:authenticated"))

    def _answer_plain(self, request: web.Request) -> web.Response:
        path = request.path.rstrip("/")
        if path in _HEALTH:
            return web.Response(text="ok")
        document = self._document(request, path)
        if document is None:
            raise no_such_resource()
        return document if isinstance(document, web.Response) else answer_json(document)

    def _document(self, request: web.Request, path: str) -> Any:
        root, _, rest = path.removeprefix("/").partition("/")
        if not root:
            return {"paths": discovery.paths(self.cluster.kinds)}
        if root == "version":
            return VERSION
        if root == "openapi":
            return openapi.answer(self.cluster.kinds, rest)
        if path in {"/api", "/apis"}:
            return self._discovered(request, core=path == "/api")
        return self._listed(root, rest)

    def _listed(self, root: str, rest: str) -> Any:
        """Return what a group or a version of it serves."""
        kinds = self.cluster.kinds
        group, _, version = rest.rpartition("/")
        if root == "apis" and not group:
            versions = discovery.groups(kinds).get(rest)
            return versions and discovery.api_group(rest, versions)
        return discovery.resource_list(kinds, group, version) if root in {"api", "apis"} else None

    def _discovered(self, request: web.Request, *, core: bool) -> Any:
        kinds = self.cluster.kinds
        if wanted_form(request.headers.get("Accept", "")) == "aggregated":
            response = answer_json(discovery.aggregated(kinds, core=core))
            response.headers["Content-Type"] = discovery.AGGREGATED
            return response
        return discovery.core_versions(request.host) if core else discovery.group_list(kinds)
