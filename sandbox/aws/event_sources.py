"""Queues that functions read: pollers, as Lambda's event source mappings have them.

moto 5.2.5 invokes the function inside SendMessage, one message at a time, and knows neither partial
batches nor the queue's redrive policy there.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sandbox.aws.clients import client_for
from sandbox.aws.repairs import moto_module, original, replace
from sandbox.aws.workers.pool import ThrottledError


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.aws.workers.worker import Outcome

log = logging.getLogger(__name__)
LARGEST_RECEIVE = 10
PATIENCE_SECONDS = 5  # of one long poll
PARTIAL = "ReportBatchItemFailures"
DISTRUST_SECONDS = 1.0  # after a queue could not be read


@dataclass
class EventSources:
    """All pollers; `run` invokes a moto function with an event's bytes."""

    run: Callable[..., tuple[Outcome, bytes]]
    _stopping: threading.Event = field(default_factory=threading.Event)

    def install(self) -> None:
        """Repair moto: a mapping on a queue starts a poller instead."""
        backend = moto_module("awslambda.models").LambdaBackend
        create = original(backend, "create_event_source_mapping")

        def create_and_poll(lambdas: Any, spec: dict[str, Any]) -> Any:
            mapping = create(lambdas, spec)
            queue = _queue(lambdas, mapping.event_source_arn)
            if queue:
                queue.lambda_event_source_mappings.pop(mapping.function_arn)
                self._start(lambdas, mapping)
            return mapping

        replace(backend, "create_event_source_mapping", create_and_poll)

    def stop(self) -> None:
        """Let the pollers end."""
        self._stopping.set()

    def _start(self, lambdas: Any, mapping: Any) -> None:
        poller = _Poller(lambdas, mapping, self.run, self._stopping)
        threading.Thread(target=poller.poll, name="event-source", daemon=True).start()


@dataclass
class _Poller:
    """Reads one queue for one function."""

    lambdas: Any
    mapping: Any
    run: Callable[..., tuple[Outcome, bytes]]
    stopping: threading.Event

    def poll(self) -> None:
        """Carry batches from the queue to the function, until the mapping is gone."""
        while not self.stopping.is_set() and self._exists():
            try:
                messages = self._receive() if self.mapping.enabled else []
            except ClientError as error:
                log.warning("cannot read %s: %s", self.mapping.event_source_arn, error)
                messages = []
                self.stopping.wait(DISTRUST_SECONDS)
            if messages:
                self._delete(self._carry(messages))
            elif not self.mapping.enabled:
                self.stopping.wait(DISTRUST_SECONDS)

    def _exists(self) -> bool:
        return self.lambdas.get_event_source_mapping(self.mapping.uuid) is self.mapping

    def _receive(self) -> list[dict[str, Any]]:
        return list(
            self._sqs()
            .receive_message(
                QueueUrl=self._url(),
                MaxNumberOfMessages=min(self.mapping.batch_size, LARGEST_RECEIVE),
                WaitTimeSeconds=PATIENCE_SECONDS,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            .get("Messages", [])
        )

    def _carry(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Invoke the function; return the messages that it is done with."""
        function = self.lambdas.get_function(self.mapping.function_arn)
        records = [_record(message, self.mapping.event_source_arn) for message in messages]
        try:
            outcome, _ = self.run(function, json.dumps({"Records": records}).encode())
        except ThrottledError:
            return []
        if outcome.is_error:
            return []
        if PARTIAL not in (self.mapping.function_response_types or []):
            return messages
        return _without_failures(messages, outcome.payload)

    def _delete(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            self._sqs().delete_message(QueueUrl=self._url(), ReceiptHandle=message["ReceiptHandle"])

    def _sqs(self) -> Any:
        return client_for(self.lambdas.region_name, "sqs")

    def _url(self) -> str:
        _, _, _, region, account, name = self.mapping.event_source_arn.split(":")
        return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def _queue(lambdas: Any, arn: str) -> Any:
    backends = moto_module("sqs.models").sqs_backends
    queues = backends[lambdas.account_id][lambdas.region_name].queues
    return next((queue for queue in queues.values() if queue.queue_arn == arn), None)


def _record(message: dict[str, Any], arn: str) -> dict[str, Any]:
    """Return a message in the form of a Lambda event."""
    attributes = message.get("MessageAttributes", {}).items()
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {key[:1].lower() + key[1:]: value for key, value in attribute.items()}
            for name, attribute in attributes
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }


def _without_failures(messages: list[dict[str, Any]], payload: bytes) -> list[dict[str, Any]]:
    """Return what a partial answer leaves as done; an answer that makes no sense leaves nothing."""
    try:
        failures = (json.loads(payload) or {}).get("batchItemFailures") or []
        failed = {failure["itemIdentifier"] for failure in failures}
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
    known = {message["MessageId"] for message in messages}
    return [m for m in messages if m["MessageId"] not in failed] if failed <= known else []
