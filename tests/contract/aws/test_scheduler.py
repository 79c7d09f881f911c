"""When schedules fire, as pure functions; and that they do, through the Scheduler."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.aws.events import EventDelivery, Scheduler
from sandbox.aws.events.cron import ScheduleError, parse
from sandbox.aws.events.targets import Delivery


Cloud = Any
# A Saturday.
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
# Where the session's own Scheduler, at a thousand times the clock's speed, never comes.
FUTURE = NOW.replace(year=2037)


def next_fire(expression: str, zone: str = "UTC", after: datetime = NOW) -> str | None:
    """Return the next occurrence as text; rates count from three minutes before."""
    found = parse(expression).next_after(after, NOW - timedelta(minutes=3), ZoneInfo(zone))
    return found.strftime("%Y-%m-%d %H:%M") if found else None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", "2026-11-21 23:31"),
        ("rate(5 minutes)", "2026-11-21 23:32"),
        ("rate(2 hours)", "2026-11-22 01:27"),
        ("rate(7 days)", "2026-11-28 23:27"),
        ("at(2026-11-21T23:31:00)", "2026-11-21 23:31"),
        ("at(2026-11-21T23:30:00)", None),
        ("cron(* * * * ? *)", "2026-11-21 23:31"),
        ("cron(0 10 * * ? *)", "2026-11-22 10:00"),
        ("cron(15 12 * * ? *)", "2026-11-22 12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-23 18:00"),
        ("cron(0 18 ? * 2-6 *)", "2026-11-23 18:00"),
        ("cron(0 8 1 * ? *)", "2026-12-01 08:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-11-23 00:00"),
        ("cron(*/20 * * * ? *)", "2026-11-21 23:40"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-23 08:00"),
        ("cron(5,35 23 * * ? *)", "2026-11-21 23:35"),
        ("cron(0 0 ? * FRI-MON *)", "2026-11-22 00:00"),
        ("cron(0 0 ? * L *)", "2026-11-28 00:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-12-07 09:00"),
        ("cron(0 9 ? * 3#5 *)", "2026-12-29 09:00"),
        ("cron(15 10 ? * 6L 2022-2030)", "2026-11-27 10:15"),
        ("cron(15 10 ? * FRIL *)", "2026-11-27 10:15"),
        ("cron(0 0 L * ? *)", "2026-11-30 00:00"),
        ("cron(0 0 LW 1 ? *)", "2027-01-29 00:00"),
        ("cron(0 0 1W 5 ? *)", "2027-05-03 00:00"),
        ("cron(0 0 31W 10 ? *)", "2027-10-29 00:00"),
        ("cron(0 0 3W * ? *)", "2026-12-03 00:00"),
        ("cron(0 0 1 JAN,MAR ? *)", "2027-01-01 00:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29 00:00"),
        ("cron(0 0 1 1 ? 2030/5)", "2030-01-01 00:00"),
        ("cron(0 0 31 2 ? *)", None),
        ("cron(0 0 1 1 ? 2020)", None),
    ],
)
def test_the_next_occurrence(expression: str, expected: str | None) -> None:
    """Each kind of expression fires when AWS's guide says."""
    assert next_fire(expression) == expected


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        # Berlin's clocks skip 02:30 on 28 March 2027, and show it twice on 31 October.
        ("cron(30 2 * * ? *)", "2027-03-27T12:00", "2027-03-29 00:30"),
        ("cron(30 2 * * ? *)", "2027-10-30T12:00", "2027-10-31 00:30"),
        ("cron(30 2 * * ? *)", "2027-10-31T00:30", "2027-11-01 01:30"),
        ("cron(0 0 * * ? *)", "2027-01-01T00:00", "2027-01-01 23:00"),
        ("at(2027-07-01T09:00:00)", "2027-01-01T00:00", "2027-07-01 07:00"),
    ],
)
def test_local_times(expression: str, after: str, expected: str) -> None:
    """A time zone moves with its daylight saving; what is skipped does not fire."""
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert next_fire(expression, "Europe/Berlin", moment) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(5 weeks)",
        "rate(minutes)",
        "every(5 minutes)",
        "at(tomorrow)",
        "cron(0 0 * * * *)",
        "cron(0 0 ? * ? *)",
        "cron(0 0 * * ?)",
        "cron(60 0 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * MOON *)",
        "cron(0 0 1 13 ? *)",
    ],
)
def test_what_is_no_schedule(expression: str) -> None:
    """AWS's ValidationException is our ScheduleError."""
    with pytest.raises(ScheduleError):
        parse(expression)


@pytest.fixture
def scheduler(cloud: Cloud) -> Scheduler:
    """Return a scheduler that looks only when it is told to."""
    delivery = EventDelivery(speed=1000)
    delivery.deliver = CURRENT.append  # type: ignore[assignment,method-assign]  # what would go out
    CURRENT.clear()
    return Scheduler(delivery)


CURRENT: list[Any] = []


def schedule(cloud: Cloud, expression: str, **more: Any) -> str:
    """Create a schedule for a queue; return its name."""
    name = f"s{uuid.uuid4().hex[:12]}"
    target = {
        "Arn": "arn:aws:sqs:us-east-1:123456789012:q",
        "RoleArn": "arn:aws:iam::123456789012:role/sandbox",
        "Input": json.dumps({"name": name, "at": "<aws.scheduler.scheduled-time>"}),
    }
    cloud.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
        **more,
    )
    return name


def fired(scheduler: Scheduler, name: str, *minutes: float) -> list[str]:
    """Look at those minutes after now; return the times a schedule then said, one by one."""
    for minute in minutes:
        scheduler.look(FUTURE + timedelta(minutes=minute))
    bodies = [json.loads(delivery.body) for delivery in CURRENT if name in delivery.body]
    return [body["at"][11:16] for body in bodies]


def test_a_rate_fires_at_its_interval_and_once_when_late(
    cloud: Cloud, scheduler: Scheduler
) -> None:
    """After a long sleep the missed occurrences are one, and the phase is kept."""
    name = schedule(cloud, "rate(5 minutes)")

    assert fired(scheduler, name, 0, 4.9, 5, 5.1, 10, 27, 30) == [
        "23:35",
        "23:40",
        "23:45",
        "00:00",
    ]


def test_a_rate_may_be_counted_anew(cloud: Cloud, scheduler: Scheduler) -> None:
    """Whoever deploys a stack is not ready when the schedule is made, but some time after."""
    name = schedule(cloud, "rate(5 minutes)")
    fired(scheduler, name, 0)

    scheduler.count_anew()

    assert fired(scheduler, name, 4, 8, 9) == ["23:39"]


def test_a_disabled_schedule_rests_until_it_is_enabled(cloud: Cloud, scheduler: Scheduler) -> None:
    """DISABLED fires nothing; an update begins anew."""
    name = schedule(cloud, "rate(5 minutes)", State="DISABLED")
    assert fired(scheduler, name, 0, 6) == []

    current = cloud.client("scheduler").get_schedule(Name=name)
    wanted = ("ScheduleExpression", "FlexibleTimeWindow", "Target")
    kept = {k: current[k] for k in wanted}
    cloud.client("scheduler").update_schedule(Name=name, State="ENABLED", **kept)

    assert fired(scheduler, name, 7, 12) == ["23:42"]


def test_a_schedule_keeps_within_its_dates(cloud: Cloud, scheduler: Scheduler) -> None:
    """The first occurrence of a rate is its StartDate; none is later than its EndDate."""
    name = schedule(
        cloud,
        "rate(5 minutes)",
        StartDate=FUTURE + timedelta(minutes=2),
        EndDate=FUTURE + timedelta(minutes=8),
    )

    assert fired(scheduler, name, 0, 2, 7, 12, 17) == ["23:32", "23:37"]


def test_a_schedule_may_go_when_it_is_done(cloud: Cloud, scheduler: Scheduler) -> None:
    """ActionAfterCompletion DELETE takes a one-time schedule away; NONE leaves it."""
    goes = schedule(cloud, "at(2037-11-21T23:31:00)", ActionAfterCompletion="DELETE")
    stays = schedule(cloud, "at(2037-11-21T23:31:00)", ActionAfterCompletion="NONE")

    assert fired(scheduler, goes, 0, 1, 2) == ["23:31"]
    left = {s["Name"] for s in cloud.client("scheduler").list_schedules()["Schedules"]}
    assert {goes, stays} & left == {stays}


def test_what_a_schedule_cannot_send_is_kept(cloud: Cloud) -> None:
    """The dead-letter queue gets the target's input, and which schedule it was."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"q{uuid.uuid4().hex[:12]}")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
        "DeadLetterConfig": {"Arn": queue["Attributes"]["QueueArn"]},
    }
    source = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"
    cloud.delivery.deliver(Delivery(target, '{"Wrong": 1}', source, {"region": "us-east-1"}))
    options = {"WaitTimeSeconds": 5, "MessageAttributeNames": ["All"]}
    message = sqs.receive_message(QueueUrl=url, **options)["Messages"][0]

    assert message["Body"] == '{"Wrong": 1}'
    assert message["MessageAttributes"]["SCHEDULE_ARN"]["StringValue"] == source
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "InvalidParameter"


def test_a_universal_target_calls_the_api(cloud: Cloud) -> None:
    """`aws-sdk:sfn:startExecution` starts one, by the running Scheduler at the world's speed."""
    machine = cloud.machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    name = f"u{uuid.uuid4().hex[:12]}"
    cloud.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(10 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
            "RoleArn": "arn:aws:iam::123456789012:role/sandbox",
            "Input": json.dumps({"StateMachineArn": machine, "Input": '{"by": "schedule"}'}),
        },
    )
    listed: list[Any] = []
    deadline = time.monotonic() + 10
    while not listed and time.monotonic() < deadline:
        answer = cloud.client("stepfunctions").list_executions(stateMachineArn=machine)
        listed = answer["executions"]
    cloud.client("scheduler").delete_schedule(Name=name)

    assert json.loads(cloud.ended(listed[0]["executionArn"])["output"]) == {"by": "schedule"}
