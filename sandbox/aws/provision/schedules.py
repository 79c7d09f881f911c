"""EventBridge Scheduler's schedules and their groups."""

from __future__ import annotations

from sandbox.aws.provision.calls import call
from sandbox.aws.provision.intrinsics import Created
from sandbox.aws.provision.stack import Resource, Stack, creates


@creates("AWS::Scheduler::Schedule")
def create_schedule(stack: Stack, schedule: Resource) -> Created:
    """Make a schedule, in the default group unless it names another."""
    name = schedule.name("Name")
    scheduler = stack.client("scheduler")
    arn = call(scheduler, "create_schedule", Name=name, **schedule.rest())["ScheduleArn"]
    return Created(name, {"Arn": arn})


@creates("AWS::Scheduler::ScheduleGroup")
def create_schedule_group(stack: Stack, group: Resource) -> Created:
    """Make a group of schedules."""
    name = group.name("Name")
    scheduler = stack.client("scheduler")
    answer = call(scheduler, "create_schedule_group", Name=name, Tags=group.take("Tags"))
    return Created(name, {"Arn": answer["ScheduleGroupArn"]})
