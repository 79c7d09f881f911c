"""What a write may be, what it changes, and how it is refused: in process, without the wire."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.writes.options import DeleteOptions, WriteOptions


if TYPE_CHECKING:
    from sandbox.kubernetes.server import Kubernetes

Document = dict[str, Any]


def thing(kind: str, name: str, api: str = "v1", **rest: Any) -> Document:
    """Return an object in the namespace `default`."""
    metadata = {"name": name, "namespace": "default", **rest.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def deployment(name: str = "web", **spec: Any) -> Document:
    """Return a Deployment of one container."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
    }
    selector = {"matchLabels": {"app": name}}
    return thing(
        "Deployment", name, "apps/v1", spec={"selector": selector, "template": template, **spec}
    )


GATEWAY_API = "gateway.networking.k8s.io/v1"


def gateway(name: str = "gw", **spec: Any) -> Document:
    """Return a Gateway with one listener."""
    listener = {"name": "https", "port": 443, "protocol": "HTTPS"}
    return thing(
        "Gateway",
        name,
        GATEWAY_API,
        spec={"gatewayClassName": "x", "listeners": [listener], **spec},
    )


def create(kubernetes: Kubernetes, document: Document, **options: Any) -> Document:
    """Create an object as a client does."""
    cluster = kubernetes.cluster
    return cluster.writer.create(
        cluster.target_of(document), document, WriteOptions("tests", **options)
    )


def replace(kubernetes: Kubernetes, document: Document, **options: Any) -> Document:
    """Replace an object as a client does."""
    cluster = kubernetes.cluster
    return cluster.writer.replace(
        cluster.target_of(document), document, WriteOptions("tests", **options)
    )


def refused(work: Any, *arguments: Any, **options: Any) -> ApiError:
    """Return the error that a call ends in."""
    with pytest.raises(ApiError) as caught:
        work(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        pytest.param(
            thing("ConfigMap", "c", data={"a": 1}),
            400,
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal '
            "number into Go struct field ConfigMap.data of type string",
            id="a number for text",
        ),
        pytest.param(
            thing("ConfigMap", "c", dataa={}, more=1),
            400,
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
            'unknown field "dataa", unknown field "more"',
            id="unknown fields",
        ),
        pytest.param(
            deployment(replicas="two"),
            400,
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
            "string into Go struct field DeploymentSpec.spec.replicas of type int32",
            id="text for a number",
        ),
        pytest.param(
            thing("HTTPRoute", "r", GATEWAY_API, spec={"hostnames": "a.b"}),
            422,
            'HTTPRoute.gateway.networking.k8s.io "r" is invalid: spec.hostnames: Invalid value: '
            '"string": spec.hostnames in body must be of type array: "string"',
            id="a custom kind's type",
        ),
        pytest.param(
            gateway(listeners=[{"name": "a", "port": 1, "protocol": "X", "tls": {"mode": "Open"}}]),
            422,
            'Gateway.gateway.networking.k8s.io "gw" is invalid: spec.listeners[0].tls.mode: '
            'Unsupported value: "Open": supported values: "Passthrough", "Terminate"',
            id="a value outside its enumeration",
        ),
        pytest.param(
            thing("Gateway", "gw", GATEWAY_API, spec={}),
            422,
            'Gateway.gateway.networking.k8s.io "gw" is invalid: [spec.gatewayClassName: Required '
            "value, spec.listeners: Required value]",
            id="missing fields",
        ),
        pytest.param(
            thing("ConfigMap", "No_Way"),
            422,
            'ConfigMap "No_Way" is invalid: metadata.name: Invalid value: "No_Way": a lowercase '
            "RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
            r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            id="a name that is none",
        ),
        pytest.param(
            thing("ConfigMap", "c", data={"a b": "1"}),
            422,
            'ConfigMap "c" is invalid: data[a b]: Invalid value: "a b": a valid config key must '
            "consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
            "  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
            id="a key that is none",
        ),
        pytest.param(
            thing("ConfigMap", "c", data={"a": "x" * 1_048_577}),
            422,
            'ConfigMap "c" is invalid: []: Too long: may not be more than 1048576 bytes',
            id="more than etcd takes",
        ),
        pytest.param(
            thing("Secret", "s", data={"a": "abc*"}),
            400,
            'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input '
            "byte 3",
            id="data that is not base64",
        ),
        pytest.param(
            thing("Service", "s", spec={"ports": [{"port": 70000}]}),
            422,
            'Service "s" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 '
            "and 65535, inclusive",
            id="a port that is none",
        ),
        pytest.param(
            deployment(selector={"matchLabels": {"app": "other"}}),
            422,
            'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: '
            '{"app":"web"}: `selector` does not match template `labels`',
            id="a selector that misses its pods",
        ),
        pytest.param(
            thing("ConfigMap", "c", metadata={"namespace": "nowhere"}),
            404,
            'namespaces "nowhere" not found',
            id="a namespace that is not there",
        ),
        pytest.param(
            thing("ConfigMap", "c", metadata={"resourceVersion": "7"}),
            500,
            "resourceVersion should not be set on objects to be created",
            id="a version for what is new",
        ),
        pytest.param(
            thing("ConfigMap", "c", metadata={"labels": {"a": "b c"}}),
            422,
            'ConfigMap "c" is invalid: metadata.labels: Invalid value: "b c": a valid label must '
            "be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
            "'12345', regex used for validation is "
            "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            id="a label that is none",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_the_server_s_words(
    kubernetes: Kubernetes, document: Document, code: int, message: str
) -> None:
    """Each refusal has the real code and text, and nothing is stored."""
    error = refused(create, kubernetes, document, strictness="Strict")

    assert (error.code, error.message) == (code, message)
    assert kubernetes.get(document["kind"], "default", document["metadata"]["name"]) is None


def test_causes_are_listed_for_machines(kubernetes: Kubernetes) -> None:
    """A 422 carries each cause with its field."""
    error = refused(create, kubernetes, thing("Gateway", "gw", GATEWAY_API, spec={}))

    assert error.as_status()["details"] == {
        "name": "gw",
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "causes": [
            {
                "reason": "FieldValueRequired",
                "message": "Required value",
                "field": f"spec.{name}",
            }
            for name in ("gatewayClassName", "listeners")
        ],
    }


@pytest.mark.parametrize(
    ("strictness", "warned"), [("Warn", ['unknown field "x"']), ("Ignore", [])]
)
def test_lenient_writes_drop_unknown_fields(
    kubernetes: Kubernetes, strictness: str, warned: list[str]
) -> None:
    """Without Strict, unknown fields vanish, with a warning or without."""
    options = WriteOptions("tests", strictness=strictness)
    document = thing("ConfigMap", "c", x=1, data={"a": "1"})
    cluster = kubernetes.cluster
    stored = cluster.writer.create(cluster.target_of(document), document, options)

    assert (stored["data"], "x" in stored, options.warnings) == ({"a": "1"}, False, warned)


def test_a_generation_counts_changes_of_the_spec_only(kubernetes: Kubernetes) -> None:
    """Labels and status change the version, not the generation; no change changes neither."""
    create(kubernetes, gateway())
    kubernetes.patch("Gateway", "default", "gw", {"metadata": {"labels": {"a": "b"}}}, "tests")
    status = {"addresses": [{"type": "IPAddress", "value": "100.64.0.1"}]}
    kubernetes.patch_status("Gateway", "default", "gw", status, "tests")
    before = kubernetes.get("Gateway", "default", "gw")
    assert before
    assert before["metadata"]["generation"] == 1
    kubernetes.patch_status("Gateway", "default", "gw", status, "tests")
    assert kubernetes.get("Gateway", "default", "gw") == before

    kubernetes.patch("Gateway", "default", "gw", {"spec": {"gatewayClassName": "y"}}, "tests")
    after = kubernetes.get("Gateway", "default", "gw")
    assert after
    assert after["metadata"]["generation"] == 2
    assert int(after["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


def test_status_and_spec_are_written_apart(kubernetes: Kubernetes) -> None:
    """The object's own writes cannot touch the status, nor the status's writes the spec."""
    create(kubernetes, gateway() | {"status": {"addresses": [{"value": "1.2.3.4"}]}})
    live = kubernetes.get("Gateway", "default", "gw")
    assert live
    assert "addresses" not in live["status"]
    conditions = {c["type"]: c["status"] for c in live["status"]["conditions"]}
    assert conditions == {"Accepted": "Unknown", "Programmed": "Unknown"}

    live["spec"]["gatewayClassName"] = "other"
    live["status"] = {"addresses": [{"type": "IPAddress", "value": "100.64.0.9"}]}
    after = replace(kubernetes, live, subresource="status")
    assert after["spec"]["gatewayClassName"] == "x"
    assert after["status"]["addresses"][0]["value"] == "100.64.0.9"


def test_a_stale_version_is_a_conflict_for_every_way_to_write(kubernetes: Kubernetes) -> None:
    """Replace, patch and apply all refuse an outdated resourceVersion, in the same words."""
    stale = create(kubernetes, thing("ConfigMap", "c", data={"a": "1"}))
    kubernetes.patch("ConfigMap", "default", "c", {"data": {"a": "2"}}, "tests")
    old = {"metadata": {"resourceVersion": stale["metadata"]["resourceVersion"]}}
    cluster = kubernetes.cluster
    target = cluster.target_of(stale)
    applied = thing("ConfigMap", "c", data={"b": "1"}, metadata=old["metadata"])

    for error in (
        refused(replace, kubernetes, stale),
        refused(kubernetes.patch, "ConfigMap", "default", "c", old, "tests"),
        refused(cluster.writer.apply, target, applied, WriteOptions("tests", force=True)),
    ):
        assert (error.code, error.reason) == (409, "Conflict")
        assert error.message == (
            'Operation cannot be fulfilled on configmaps "c": the object has been modified; '
            "please apply your changes to the latest version and try again"
        )


def test_a_custom_object_is_not_replaced_blindly(kubernetes: Kubernetes) -> None:
    """Custom kinds need a resourceVersion to be replaced; core kinds do not."""
    create(kubernetes, gateway())
    create(kubernetes, thing("ConfigMap", "c", data={"a": "1"}))

    error = refused(replace, kubernetes, gateway())
    told = "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
    assert error.message == f'gateways.gateway.networking.k8s.io "gw" is invalid: {told}'
    assert error.code == 422
    assert replace(kubernetes, thing("ConfigMap", "c", data={"a": "2"}))["data"] == {"a": "2"}


def test_owners_that_were_forgotten_become_one(kubernetes: Kubernetes) -> None:
    """After a reset nobody is tracked until an apply, which finds all owned by one manager."""
    kubernetes.apply(thing("ConfigMap", "c", data={"a": "1"}), "argocd")
    reset: Document = {"metadata": {"managedFields": [{}]}}
    kubernetes.patch("ConfigMap", "default", "c", reset, "tests")
    kubernetes.patch("ConfigMap", "default", "c", {"data": {"b": "1"}}, "tests")
    live = kubernetes.get("ConfigMap", "default", "c")
    assert live
    assert "managedFields" not in live["metadata"]

    cluster, ours = kubernetes.cluster, thing("ConfigMap", "c", data={"a": "2"})
    error = refused(cluster.writer.apply, cluster.target_of(ours), ours, WriteOptions("tailkeeper"))
    assert error.message == (
        'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a'
    )
    causes = error.as_status()["details"]["causes"]
    assert causes == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "before-first-apply" using v1',
            "field": ".data.a",
        }
    ]


def test_a_dry_run_answers_and_stores_nothing(kubernetes: Kubernetes) -> None:
    """The answer is what would be; the store's revision stays."""
    revision = kubernetes.cluster.store.revision
    answer = create(kubernetes, thing("Service", "s", spec={"ports": [{"port": 80}]}), dry_run=True)

    assert answer["spec"]["clusterIP"].startswith("10.96.")
    assert kubernetes.cluster.store.revision == revision


def test_a_service_gets_what_the_server_gives(kubernetes: Kubernetes) -> None:
    """Addresses and ports are allocated once, and never change."""
    balancer = {
        "type": "LoadBalancer",
        "loadBalancerClass": "tailscale",
        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}],
    }
    spec = create(kubernetes, thing("Service", "a", spec=balancer))["spec"]
    other = create(kubernetes, thing("Service", "b", spec={"ports": [{"port": 80}]}))["spec"]

    assert [p["protocol"] for p in spec["ports"]] == ["UDP", "TCP"]
    assert len({p["nodePort"] for p in spec["ports"]}) == 2
    assert (other["type"], "nodePort" in other["ports"][0]) == ("ClusterIP", False)
    assert spec["clusterIP"] != other["clusterIP"]
    assert spec["clusterIPs"] == [spec["clusterIP"]]

    patch = {"spec": {"clusterIP": "10.96.9.9"}}
    error = refused(kubernetes.patch, "Service", "default", "a", patch, "tests")
    assert "spec.clusterIPs[0]: Invalid value" in error.message
    kubernetes.patch("Service", "default", "a", {"metadata": {"labels": {"x": "y"}}}, "tests")
    again = kubernetes.get("Service", "default", "a")
    assert again
    assert again["spec"] == spec


@pytest.mark.parametrize("name", ["headless", "external"])
def test_services_without_an_address_get_none(kubernetes: Kubernetes, name: str) -> None:
    """Headless and ExternalName Services keep what they say."""
    specs = {
        "headless": {"clusterIP": "None"},
        "external": {"type": "ExternalName", "externalName": "x.y"},
    }
    spec = create(kubernetes, thing("Service", name, spec=specs[name]))["spec"]

    assert spec.get("clusterIP", "None") == "None"


def test_string_data_is_folded_into_data(kubernetes: Kubernetes) -> None:
    """A Secret is stored with base64 data only."""
    secret = create(kubernetes, thing("Secret", "s", data={"a": "MQ=="}, stringData={"b": "2"}))

    assert secret["data"] == {"a": "MQ==", "b": base64.b64encode(b"2").decode()}
    assert "stringData" not in secret


@pytest.mark.parametrize(
    ("document", "patch", "message"),
    [
        (
            thing("ConfigMap", "x", data={"a": "1"}, immutable=True),
            {"data": {"a": "2"}},
            "data: Forbidden: field is immutable when `immutable` is set",
        ),
        (
            thing("Secret", "x", type="Opaque"),
            {"type": "other"},
            'type: Invalid value: "other": field is immutable',
        ),
        (
            deployment("x"),
            {
                "spec": {
                    "selector": {"matchLabels": {"app": "y"}},
                    "template": {"metadata": {"labels": {"app": "y"}}},
                }
            },
            'spec.selector: Invalid value: {"matchLabels":{"app":"y"}}: field is immutable',
        ),
        (
            thing(
                "RoleBinding",
                "x",
                "rbac.authorization.k8s.io/v1",
                roleRef={"kind": "Role", "name": "a"},
            ),
            {"roleRef": {"name": "b"}},
            "cannot change roleRef",
        ),
    ],
)
def test_what_may_never_change_does_not(
    kubernetes: Kubernetes, document: Document, patch: Document, message: str
) -> None:
    """Immutable fields are refused with a 422 that names them."""
    create(kubernetes, document)
    error = refused(kubernetes.patch, document["kind"], "default", "x", patch, "tests")

    assert error.code == 422
    assert message in error.message


def test_a_finalizer_holds_an_object_until_it_is_taken_away(kubernetes: Kubernetes) -> None:
    """A delete only marks it; the write that removes the last finalizer ends it."""
    create(kubernetes, thing("ConfigMap", "c", metadata={"finalizers": ["example.com/hold"]}))
    kubernetes.delete("ConfigMap", "default", "c")
    held = kubernetes.get("ConfigMap", "default", "c")
    assert held
    assert held["metadata"]["deletionTimestamp"] == "2027-01-15T08:00:00Z"

    kubernetes.patch("ConfigMap", "default", "c", {"metadata": {"finalizers": None}}, "tests")
    assert kubernetes.get("ConfigMap", "default", "c") is None


def test_a_namespace_takes_its_contents_along(kubernetes: Kubernetes) -> None:
    """Deleting a namespace deletes what is in it, and only that."""
    for name in ("gone", "stays"):
        kubernetes.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "t")
        kubernetes.apply(thing("ConfigMap", "c", metadata={"namespace": name}), "t")
    kubernetes.delete("Namespace", "", "gone")

    assert [c["metadata"]["namespace"] for c in kubernetes.list("ConfigMap")] == ["stays"]


@pytest.mark.parametrize(
    ("propagation", "left"), [("Background", []), ("Orphan", ["child", "grandchild"])]
)
def test_dependants_follow_their_last_owner(
    kubernetes: Kubernetes, propagation: str, left: list[str]
) -> None:
    """Owned objects go with their owner, at any depth, unless they are orphaned."""
    owner: Document = create(kubernetes, thing("ConfigMap", "owner"))
    parent = owner
    for name in ("child", "grandchild"):
        reference = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": parent["metadata"]["name"],
            "uid": parent["metadata"]["uid"],
        }
        parent = create(
            kubernetes, thing("ConfigMap", name, metadata={"ownerReferences": [reference]})
        )
    cluster = kubernetes.cluster
    resource = cluster.resource_of(owner)
    cluster.remover.delete(resource, owner, DeleteOptions(propagation=propagation))

    assert [c["metadata"]["name"] for c in kubernetes.list("ConfigMap", "default")] == left


def test_a_delete_with_another_uid_is_refused(kubernetes: Kubernetes) -> None:
    """Preconditions protect an object's successor from a delete meant for it."""
    live = create(kubernetes, thing("ConfigMap", "c"))
    cluster = kubernetes.cluster
    options = DeleteOptions(uid="another")
    error = refused(cluster.remover.delete, cluster.resource_of(live), live, options)

    assert error.code == 409
    assert "Precondition failed: UID in precondition: another" in error.message


def test_a_definition_serves_its_kind_while_it_is_there(kubernetes: Kubernetes) -> None:
    """A CustomResourceDefinition brings fields and defaults; its objects go with it."""
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"type": "integer"},
                    "colour": {"type": "string", "default": "red", "enum": ["red", "blue"]},
                    "parts": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                    },
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        },
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    create(kubernetes, definition)
    served = kubernetes.get("CustomResourceDefinition", "", "widgets.example.com")
    assert served
    assert {c["type"] for c in served["status"]["conditions"]} == {"NamesAccepted", "Established"}

    spec = {"size": 1, "free": {"anything": [1]}}
    widget = create(kubernetes, thing("Widget", "w", "example.com/v1", spec=spec))
    assert widget["spec"] == {**spec, "colour": "red"}
    for name in ("a", "b"):
        parts = {"size": 1, "parts": [{"name": name}]}
        kubernetes.apply(thing("Widget", "w", "example.com/v1", spec=parts), name)
    found = kubernetes.get("Widget", "default", "w")
    assert found
    assert found["spec"]["parts"] == [{"name": "a"}, {"name": "b"}]
    error = refused(create, kubernetes, thing("Widget", "x", "example.com/v1", spec={}))
    assert "spec.size: Required value" in error.message

    kubernetes.delete("CustomResourceDefinition", "", "widgets.example.com")
    with pytest.raises(LookupError):
        kubernetes.get("Widget", "default", "w")
