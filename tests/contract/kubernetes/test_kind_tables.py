"""Our compact field tables say what the official definitions say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from kubernetes.client import models

from sandbox.kubernetes.kinds.builtin import builtin_kinds
from sandbox.kubernetes.kinds.definitions import from_definition
from sandbox.kubernetes.kinds.fields import ABSENT, Field
from sandbox.kubernetes.kinds.notation import parse


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.kubernetes.kinds.resource import Resource

KINDS = builtin_kinds()
CUSTOM = {
    "Gateway": "gateway-api/gateway.networking.k8s.io_gateways.yaml",
    "GatewayClass": "gateway-api/gateway.networking.k8s.io_gatewayclasses.yaml",
    "HTTPRoute": "gateway-api/gateway.networking.k8s.io_httproutes.yaml",
    "Certificate": "cert-manager/cert-manager.io_certificates.yaml",
    "ExternalSecret": "external-secrets/external-secrets.io_externalsecrets.yaml",
    "PushSecret": "external-secrets/external-secrets.io_pushsecrets.yaml",
    "DNSEndpoint": "external-dns/dnsendpoints.externaldns.k8s.io.yaml",
    "DNSRecord": "external-dns/dnsrecords.externaldns.k8s.io.yaml",
    "Connector": "tailscale/tailscale.com_connectors.yaml",
    "DNSConfig": "tailscale/tailscale.com_dnsconfigs.yaml",
    "ProxyClass": "tailscale/tailscale.com_proxyclasses.yaml",
    "ProxyGroup": "tailscale/tailscale.com_proxygroups.yaml",
    "Tailnet": "tailscale/tailscale.com_tailnets.yaml",
}


def of_kind(kind: str) -> Resource:
    """Return our table's resource for a kind."""
    return next(resource for resource in KINDS if resource.kind == kind)


def differences(ours: Field, official: Field, path: str) -> Iterator[str]:
    """Yield where a table departs from a definition; what we leave open is not compared."""
    if ours.type == "any":
        return
    for name in ("type", "list_type", "keys", "atomic", "required", "default"):
        if getattr(ours, name) != getattr(official, name):
            yield f"{path}: {name} {getattr(ours, name)!r}, officially {getattr(official, name)!r}"
    if ours.enum and sorted(ours.enum) != sorted(official.enum):
        yield f"{path}: enum {ours.enum}, officially {official.enum}"
    for name in ours.children.keys() ^ official.children.keys() if not ours.open else ():
        yield f"{path}.{name}: {'not official' if name in ours.children else 'missing here'}"
    for name in ours.children.keys() & official.children.keys():
        yield from differences(ours.children[name], official.children[name], f"{path}.{name}")
    if ours.item and official.item:
        yield from differences(ours.item, official.item, f"{path}[]")


@pytest.mark.parametrize("kind", CUSTOM)
def test_custom_kinds_match_their_definitions(kind: str, specs: Path) -> None:
    """Fields, types, list types, enumerations, defaults and columns are those of the CRD."""
    text = (specs / "kubernetes" / CUSTOM[kind]).read_text()
    official = from_definition(yaml.load(text, yaml.CSafeLoader), KINDS)
    ours = of_kind(kind)

    assert list(differences(ours.schema, official.schema, kind)) == []
    assert set(official.versions) <= set(ours.versions)
    for member in ("group", "plural", "namespaced", "short_names", "subresources"):
        assert getattr(ours, member) == getattr(official, member), member
    columns = [(c.name, c.path.replace(" ", ""), c.type, c.priority) for c in ours.columns]
    assert columns == [
        (c.name, c.path.replace(" ", ""), c.type, c.priority) for c in official.columns
    ]


def model_of(name: str) -> Any:
    """Return the Python client's model for one of our type or kind names."""
    special = {
        "Subject": "RbacV1Subject",
        "Event": "CoreV1Event",
        "EndpointPort": "DiscoveryV1EndpointPort",
        "LocalReference": "V1LocalObjectReference",
        "PodTemplate": "V1PodTemplateSpec",
        "RollingUpdate": "V1RollingUpdateDeployment",
        "LabelRequirement": "V1LabelSelectorRequirement",
        "ClaimSpec": "V1PersistentVolumeClaimSpec",
        "BudgetSpec": "V1PodDisruptionBudgetSpec",
        "JobTemplate": "V1JobTemplateSpec",
        "IngressRoutes": "V1HTTPIngressRuleValue",
        "IngressPath": "V1HTTPIngressPath",
        "IngressService": "V1IngressServiceBackend",
        "IngressPort": "V1ServiceBackendPort",
        "IngressBalancer": "V1IngressLoadBalancerStatus",
        "IngressAddress": "V1IngressLoadBalancerIngress",
        "DefinitionSpec": "V1CustomResourceDefinitionSpec",
        "DefinitionNames": "V1CustomResourceDefinitionNames",
        "DefinitionVersion": "V1CustomResourceDefinitionVersion",
    }
    return getattr(models, special.get(name, f"V1{name}"), None)


def named_types(field: Field) -> Iterator[Field]:
    """Yield a field's types with names, at any depth."""
    if field.type == "object":
        yield field
    for inner in (*field.children.values(), *([field.item] if field.item else [])):
        yield from named_types(inner)


CORE_TYPES = {
    field.name: field
    for resource in KINDS
    if not resource.custom and resource.kind != "HorizontalPodAutoscaler"
    for field in named_types(resource.schema)
    if field.name != "LooseCondition"
}


def model_type(field: Field) -> str:
    """Return the pattern of a field's type in the Python client's words."""
    if field.type == "list":
        return r"List\[.+\]" if not field.item else rf"List\[{model_type(field.item)}\]"
    if field.type == "map":
        return r"Dict\[str, (str|bytes)\]"
    return {
        "string": "(str|datetime|bytes|object)",
        "integer": "int",
        "number": "float",
        "boolean": "bool",
        "int-or-string": "object",
        "object": r"\w+",
        "any": ".+",
    }[field.type]


@pytest.mark.parametrize("name", sorted(CORE_TYPES))
def test_core_types_match_the_client_s_models(name: str) -> None:
    """Each type of the core kinds has exactly the fields that Kubernetes' own models have."""
    model, field = model_of(name), CORE_TYPES[name]
    assert model, f"no model is called V1{name}"
    official = {model.attribute_map[k]: t for k, t in model.openapi_types.items()}

    assert set(field.children) == set(official)
    mismatched = {
        child: official[child]
        for child, inner in field.children.items()
        if not re.fullmatch(model_type(inner), official[child])
    }
    assert mismatched == {}


def test_a_token_that_is_no_field_is_refused() -> None:
    """A table with a slip in it does not load."""
    with pytest.raises(ValueError, match="is not a field"):
        parse(["type ObjectMeta\n  name\nkind A v1 as cluster\n  spec(]\n"], custom=False)


def test_the_notation_reads_every_sign() -> None:
    """One line with each sign makes the fields that it should."""
    text = (
        "type ObjectMeta\n  name\n"
        "kind A g.io/v1 as namespaced a\n"
        "  also v1beta1\n"
        "  spec:Spec! loose*\n"
        "type Spec\n"
        "  n#=3 b? s<X|Y>=X p% l[] k[a,b]:Item set[=] m{} one{}@ ...\n"
        '  default l ["x"]\n'
        "type Item\n  a! b=B\n"
    )
    (resource,) = parse([text], custom=True)
    spec = resource.schema.children["spec"]

    assert resource.versions == ("v1", "v1beta1")
    assert (spec.required, spec.open) == (True, True)
    told = {
        name: (f.type, f.list_type, f.keys, f.atomic, None if f.default is ABSENT else f.default)
        for name, f in spec.children.items()
    }
    assert told == {
        "n": ("integer", "atomic", (), False, 3),
        "b": ("boolean", "atomic", (), False, None),
        "s": ("string", "atomic", (), False, "X"),
        "p": ("int-or-string", "atomic", (), False, None),
        "l": ("list", "atomic", (), False, ["x"]),
        "k": ("list", "map", ("a", "b"), False, None),
        "set": ("list", "set", (), False, None),
        "m": ("map", "atomic", (), False, None),
        "one": ("map", "atomic", (), True, None),
    }
