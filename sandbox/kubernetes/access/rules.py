"""Role-based access control, read from the real Role and binding objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.access.users import MASTERS
from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.storage.selectors import matches_label_selector


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.kubernetes.access.users import User
    from sandbox.kubernetes.storage.store import Document, Event, Store

GROUP = "rbac.authorization.k8s.io"
CLUSTER_ROLES = (GROUP, "clusterroles")
CLUSTER_BINDINGS = (GROUP, "clusterrolebindings")
ROLES = (GROUP, "roles")
BINDINGS = (GROUP, "rolebindings")
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True)
class Attributes:
    """What a request wants to do, in the words of access rules.

    With a `path` it is about no resource; `resource` is a plural.
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def resource_path(self) -> str:
        """Return the resource as rules name it, with its subresource."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass
class Authorizer:
    """Says whether a user may do a thing; it reads rules again when a role or binding changed."""

    store: Store
    _known: dict[tuple[str, str], list[Document]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store.subscribe(self._heard)

    def forget(self) -> None:
        """Read all rules again."""
        self._known.clear()

    def _heard(self, event: Event) -> None:
        if event.resource[0] == GROUP:
            self.forget()

    def require(self, user: User, attributes: Attributes) -> None:
        """Raise the 403 of the real server unless the user may."""
        if not self.allows(user, attributes):
            raise forbidden(user, attributes)

    def allows(self, user: User, attributes: Attributes) -> bool:
        """Say whether any rule that is bound to the user grants this."""
        # no rule can lock this group out, as in the real server
        if MASTERS in user.groups:
            return True
        return any(_grants(rule, attributes) for rule in self.rules(user, attributes.namespace))

    def rules(self, user: User, namespace: str) -> list[Document]:
        """Return the rules that hold for a user in a namespace ("" for cluster-wide only)."""
        key = (f"{user.name} {user.groups}", namespace)
        if key not in self._known:
            self._known[key] = list(self._bound(user, namespace))
        return self._known[key]

    def _bound(self, user: User, namespace: str) -> Iterator[Document]:
        for binding in self.store.all(CLUSTER_BINDINGS):
            if _is_meant(user, binding, ""):
                yield from self._role_rules(binding["roleRef"], "")
        for binding in self.store.all(BINDINGS, namespace) if namespace else ():
            if _is_meant(user, binding, namespace):
                yield from self._role_rules(binding["roleRef"], namespace)

    def _role_rules(self, reference: Document, namespace: str) -> list[Document]:
        if reference["kind"] == "Role":
            role = self.store.get(ROLES, namespace, reference["name"])
            return list((role or {}).get("rules") or ())
        role = self.store.get(CLUSTER_ROLES, "", reference["name"]) or {}
        rules = list(role.get("rules") or ())
        for wanted in (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
            rules += self._aggregated(wanted)
        return rules

    def _aggregated(self, wanted: Document) -> list[Document]:
        return [
            rule
            for role in self.store.all(CLUSTER_ROLES)
            if matches_label_selector(wanted, role["metadata"].get("labels") or {})
            for rule in role.get("rules") or ()
        ]


def _is_meant(user: User, binding: Document, namespace: str) -> bool:
    return any(_is_subject(user, s, namespace) for s in binding.get("subjects") or ())


def _is_subject(user: User, subject: Document, namespace: str) -> bool:
    kind, name = subject["kind"], subject["name"]
    if kind == "ServiceAccount":
        return user.name == f"{_ACCOUNT}{subject.get('namespace') or namespace}:{name}"
    return name == user.name if kind == "User" else name in user.groups


def _grants(rule: Document, attributes: Attributes) -> bool:
    if not _has(rule, "verbs", attributes.verb):
        return False
    if attributes.path:
        return any(_covers(url, attributes.path) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _has(rule, "apiGroups", attributes.group)
        and _has_resource(rule, attributes)
        and (not names or attributes.name in names)
    )


def _has(rule: Document, member: str, value: str) -> bool:
    values: list[str] = rule.get(member) or []
    return "*" in values or value in values


def _has_resource(rule: Document, attributes: Attributes) -> bool:
    anywhere = f"*/{attributes.subresource}"
    return _has(rule, "resources", attributes.resource_path) or (
        bool(attributes.subresource) and anywhere in (rule.get("resources") or ())
    )


def _covers(url: str, path: str) -> bool:
    return path.startswith(url[:-1]) if url.endswith("*") else url == path


def forbidden(user: User, attributes: Attributes) -> ApiError:
    """Return the 403, in the real server's words."""
    if attributes.path:
        told = f'User "{user.name}" cannot {attributes.verb} path "{attributes.path}"'
        return ApiError(403, "Forbidden", f"forbidden: {told}", {})
    where = (
        f'in the namespace "{attributes.namespace}"'
        if attributes.namespace
        else "at the cluster scope"
    )
    subject = (
        f"{attributes.resource}.{attributes.group}" if attributes.group else attributes.resource
    )
    named = f'{subject} "{attributes.name}"' if attributes.name else subject
    details: dict[str, Any] = {
        "name": attributes.name,
        "group": attributes.group,
        "kind": attributes.resource,
    }
    message = (
        f'{named} is forbidden: User "{user.name}" cannot {attributes.verb} resource '
        f'"{attributes.resource_path}" in API group "{attributes.group}" {where}'
    )
    return ApiError(403, "Forbidden", message, {k: v for k, v in details.items() if v})
