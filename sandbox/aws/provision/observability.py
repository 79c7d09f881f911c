"""Log groups, metric filters, alarms and dashboards."""

from __future__ import annotations

from sandbox.aws.provision.calls import call, camel, tag_map
from sandbox.aws.provision.intrinsics import Created
from sandbox.aws.provision.stack import Resource, Stack, creates


RETENTION = "Log groups never expire."
ALARMS = "CloudWatch alarms are kept but never evaluated, and nothing counts metrics from logs."


@creates("AWS::Logs::LogGroup")
def create_log_group(stack: Stack, group: Resource) -> Created:
    """Make a log group; its Arn ends in `:*` as CloudFormation's does."""
    name = group.name("LogGroupName", 512)
    logs = stack.client("logs")
    days = group.take("RetentionInDays")
    call(
        logs,
        "create_log_group",
        logGroupName=name,
        tags=tag_map(group.take("Tags", [])),
        **camel(group.rest()),
    )
    if days is not None:
        stack.not_emulated.add(RETENTION)
        call(logs, "put_retention_policy", logGroupName=name, retentionInDays=days)
    return Created(name, {"Arn": stack.arn("logs", f"log-group:{name}:*")})


@creates("AWS::Logs::MetricFilter")
def create_metric_filter(stack: Stack, filter_: Resource) -> Created:
    """Make a metric filter."""
    stack.not_emulated.add(ALARMS)
    name = filter_.name("FilterName", 512)
    call(stack.client("logs"), "put_metric_filter", filterName=name, **camel(filter_.rest()))
    return Created(name)


@creates("AWS::CloudWatch::Alarm")
def create_alarm(stack: Stack, alarm: Resource) -> Created:
    """Make an alarm."""
    stack.not_emulated.add(ALARMS)
    name = alarm.name("AlarmName", 255)
    call(stack.client("cloudwatch"), "put_metric_alarm", AlarmName=name, **alarm.rest())
    return Created(name, {"Arn": stack.arn("cloudwatch", f"alarm:{name}")})


@creates("AWS::CloudWatch::Dashboard")
def create_dashboard(stack: Stack, dashboard: Resource) -> Created:
    """Make a dashboard."""
    name = dashboard.name("DashboardName", 255)
    call(stack.client("cloudwatch"), "put_dashboard", DashboardName=name, **dashboard.rest())
    return Created(name)
