"""Kubernetes's schedules, and what an updater CronJob takes by its own settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.cron import CronError, parse
from cli.cronjob import simulate


SATURDAY = datetime(2026, 11, 21, 23, 55, 30, tzinfo=UTC)
SCRIPT = """
apk add --no-cache curl
curl -sSL -o /tmp/kubectl "${URL}/kubectl"
reload
answer "{{ .Name }} 60 IN A ${gateway_ip}"
"""


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("*/10 * * * *", "UTC", "2026-11-22T00:00"),
        ("* * * * *", "UTC", "2026-11-21T23:56"),
        ("17 */6 * * *", "UTC", "2026-11-22T00:17"),
        ("5-7,20 8 * * MON-FRI", "UTC", "2026-11-23T08:05"),
        ("0 0 13 * fri", "UTC", "2026-11-27T00:00"),
        ("0 0 1 jan *", "UTC", "2027-01-01T00:00"),
        ("0 0 29 2 *", "UTC", "2028-02-29T00:00"),
        ("50/3 * * * *", "UTC", "2026-11-21T23:56"),
        ("@hourly", "UTC", "2026-11-22T00:00"),
        ("0 9 * * ?", "Europe/Berlin", "2026-11-22T08:00"),
    ],
)
def test_next_firing(text: str, zone: str, expected: str) -> None:
    """A schedule fires first at the next minute that fits, in its own time zone."""
    fires = parse(text, zone).next_after(SATURDAY.timestamp())

    assert datetime.fromtimestamp(fires, UTC).isoformat()[:16] == expected


@pytest.mark.parametrize(
    "text", ["", "* * * *", "60 * * * *", "*/0 * * * *", "5-3 * * * *", "x * * * *", "0 0 * * 8"]
)
def test_refused_schedule(text: str) -> None:
    """What is no schedule is refused, with what is wrong in it."""
    with pytest.raises(CronError, match=r"."):
        parse(text)


def test_schedule_without_a_day() -> None:
    """A schedule that never fires says so instead of searching for ever."""
    with pytest.raises(CronError, match="never"):
        parse("0 0 31 2 *").next_after(0)


@given(st.integers(0, 2_000_000_000), st.integers(1, 59))
def test_every_n_minutes(moment: int, step: int) -> None:
    """The next firing is later, on a multiple of the step, and at most an hour away."""
    fires = parse(f"*/{step} * * * *").next_after(moment)

    assert moment < fires <= moment + 3600
    assert int(fires) // 60 % 60 % step == 0


def cron_job(**spec: Any) -> dict[str, Any]:
    """Return a CronJob with the script of an updater."""
    container = {"command": ["/bin/sh", "-c", SCRIPT]}
    template = {"spec": {"containers": [container]}}
    job = {"spec": {"template": template}}
    return {"spec": {"schedule": "*/10 * * * *", "jobTemplate": {"spec": job["spec"]}, **spec}}


def test_simulation_follows_the_settings() -> None:
    """The steps come one after the other from the schedule's own next firing on."""
    event = SATURDAY.timestamp()

    simulated = simulate(cron_job(), "", event, event)

    assert [step.name for step in simulated.steps] == [
        "the schedule fires",
        "the Pod starts",
        "its tools are downloaded",
        "the kubelet updates the volume",
        "CoreDNS reloads",
        "caches have expired",
    ]
    assert simulated.steps[0].over == event + timedelta(minutes=4, seconds=30).total_seconds()
    moments = [step.over for step in simulated.steps]
    assert moments == sorted(moments)
    assert simulated.seconds < simulated.worst == 600 + 5 + 32 + 90 + 45 + 60
    assert simulated.mean == 300 + 3 + 19.5 + 75 + 22.5 + 30


def test_simulation_depends_on_when_the_event_falls() -> None:
    """An event just after a firing waits nearly a whole period longer."""
    late, early = SATURDAY.timestamp(), SATURDAY.timestamp() - 325

    difference = (
        simulate(cron_job(), "", early, early).seconds
        - simulate(cron_job(), "", late, late).seconds
    )

    assert difference == 325


def test_run_that_reads_too_early_writes_the_old_address() -> None:
    """A run before the Gateway's status knows the new address is not the one that mends it."""
    event = SATURDAY.timestamp()

    simulated = simulate(cron_job(), "", event, event + 600)

    assert simulated.steps[0].over == event + 270 + 600


HOSTS = """
hosts /etc/coredns/own/hosts example.com {
    ttl 120
    reload 20s
}
reload
"""


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    ("corefile", "expected"),
    [
        ("reload 10s 5s\n 30 IN A ", 10 + 5 + 30),
        ("reload 10s\n 300 IN A ", 10 + 5 + 300),
        ("reload\n", 30 + 15 + 60),
        (HOSTS, 20 + 120),
        ("hosts /own/hosts {\n}\nreload 1m", 5 + 3600),
        ("", 45 + 60),
    ],
)
def test_settings_in_the_corefile(corefile: str, expected: float, own: bool) -> None:  # noqa: FBT001
    """CoreDNS's reload and the TTL are those of the Corefile that the CronJob writes, or finds."""
    job = cron_job()
    containers = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    containers[0]["command"] = [corefile if own else ""]

    worst = simulate(job, "reload 1h" if own and corefile else corefile, 0, 0).worst

    assert worst == 600 + 5 + 90 + expected


def test_suspended_cronjob() -> None:
    """What a retired CronJob would have taken does not depend on its being suspended."""
    assert simulate(cron_job(suspend=True), "", 0, 0) == simulate(cron_job(), "", 0, 0)


def test_job_without_downloads() -> None:
    """An image that brings its tools spares the run their download."""
    job = cron_job()
    containers = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    containers[0]["command"] = ["/update"]

    names = [step.name for step in simulate(job, "", 0, 0).steps]

    assert "its tools are downloaded" not in names
