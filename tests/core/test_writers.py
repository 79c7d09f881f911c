"""Who else writes a ConfigMap."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.resolver.writers import config_map_writers


def cron_job(script: str, *, account: str = "default", suspend: bool = False) -> dict[str, Any]:
    """Return a CronJob that runs a script."""
    pod = {
        "serviceAccountName": account,
        "containers": [{"command": ["/bin/sh", "-c"], "args": [script]}],
    }
    return {
        "metadata": {"namespace": "dns", "name": "updater"},
        "spec": {
            "schedule": "*/10 * * * *",
            "suspend": suspend,
            "jobTemplate": {"spec": {"template": {"spec": pod}}},
        },
    }


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("kubectl patch configmap hosts -p '{}'", True),
        ("kubectl -n dns apply -f - <<EOF\nkind: ConfigMap\nmetadata:\n  name: hosts\nEOF", True),
        ("kubectl get cm/hosts", True),
        ("kubectl patch configmap hosts-old", False),
        ("kubectl patch configmap my.hosts", False),
        ("cat /etc/hosts", False),
    ],
)
def test_commands_that_name_it(script: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """A command that speaks of a ConfigMap by this very name writes it, as far as we can tell."""
    found = config_map_writers({"CronJob": [cron_job(script)]}, "dns", "hosts")
    assert bool(found) is expected


def test_a_writer_is_named() -> None:
    """What is found can be shown to a person, and says whether it runs at all."""
    objects = {"CronJob": [cron_job("kubectl patch cm hosts", suspend=True)]}

    (writer,) = config_map_writers(objects, "dns", "hosts")

    assert str(writer) == "CronJob dns/updater"
    assert (writer.at_work, writer.schedule) == (False, "*/10 * * * *")
    assert writer.why == "its commands name the ConfigMap"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"resources": ["configmaps"], "resourceNames": ["hosts"], "verbs": ["patch"]}, True),
        ({"resources": ["configmaps"], "resourceNames": ["hosts"], "verbs": ["*"]}, True),
        ({"resources": ["configmaps"], "resourceNames": ["hosts"], "verbs": ["get"]}, False),
        ({"resources": ["configmaps"], "resourceNames": ["other"], "verbs": ["patch"]}, False),
        ({"resources": ["configmaps"], "verbs": ["patch"]}, False),
        ({"resources": ["secrets"], "resourceNames": ["hosts"], "verbs": ["patch"]}, False),
    ],
)
def test_permissions_that_name_it(rule: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table
    """A Role made for this one ConfigMap gives away who writes it, whatever the script says."""
    objects: dict[str, Any] = {
        "Deployment": [
            {
                "metadata": {"namespace": "dns", "name": "syncer"},
                "spec": {"template": {"spec": {"serviceAccountName": "syncer"}}},
            }
        ],
        "Role": [{"metadata": {"namespace": "dns", "name": "writer"}, "rules": [rule]}],
        "RoleBinding": [
            {
                "metadata": {"namespace": "dns", "name": "writer"},
                "roleRef": {"kind": "Role", "name": "writer"},
                "subjects": [{"kind": "ServiceAccount", "name": "syncer"}],
            }
        ],
    }

    found = config_map_writers(objects, "dns", "hosts")

    assert [str(writer) for writer in found] == (["Deployment dns/syncer"] if expected else [])
    assert config_map_writers(objects, "other", "hosts") == ()


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("kubectl -n dns patch cm hosts", True),
        ("kubectl -n dns-old patch cm hosts", False),
        ("kubectl patch cm hosts", False),
    ],
)
def test_commands_in_another_namespace_must_name_ours(script: str, *, named: bool) -> None:
    """A ConfigMap of the same name may be anywhere."""
    job = cron_job(script)
    job["metadata"]["namespace"] = "ops"

    assert bool(config_map_writers({"CronJob": [job]}, "dns", "hosts")) == named


def test_an_account_of_another_namespace_may_be_let_in() -> None:
    """A Role without rules lets nobody."""
    pod = {"spec": {"serviceAccountName": "syncer"}}
    metadata = {"namespace": "ops", "name": "syncer"}
    subject = {"kind": "ServiceAccount", "namespace": "ops", "name": "syncer"}
    rule = {"resources": ["configmaps"], "resourceNames": ["hosts"], "verbs": ["update"]}
    roles = [{"metadata": {"namespace": "dns", "name": n}} for n in ("empty", "writer")]
    objects: dict[str, Any] = {
        "StatefulSet": [{"metadata": metadata, "spec": {"template": pod}}],
        "Role": [roles[0], {**roles[1], "rules": [rule]}],
        "RoleBinding": [
            {
                "metadata": {"namespace": "dns", "name": "writer"},
                "roleRef": {"kind": "Role", "name": "writer"},
                "subjects": [subject],
            }
        ],
    }

    (writer,) = config_map_writers(objects, "dns", "hosts")

    assert str(writer) == "StatefulSet ops/syncer"


def test_a_deployment_without_replicas_is_not_at_work() -> None:
    """Scaled to nothing, a writer is named and does not count."""
    pod = {"containers": [{"args": ["configmap", "hosts"]}]}
    deployment = {
        "metadata": {"name": "syncer"},
        "spec": {"replicas": 0, "template": {"spec": pod}},
    }

    (writer,) = config_map_writers({"Deployment": [deployment]}, "default", "hosts")

    assert not writer.at_work
