"""Who may do what: tokens, roles, and the refusals of a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.kubernetes.access.rules import Attributes
from sandbox.kubernetes.access.users import service_account
from sandbox.kubernetes.server import Kubernetes


if TYPE_CHECKING:
    from tests.contract.kubernetes.conftest import Rig

RBAC = "rbac.authorization.k8s.io/v1"
GATEWAYS = "gateway.networking.k8s.io"


def role(
    name: str, *rules: dict[str, Any], namespace: str = "", to: str = "", **more: Any
) -> list[dict[str, Any]]:
    """Return a role with these rules, bound to a ServiceAccount `NAMESPACE/NAME`."""
    kind = "Role" if namespace else "ClusterRole"
    place = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **place, **more.pop("metadata", {})}
    account, _, account_name = to.partition("/")
    made = {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "rules": list(rules), **more}
    binding = {
        "apiVersion": RBAC,
        "kind": f"{kind}Binding",
        "metadata": {"name": name, **place},
        "roleRef": {"kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "namespace": account, "name": account_name}],
    }
    return [made, binding] if to else [made]


def rule(verbs: str, resources: str, group: str = "", **more: Any) -> dict[str, Any]:
    """Return one rule."""
    return {"verbs": verbs.split(), "resources": resources.split(), "apiGroups": [group], **more}


RULES = [
    *role("reader", rule("get list", "configmaps"), namespace="dns", to="apps/bot"),
    *role(
        "one",
        rule("get patch", "configmaps", resourceNames=["hosts"]),
        namespace="own",
        to="apps/bot",
    ),
    *role("everywhere", rule("get", "gateways gateways/status", GATEWAYS), to="apps/bot"),
    *role("metrics", {"nonResourceURLs": ["/metrics/*"], "verbs": ["get"]}, to="apps/bot"),
    *role("scales", rule("update", "*/scale", "apps"), namespace="dns", to="apps/bot"),
    *role(
        "gathered",
        to="apps/gatherer",
        aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"gather": "yes"}}]},
    ),
    *role("part", rule("watch", "secrets"), metadata={"labels": {"gather": "yes"}}),
]


@pytest.fixture(scope="module")
def ruled() -> Kubernetes:
    """Return a cluster with these roles and bindings."""
    kubernetes = Kubernetes()
    assert kubernetes.load_objects(RULES) == []
    return kubernetes


@pytest.mark.parametrize(
    ("account", "attributes", "allowed"),
    [
        ("apps/bot", Attributes("get", "", "configmaps", namespace="dns", name="x"), True),
        ("apps/bot", Attributes("delete", "", "configmaps", namespace="dns", name="x"), False),
        ("apps/bot", Attributes("get", "", "configmaps", namespace="other", name="x"), False),
        ("apps/bot", Attributes("list", "", "configmaps"), False),
        ("apps/other", Attributes("get", "", "configmaps", namespace="dns", name="x"), False),
        ("apps/bot", Attributes("patch", "", "configmaps", namespace="own", name="hosts"), True),
        ("apps/bot", Attributes("patch", "", "configmaps", namespace="own", name="else"), False),
        ("apps/bot", Attributes("create", "", "configmaps", namespace="own"), False),
        ("apps/bot", Attributes("get", GATEWAYS, "gateways", namespace="any", name="x"), True),
        ("apps/bot", Attributes("get", GATEWAYS, "gateways", "status", "any", "x"), True),
        ("apps/bot", Attributes("get", GATEWAYS, "httproutes", namespace="any", name="x"), False),
        ("apps/bot", Attributes("get", "", "gateways", namespace="any", name="x"), False),
        ("apps/bot", Attributes("update", "apps", "deployments", "scale", "dns", "x"), True),
        ("apps/bot", Attributes("update", "apps", "deployments", namespace="dns", name="x"), False),
        ("apps/bot", Attributes("get", path="/metrics/all"), True),
        ("apps/bot", Attributes("get", path="/metrics"), False),
        ("apps/bot", Attributes("get", path="/version"), True),
        ("apps/gatherer", Attributes("watch", "", "secrets", namespace="x"), True),
        ("apps/gatherer", Attributes("get", "", "secrets", namespace="x"), False),
    ],
)
def test_rules_grant_what_they_say(
    ruled: Kubernetes, account: str, attributes: Attributes, *, allowed: bool
) -> None:
    """Verbs, groups, resources, subresources, names, namespaces, URLs and aggregation count."""
    user = service_account(*account.split("/"))

    assert ruled.cluster.authorizer.allows(user, attributes) is allowed


def test_a_rule_holds_from_the_moment_it_is_written(ruled: Kubernetes) -> None:
    """Binding and unbinding work at once, though rules are remembered."""
    user, wanted = service_account("apps", "late"), Attributes("get", "", "nodes", name="n")
    authorizer = ruled.cluster.authorizer
    assert not authorizer.allows(user, wanted)

    ruled.load_objects(role("late", rule("get", "nodes"), to="apps/late"))
    assert authorizer.allows(user, wanted)
    ruled.delete("ClusterRoleBinding", "", "late")
    assert not authorizer.allows(user, wanted)


@pytest.fixture(scope="module")
def bot(rig: Rig) -> str:
    """Return the token of an account that may read ConfigMaps in `dns`."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "bot", "namespace": "apps"},
    }
    assert rig.kubernetes.load_objects([account, *RULES]) == []
    return rig.kubernetes.service_account_token("apps", "bot")


BOT = 'User "system:serviceaccount:apps:bot"'


@pytest.mark.parametrize(
    ("method", "path", "who", "what"),
    [
        (
            "GET",
            "/api/v1/namespaces/own/configmaps/x",
            'configmaps "x" is forbidden',
            'get resource "configmaps" in API group "" in the namespace "own"',
        ),
        (
            "GET",
            f"/apis/{GATEWAYS}/v1/httproutes",
            f"httproutes.{GATEWAYS} is forbidden",
            f'list resource "httproutes" in API group "{GATEWAYS}" at the cluster scope',
        ),
        (
            "PATCH",
            f"/apis/{GATEWAYS}/v1/namespaces/own/gateways/gw/status",
            f'gateways.{GATEWAYS} "gw" is forbidden',
            f'patch resource "gateways/status" in API group "{GATEWAYS}" in the namespace "own"',
        ),
        ("GET", "/logs", "forbidden", 'get path "/logs"'),
    ],
)
def test_refusals_say_who_what_and_where(
    rig: Rig, bot: str, *, method: str, path: str, who: str, what: str
) -> None:
    """The 403 has the real server's sentence."""
    answer = rig.http(bot).request(method, path)

    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    assert answer.json()["message"] == f"{who}: {BOT} cannot {what}"


@pytest.mark.parametrize(
    ("token", "code", "reason"),
    [("", 403, "Forbidden"), ("nonsense", 401, "Unauthorized"), ("a.b.c", 401, "Unauthorized")],
)
def test_strangers_are_turned_away(rig: Rig, token: str, code: int, reason: str) -> None:
    """Without a token one is anonymous; with a false one, nobody."""
    answer = rig.http(token).get("/api/v1/namespaces")

    assert (answer.status_code, answer.json()["reason"]) == (code, reason)
    assert rig.http("").get("/version").json()["minor"] == "37"


def test_a_token_ends_with_its_time_and_with_its_account() -> None:
    """Tokens expire; a new account of the same name does not inherit the old one's."""
    now = [1_800_000_000.0]
    kubernetes = Kubernetes(now=lambda: now[0])
    authenticator = kubernetes.cluster.authenticator
    short = kubernetes.service_account_token("default", "default", seconds=600)
    endless = kubernetes.service_account_token("default", "default")
    now[0] += 601
    assert authenticator.of_token(short) is None
    assert authenticator.of_token(endless)

    kubernetes.delete("ServiceAccount", "default", "default")
    assert authenticator.of_token(endless) is None
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    kubernetes.apply(account, "tests")
    assert authenticator.of_token(endless) is None


def test_a_token_secret_is_filled(kubernetes: Kubernetes) -> None:
    """A Secret made for an account's token gets one that works."""
    annotations = {"kubernetes.io/service-account.name": "default"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "t", "namespace": "default", "annotations": annotations},
        "type": "kubernetes.io/service-account-token",
    }
    kubernetes.apply(secret, "tests")
    filled = kubernetes.get("Secret", "default", "t")

    assert filled
    assert set(filled["data"]) == {"token", "namespace"}


def test_creating_by_apply_needs_leave_to_create(rig: Rig, bot: str) -> None:
    """With patch alone one can apply over what is there, not bring in what is not."""
    http = rig.http(bot)
    headers = {"Content-Type": "application/apply-patch+yaml"}
    path = "/api/v1/namespaces/own/configmaps/hosts"
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "hosts"},
        "data": {"a": "1"},
    }
    refused = http.patch(path, params={"fieldManager": "bot"}, json=body, headers=headers)
    assert refused.status_code == 403
    assert "cannot create resource" in refused.json()["message"]

    rig.kubernetes.load_objects(
        [{**body, "metadata": {"name": "hosts", "namespace": "own"}}], "git"
    )
    assert http.patch(path, params={"fieldManager": "bot"}, json=body, headers=headers).is_success
