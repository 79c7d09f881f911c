"""One request for a resource: what it wants, and whether it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.kubernetes.access.rules import Attributes
from sandbox.kubernetes.errors import method_not_allowed
from sandbox.kubernetes.storage.selectors import single_name
from sandbox.kubernetes.wire.answers import Answerer, wanted_form


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.kubernetes.access.users import User
    from sandbox.kubernetes.cluster import Cluster
    from sandbox.kubernetes.kinds.resource import Resource
    from sandbox.kubernetes.wire.paths import ResourcePath
    from sandbox.kubernetes.writes.options import Target

_TRUE = frozenset({"true", "1"})
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_OF_COLLECTIONS = frozenset({"list", "watch", "deletecollection"})


@dataclass(frozen=True)
class ResourceRequest:
    """A request with all that is known of it."""

    cluster: Cluster
    http: web.Request
    path: ResourcePath
    user: User
    target: Target

    @property
    def resource(self) -> Resource:
        """Return the resource the path names."""
        return self.target.resource

    @property
    def verb(self) -> str:
        """Return the verb as access rules name it; raise a 405 for a method without one."""
        method, named = self.http.method, bool(self.path.name)
        if method == "GET":
            if self.http.query.get("watch") in _TRUE:
                return "watch"
            return "get" if named else "list"
        if method == "DELETE":
            return "delete" if named else "deletecollection"
        if method not in _VERBS or (not named and method != "POST"):
            raise method_not_allowed()
        return _VERBS[method]

    def require(self, verb: str) -> None:
        """Raise a 403 unless the user may do this here."""
        path, name = self.path, self.path.name
        if verb in _OF_COLLECTIONS and not name:
            name = single_name(self.http.query.get("fieldSelector", ""))
        namespace = self.target.namespace
        attributes = Attributes(verb, path.group, path.plural, path.subresource, namespace, name)
        self.cluster.authorizer.require(self.user, attributes)

    @property
    def answerer(self) -> Answerer:
        """Return what puts objects into the form this client accepts; raise a 406."""
        return Answerer(
            self.cluster.store,
            self.target,
            wanted_form(self.http.headers.get("Accept", "")),
            self.http.query.get("includeObject") or "Metadata",
            self.cluster.now,
        )
