"""Puts the workers behind moto's Lambda: all of its callers end at `LambdaFunction.invoke`.

The API, Step Functions, EventBridge, SNS, Secrets Manager's rotation and Logs call it alike.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.aws.repairs import moto_module, original, replace
from sandbox.aws.workers.pool import Pool, ThrottledError
from sandbox.aws.workers.worker import LARGEST_EVENT, Event, Outcome


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.aws.workers.asynchronous import AsyncInvocations
    from sandbox.aws.workers.code import CodeStore
    from sandbox.aws.workers.environment import Surroundings

KEPT = {"LoggingConfig": "logging_config", "DeadLetterConfig": "dead_letter_config"}


@dataclass
class Functions:
    """Invokes moto's functions; `later` takes what nobody waits for."""

    pool: Pool
    code: CodeStore
    surroundings: Surroundings
    later: AsyncInvocations = field(init=False)

    def install(self, later: AsyncInvocations) -> None:
        """Repair moto: functions run, and keep what they were created with."""
        self.later = later
        models = moto_module("awslambda.models")

        def invoke(function: Any, body: Any, headers: Any, answer: dict[str, str]) -> bytes:
            return self.answer(function, body, headers, answer)

        replace(models.LambdaFunction, "invoke", invoke)
        keep_configuration(models.LambdaFunction)

    def answer(
        self, function: Any, body: Any, headers: Mapping[str, str], answer: dict[str, str]
    ) -> bytes:
        """Answer the Invoke API; raise moto's errors for what it refuses."""
        payload = body.encode() if isinstance(body, str) else body or b"{}"
        _check(payload)
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return b""
        if kind == "Event":
            self.later.submit(function, payload)
            return b""
        try:
            outcome, tail = self.run(function, payload, headers.get("X-Amz-Client-Context", ""))
        except ThrottledError:
            raise _refusal(429, "TooManyRequestsException", "Rate Exceeded.") from None
        answer["x-amz-executed-version"] = "$LATEST"
        answer["x-amz-log-result"] = base64.b64encode(tail).decode()
        if outcome.is_error:
            answer["x-amz-function-error"] = "Unhandled"
        return outcome.payload

    def run(
        self, function: Any, payload: bytes, client_context: str = "", request_id: str = ""
    ) -> tuple[Outcome, bytes]:
        """Run a moto function now; return what it came to and the last of its log.

        Raise ThrottledError when its reserved concurrency is used up.
        """
        plan = self.surroundings.plan(function, self.code)
        context = base64.b64decode(client_context).decode()
        event = Event(request_id or str(uuid.uuid4()), payload, client_context=context)
        reserved = function.reserved_concurrency
        return self.pool.invoke(plan, event, None if reserved is None else int(reserved))


def keep_configuration(function_class: Any) -> None:
    """Repair moto: it drops a function's LoggingConfig and DeadLetterConfig."""
    make, describe = (original(function_class, n) for n in ("__init__", "get_configuration"))

    def __init__(function: Any, account_id: str, spec: Any, region: str, **more: Any) -> None:  # noqa: N807
        make(function, account_id, spec, region, **more)
        for name, attribute in KEPT.items():
            setattr(function, attribute, spec.get(name) or {})

    def get_configuration(function: Any, on_create: bool = False) -> Any:  # noqa: FBT001, FBT002 - moto's signature
        kept = {name: getattr(function, attribute) for name, attribute in KEPT.items()}
        shown = {name: value for name, value in kept.items() if value}
        return {**describe(function, on_create), **shown}

    replace(function_class, "__init__", __init__)
    replace(function_class, "get_configuration", get_configuration)


def _check(payload: bytes) -> None:
    if len(payload) > LARGEST_EVENT:
        told = f"{len(payload)} byte payload is too large for the RequestResponse invocation type"
        raise _refusal(413, "RequestTooLargeException", f"{told} (limit {LARGEST_EVENT} bytes)")
    try:
        json.loads(payload)
    except ValueError as error:
        told = f"Could not parse request body into json: {error}"
        raise _refusal(400, "InvalidRequestContentException", told) from error


def _refusal(status: int, kind: str, message: str) -> Exception:
    error: Exception = moto_module("core.exceptions").JsonRESTError(kind, message)
    error.code = status  # type: ignore[attr-defined]  # the HTTP status of moto's REST errors
    return error
