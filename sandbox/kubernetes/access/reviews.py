"""Requests that ask about access: token requests and the review kinds, which store nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.access.rules import Attributes
from sandbox.kubernetes.access.users import AUDIENCE, User, service_account
from sandbox.kubernetes.errors import not_found
from sandbox.kubernetes.writes.metadata import timestamp


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.kubernetes.access.rules import Authorizer
    from sandbox.kubernetes.access.users import Authenticator
    from sandbox.kubernetes.kinds.resource import Resource

Document = dict[str, Any]

AUTHENTICATION, AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
REVIEWS = {
    (AUTHENTICATION, "tokenreviews"): ("TokenReview", False),
    (AUTHENTICATION, "selfsubjectreviews"): ("SelfSubjectReview", False),
    (AUTHORIZATION, "selfsubjectaccessreviews"): ("SelfSubjectAccessReview", False),
    (AUTHORIZATION, "subjectaccessreviews"): ("SubjectAccessReview", False),
    (AUTHORIZATION, "localsubjectaccessreviews"): ("LocalSubjectAccessReview", True),
    (AUTHORIZATION, "selfsubjectrulesreviews"): ("SelfSubjectRulesReview", False),
}


@dataclass
class Reviewer:
    """Answers reviews: each is the question with a status added."""

    authenticator: Authenticator
    authorizer: Authorizer

    def answer(self, plural: str, question: Document, user: User) -> Document:
        """Return the review with its status."""
        spec = question.get("spec") or {}
        answers: dict[str, Callable[[], Document]] = {
            "tokenreviews": lambda: self._token(spec),
            "selfsubjectreviews": lambda: {"userInfo": user.as_json()},
            "selfsubjectrulesreviews": lambda: self._rules(user, spec.get("namespace", "")),
            "selfsubjectaccessreviews": lambda: self._access(user, spec),
        }
        of_another = _subject(spec)
        status = answers.get(plural, lambda: self._access(of_another, spec))()
        return {**question, "metadata": question.get("metadata") or {}, "status": status}

    def token_request(
        self, accounts: Resource, account: Document | None, name: str, body: Document
    ) -> Document:
        """Return a TokenRequest with a token for a ServiceAccount; raise a 404 without one."""
        if account is None:
            raise not_found(accounts, name)
        spec = body.get("spec") or {}
        seconds = spec.get("expirationSeconds") or 3600
        audiences = spec.get("audiences") or [AUDIENCE]
        token, ends = self.authenticator.issue(account, seconds=seconds, audiences=audiences)
        return {
            "kind": "TokenRequest",
            "apiVersion": f"{AUTHENTICATION}/v1",
            "metadata": {"name": name, "namespace": account["metadata"]["namespace"]},
            "spec": {**spec, "audiences": audiences, "expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": timestamp(ends or 0)},
        }

    def _token(self, spec: Document) -> Document:
        user = self.authenticator.of_token(spec.get("token", ""))
        if user is None:
            return {"user": {}, "error": "invalid bearer token"}
        return {"authenticated": True, "user": user.as_json(), "audiences": [AUDIENCE]}

    def _access(self, user: User, spec: Document) -> Document:
        allowed = self.authorizer.allows(user, _attributes(spec))
        return {"allowed": allowed} | ({} if allowed else {"reason": ""})

    def _rules(self, user: User, namespace: str) -> Document:
        rules = self.authorizer.rules(user, namespace)
        if "system:masters" in user.groups:
            everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            rules = [everything, {"verbs": ["*"], "nonResourceURLs": ["*"]}]
        return {
            "resourceRules": [rule for rule in rules if "resources" in rule],
            "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
            "incomplete": False,
        }


def _attributes(spec: Document) -> Attributes:
    told = spec.get("resourceAttributes")
    if told is None:
        told = spec.get("nonResourceAttributes") or {}
        return Attributes(told.get("verb", ""), path=told.get("path", "/"))
    names = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(**{name: told.get(name, "") for name in names})


def _subject(spec: Document) -> User:
    name = spec.get("user", "")
    parts = name.split(":")
    if name.startswith("system:serviceaccount:") and len(parts) == 4:
        return service_account(parts[2], parts[3])
    return User(name, tuple(spec.get("groups") or ()))
