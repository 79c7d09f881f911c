"""The ownership rules of server-side apply, one by one and as properties."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.kubernetes.kinds.builtin import builtin_kinds
from sandbox.kubernetes.ownership.fields import OwnershipConflict, apply, update
from sandbox.kubernetes.ownership.managers import Entry, Managed, Manager, read, written
from sandbox.kubernetes.ownership.paths import as_text, from_tree, tree
from sandbox.kubernetes.ownership.typed import compare, field_paths, merge


KINDS = builtin_kinds()
CONFIG_MAP = KINDS.resources["", "configmaps"].schema
SERVICE = KINDS.resources["", "services"].schema
DEPLOYMENT = KINDS.resources["apps", "deployments"].schema
GATEWAY = KINDS.resources["gateway.networking.k8s.io", "gateways"].schema


def writer(name: str, operation: Any = "Apply", time: str = "2026-11-22T00:00:00Z") -> Entry:
    """Return who writes a core object."""
    return Entry(Manager(name, operation, "v1"), time=time)


def config_map(**data: str) -> dict[str, Any]:
    """Return a ConfigMap with these keys."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a Service with these ports."""
    told = {**spec, **({"ports": list(ports)} if ports else {})}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": told}


@dataclass
class Live:
    """An object that managers write one after the other."""

    schema: Any = field(default_factory=lambda: CONFIG_MAP)
    value: dict[str, Any] = field(default_factory=dict)
    managed: Managed = field(default_factory=dict)

    def apply(self, name: str, value: dict[str, Any], *, force: bool = False) -> Live:
        """Apply a configuration."""
        self.value, self.managed = apply(
            self.schema, self.value, value, self.managed, writer(name), force=force
        )
        return self

    def put(self, name: str, value: dict[str, Any]) -> Live:
        """Replace the whole value."""
        self.managed = update(self.schema, self.value, value, self.managed, writer(name, "Update"))
        self.value = value
        return self

    def owners(self) -> dict[str, list[str]]:
        """Return what each manager owns, as conflicts would name it."""
        return {
            entry.manager.name: sorted(as_text(path) for path in entry.paths)
            for entry in self.managed.values()
        }


def test_managers_of_different_keys_live_side_by_side() -> None:
    """Our one key beside the GitOps tool's own keys: neither takes the other's."""
    live = (
        Live().apply("argocd", config_map(Corefile="a")).apply("tailkeeper", config_map(hosts="1"))
    )
    live.apply("tailkeeper", config_map(hosts="2")).apply("argocd", config_map(Corefile="b"))

    assert live.value["data"] == {"Corefile": "b", "hosts": "2"}
    assert live.owners() == {"argocd": [".data.Corefile"], "tailkeeper": [".data.hosts"]}


def test_a_different_value_for_another_s_field_is_a_conflict_that_changes_nothing() -> None:
    """The conflict names owner and path; the object and its managers stay."""
    live = Live().apply("argocd", config_map(Corefile="a"))
    before = (live.value, live.managed)

    with pytest.raises(OwnershipConflict) as caught:
        live.apply("tailkeeper", config_map(Corefile="b", hosts="1"))
    assert (
        str(caught.value) == 'Apply failed with 1 conflict: conflict with "argocd": .data.Corefile'
    )
    assert (live.value, live.managed) == before


def test_conflicts_with_several_managers_are_told_by_manager() -> None:
    """An update's owner is named with its version, an applier without, as kubectl shows them."""
    live = Live().put("kubectl-edit", config_map(a="1")).apply("argocd", config_map(b="1"))

    with pytest.raises(OwnershipConflict) as caught:
        live.apply("tailkeeper", config_map(a="2", b="2"))
    assert str(caught.value) == (
        'Apply failed with 2 conflicts: conflicts with "argocd":\n- .data.b\n'
        'conflicts with "kubectl-edit" using v1:\n- .data.a'
    )


def test_force_takes_the_field_from_its_owner() -> None:
    """The loser keeps what else it owns; it is told by the next conflict of its own."""
    live = Live().apply("argocd", config_map(a="1", b="1"))
    live.apply("tailkeeper", config_map(a="2"), force=True)

    assert live.value["data"] == {"a": "2", "b": "1"}
    assert live.owners() == {"argocd": [".data.b"], "tailkeeper": [".data.a"]}
    with pytest.raises(OwnershipConflict):
        live.apply("argocd", config_map(a="1", b="1"))


def test_the_same_value_is_shared_and_given_back_by_leaving_it_out() -> None:
    """Co-owners agree; when one leaves the field out, the other keeps it and its value."""
    live = Live().apply("argocd", config_map(a="1")).apply("tailkeeper", config_map(a="1", b="1"))
    assert live.owners()["argocd"] == [".data.a"]
    assert live.owners()["tailkeeper"] == [".data.a", ".data.b"]

    live.apply("tailkeeper", config_map(b="1"))
    assert live.value["data"] == {"a": "1", "b": "1"}
    assert live.owners() == {"argocd": [".data.a"], "tailkeeper": [".data.b"]}


def test_a_shared_value_cannot_be_changed_without_a_conflict() -> None:
    """A co-owner that wants another value collides with the other one."""
    live = Live().apply("argocd", config_map(a="1")).apply("tailkeeper", config_map(a="1"))

    with pytest.raises(OwnershipConflict):
        live.apply("tailkeeper", config_map(a="2"))


def test_what_an_applier_no_longer_says_is_removed() -> None:
    """Only what it owned alone goes; what others wrote stays."""
    live = Live().put("kubectl-create", config_map(old="1"))
    live.apply("tailkeeper", config_map(a="1", b="1")).apply("tailkeeper", config_map(b="1"))

    assert live.value["data"] == {"old": "1", "b": "1"}


def test_an_object_emptied_by_its_only_applier_loses_the_field_altogether() -> None:
    """No empty map stays behind where nobody owns one."""
    live = Live().apply("tailkeeper", config_map(a="1"))
    live.apply("tailkeeper", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})

    assert "data" not in live.value
    assert live.value["metadata"] == {"name": "c"}


def test_an_update_takes_what_it_changes_and_only_that() -> None:
    """A PUT of the whole object does not own what it merely repeats."""
    live = Live().apply("argocd", config_map(a="1", b="1"))
    live.put("kubectl-edit", config_map(a="2", b="1"))

    assert live.owners() == {"argocd": [".data.b"], "kubectl-edit": [".data.a"]}


def test_an_update_that_removes_a_field_ends_its_ownership() -> None:
    """A removed field has no owner, and comes back with its applier's next apply."""
    live = Live().apply("argocd", config_map(a="1", b="1")).put("kubectl-edit", config_map(b="1"))
    assert live.owners() == {"argocd": [".data.b"]}

    live.apply("argocd", config_map(a="1", b="1"))
    assert live.value["data"] == {"a": "1", "b": "1"}


def test_one_name_is_two_managers_when_it_applies_and_updates() -> None:
    """`kubectl apply --server-side` after `kubectl create` by one name conflicts with itself."""
    live = Live().put("kubectl", config_map(a="1"))

    with pytest.raises(OwnershipConflict):
        live.apply("kubectl", config_map(a="2"))


def test_a_keyed_list_is_owned_entry_by_entry() -> None:
    """Two appliers each bring a port; the order is the list's own, then the newcomer's."""
    live = Live(SERVICE).apply("a", service({"port": 53, "protocol": "UDP", "name": "dns"}))
    live.apply("b", service({"port": 53, "protocol": "TCP", "name": "dns-tcp"}))

    assert [p["name"] for p in live.value["spec"]["ports"]] == ["dns", "dns-tcp"]
    assert live.owners()["b"] == [
        '.spec.ports[port=53,protocol="TCP"]',
        '.spec.ports[port=53,protocol="TCP"].name',
        '.spec.ports[port=53,protocol="TCP"].port',
        '.spec.ports[port=53,protocol="TCP"].protocol',
    ]
    live.apply("a", service(type="ClusterIP"))
    assert [p["name"] for p in live.value["spec"]["ports"]] == ["dns-tcp"]


def test_a_key_s_default_is_part_of_the_key() -> None:
    """A port without a protocol is the TCP one: it is merged, not added."""
    live = Live(SERVICE).apply("a", service({"port": 80, "protocol": "TCP"}))
    live.apply("b", service({"port": 80, "name": "http"}))

    assert live.value["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "name": "http"}]


def test_an_atomic_map_is_owned_as_one() -> None:
    """A Service's selector cannot be shared key by key."""
    live = Live(SERVICE).apply("a", service(selector={"app": "x"}))
    assert live.owners() == {"a": [".spec.selector"]}

    with pytest.raises(OwnershipConflict):
        live.apply("b", service(selector={"tier": "y"}))
    live.apply("b", service(selector={"tier": "y"}), force=True)
    assert live.value["spec"]["selector"] == {"tier": "y"}


def test_finalizers_are_a_set() -> None:
    """Each applier owns its own member."""
    first = {"metadata": {"finalizers": ["a"]}}
    live = Live().apply("a", first).apply("b", {"metadata": {"finalizers": ["b"]}})

    assert live.value["metadata"]["finalizers"] == ["a", "b"]
    assert live.owners()["b"] == ['.metadata.finalizers[="b"]']
    live.apply("a", {"metadata": {}})
    assert live.value["metadata"]["finalizers"] == ["b"]


def test_a_custom_kind_s_listeners_are_keyed_by_name() -> None:
    """Gateways keep another controller's listener when one applies its own."""
    listener = {"port": 443, "protocol": "HTTPS"}
    live = Live(GATEWAY).apply("a", {"spec": {"listeners": [{"name": "x", **listener}]}})
    live.apply("b", {"spec": {"listeners": [{"name": "y", **listener}]}})

    assert [entry["name"] for entry in live.value["spec"]["listeners"]] == ["x", "y"]
    assert '.spec.listeners[name="y"].port' in live.owners()["b"]


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        pytest.param(["a", "b"], ["b", "a"], ["b", "a"], id="the applied order wins"),
        pytest.param(["a", "x", "b"], ["a", "b"], ["a", "x", "b"], id="others keep their place"),
        pytest.param(["x", "a"], ["b", "a"], ["x", "b", "a"], id="first what was before"),
        pytest.param(["a"], ["c", "a", "b"], ["c", "a", "b"], id="newcomers where they are said"),
        pytest.param([], ["a"], ["a"], id="nothing there"),
    ],
)
def test_merged_lists_have_an_order(live: list[str], applied: list[str], merged: list[str]) -> None:
    """Containers come out in the applied order, with the others where they were."""

    def of(names: list[str]) -> dict[str, Any]:
        containers = [{"name": name} for name in names]
        return {"spec": {"template": {"spec": {"containers": containers}}}}

    result = merge(DEPLOYMENT, of(live), of(applied))
    names = [c["name"] for c in result["spec"]["template"]["spec"]["containers"]]
    assert names == merged


def test_the_server_s_own_metadata_is_never_owned() -> None:
    """Names, versions and times are in no manager's set."""
    document = config_map(a="1")
    document["metadata"] |= {"uid": "u", "resourceVersion": "3", "labels": {"app": "x"}}

    assert Live().put("x", document).owners() == {
        "x": [".data", ".data.a", ".metadata.labels", ".metadata.labels.app"]
    }


def test_managed_fields_have_the_wire_s_form() -> None:
    """Entries read as kubectl prints them, appliers first."""
    live = Live().put("kubectl-create", config_map(a="1")).apply("tailkeeper", config_map(b="1"))

    fields = written(live.value, live.managed)["metadata"]["managedFields"]
    assert fields == [
        {
            "manager": "tailkeeper",
            "operation": "Apply",
            "apiVersion": "v1",
            "time": "2026-11-22T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:b": {}}},
        },
        {
            "manager": "kubectl-create",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-11-22T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, "f:a": {}}},
        },
    ]


# Properties.

DATA = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1", "2"]), max_size=4)
PORTS = st.lists(
    st.fixed_dictionaries(
        {"port": st.integers(1, 3), "protocol": st.sampled_from(["TCP", "UDP"])},
        optional={"name": st.sampled_from(["x", "y"]), "targetPort": st.integers(1, 3)},
    ),
    max_size=4,
    unique_by=lambda port: (port["port"], port["protocol"]),
)
OBJECTS = st.one_of(
    DATA.map(lambda data: (CONFIG_MAP, config_map(**data))),
    PORTS.map(lambda ports: (SERVICE, service(*ports))),
)


@settings(deadline=None)
@given(OBJECTS)
def test_fields_v1_round_trips(pair: tuple[Any, dict[str, Any]]) -> None:
    """A set of paths written as FieldsV1 reads back as the same set."""
    schema, value = pair
    paths = field_paths(schema, value)

    assert from_tree(tree(paths)) == paths


@settings(deadline=None)
@given(OBJECTS, OBJECTS)
def test_nothing_changed_compares_as_the_same(
    one: tuple[Any, dict[str, Any]], other: tuple[Any, dict[str, Any]]
) -> None:
    """A comparison is empty exactly when the values are equal."""
    schema, old = one
    new = other[1]
    if other[0] is not schema:
        new = old
    found = compare(schema, old, new)

    assert (not found.written and not found.removed) == (old == new)


@settings(deadline=None)
@given(DATA, DATA, DATA)
def test_forced_applies_end_as_their_configurations_say(
    first: dict[str, str], second: dict[str, str], again: dict[str, str]
) -> None:
    """After A, B, A: all that A says now holds; what only A said before is gone; B's rest stays."""
    live = Live().apply("a", config_map(**first)).apply("b", config_map(**second), force=True)
    lost_by_a = {key for key in first if key in second and first[key] != second[key]}
    live.apply("a", config_map(**again), force=True)

    data = live.value.get("data", {})
    assert again.items() <= data.items()
    assert data == {**second, **again}
    owned = live.owners().get("b", [])
    kept = {key for key in second if key not in again or again[key] == second[key]}
    assert {path.removeprefix(".data.") for path in owned if path != ".data"} == kept
    assert lost_by_a <= set(second)


@settings(deadline=None)
@given(DATA, DATA)
def test_applying_again_changes_nothing(first: dict[str, str], second: dict[str, str]) -> None:
    """An apply is idempotent: object, owners and times stay."""
    live = Live().apply("a", config_map(**first)).apply("b", config_map(**second), force=True)
    before = (live.value, live.managed)
    value, managed = apply(
        CONFIG_MAP,
        live.value,
        config_map(**second),
        live.managed,
        writer("b", time="2030-01-01T00:00:00Z"),
        force=True,
    )

    assert (value, managed) == before


@settings(deadline=None)
@given(DATA, DATA)
def test_read_managers_are_what_was_written(first: dict[str, str], second: dict[str, str]) -> None:
    """An object carries all there is to know of its managers."""
    live = Live().put("x", config_map(**first)).apply("a", config_map(**second), force=True)

    assert read(written(live.value, live.managed)) == live.managed
