"""moto's EventBridge and EventBridge Scheduler, repaired: what they are given arrives."""

from __future__ import annotations

from sandbox.aws.events.delivery import EventDelivery
from sandbox.aws.events.scheduler import Scheduler


NOT_EMULATED: tuple[str, ...] = (
    "EventBridge delivers to state machines, functions, queues, topics, buses and log groups only.",
    "EventBridge has no archives, replays, API destinations or partner sources.",
    "EventBridge resource policies and the roles of rules are not enforced.",
    "EventBridge Scheduler ignores flexible time windows: schedules fire on the minute.",
    "EventBridge Scheduler fires once, not once for each, when the machine slept over occurrences.",
)

__all__ = ["NOT_EMULATED", "EventDelivery", "Scheduler"]
