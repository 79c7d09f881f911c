"""Which error has which name, and which Retry or Catch it matches.

By the developer guide, "Handling errors in Step Functions workflows".
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.aws.repairs import moto_module, original, replace


asl = "stepfunctions.parser.asl.component"
api = moto_module("stepfunctions.parser.api")
quotas = moto_module("stepfunctions.parser.quotas")
tasks = f"{asl}.state.exec.state_task"
state_task = moto_module(f"{tasks}.state_task")
service_task = moto_module(f"{tasks}.service.state_task_service")
aws_sdk = moto_module(f"{tasks}.service.state_task_service_aws_sdk")
dynamodb = moto_module(f"{tasks}.service.state_task_service_dynamodb")
lambdas = moto_module(f"{tasks}.service.state_task_service_lambda")
invocations = moto_module(f"{tasks}.lambda_eval_utils")
callback = moto_module("stepfunctions.parser.asl.eval.callback.callback")
custom = moto_module(f"{asl}.common.error_name.custom_error_name")
error_name = moto_module(f"{asl}.common.error_name.error_name")
matching = moto_module(f"{asl}.common.error_name.error_equals_decl")
failures = moto_module(f"{asl}.common.error_name.failure_event")
names = moto_module(f"{asl}.common.error_name.states_error_name")
kinds = moto_module(f"{asl}.common.error_name.states_error_name_type")
choice = moto_module(f"{asl}.state.choice.state_choice")
preprocessor = moto_module("stepfunctions.parser.asl.parse.preprocessor")

Kind = kinds.StatesErrorNameType
TERMINAL = frozenset({"States.Runtime", "States.DataLimitExceeded"})
TIMEOUTS = frozenset({"States.Timeout", "States.HeartbeatTimeout"})


def repair() -> None:
    """Replace how errors are named and matched."""
    replace(matching.ErrorEqualsDecl, "_eval_body", _match)
    replace(custom.CustomErrorName, "__init__", _take_any_name)
    replace(preprocessor.Preprocessor, "visitError_name", _declare_error)
    replace(state_task.StateTask, "_from_error", _from_timeout)
    replace(dynamodb.StateTaskServiceDynamoDB, "_from_error", _from_dynamodb)
    replace(lambdas.StateTaskServiceLambda, "_from_error", _from_lambda)
    normalise = "_normalise_service_error_name"
    replace(aws_sdk.StateTaskServiceAwsSdk, normalise, staticmethod(service_error_name))


def matches(error: str | None, error_equals: list[str]) -> bool:
    """Say whether a Retry or Catch with these names is meant for that error."""
    if error == "States.Runtime":
        return False
    if error in error_equals:
        return True
    if "States.ALL" in error_equals:
        return error not in TERMINAL
    if "States.Timeout" in error_equals and error in TIMEOUTS:
        return True
    return "States.TaskFailed" in error_equals and error not in TERMINAL | TIMEOUTS


def _match(self: Any, env: Any) -> None:
    error = env.stack.pop()
    declared = [name.error_name for name in self.error_names]
    env.stack.append(matches(error and error.error_name, declared))


def _take_any_name(self: Any, error_name: str | None) -> None:
    """Let a branch's States.* error be the error of its Parallel or Map; moto fails on it."""
    self.error_name = error_name


def _declare_error(self: Any, ctx: Any) -> Any:
    """Refuse a made-up States.* name where Retry and Catch are declared."""
    declared = original(preprocessor.Preprocessor, "visitError_name")(self, ctx)
    is_made_up = not isinstance(declared, names.StatesErrorName)
    if is_made_up and str(declared.error_name).startswith("States."):
        raise ValueError(f"Unknown error name '{declared.error_name}'")
    return declared


def _from_timeout(self: Any, env: Any, ex: Exception) -> Any:
    """Name a heartbeat that did not come; moto calls it States.Timeout."""
    failure = original(state_task.StateTask, "_from_error")(self, env, ex)
    if isinstance(ex, callback.HeartbeatTimeoutError):
        failure.error_name = names.StatesErrorName(typ=Kind.StatesHeartbeatTimeout)
        failure.event_details["taskTimedOutEventDetails"]["error"] = "States.HeartbeatTimeout"
    return failure


def _from_dynamodb(self: Any, env: Any, ex: Exception) -> Any:
    """Name DynamoDB's own errors only; moto takes a time-out or a bad expression for one."""
    own = dynamodb.StateTaskServiceDynamoDB
    if isinstance(ex, dynamodb.ClientError):
        return original(own, "_from_error")(self, env, ex)
    return service_task.StateTaskService._from_error(self, env=env, ex=ex)


def _from_lambda(self: Any, env: Any, ex: Exception) -> Any:
    """Name an error without a type as AWS does, so that Retry by name can see it."""
    failure = original(lambdas.StateTaskServiceLambda, "_from_error")(self, env, ex)
    if isinstance(ex, invocations.LambdaFunctionErrorException):
        details = failure.event_details["taskFailedEventDetails"]
        if '"errorType"' not in ex.payload:
            failure.error_name = custom.CustomErrorName("Lambda.Unknown")
            details["error"] = "Lambda.Unknown"
            details["cause"] = (
                "The cause could not be determined because Lambda did not return an error "
                f"type. Returned payload: {ex.payload}"
            )
    return failure


def service_error_name(service: str) -> str:
    """Return a service's name in the errors of `aws-sdk` tasks: ssm is Ssm, as in AWS's Java SDK.

    `service` is the name in the resource's ARN, e.g. `dynamodb` or `secretsmanager`.
    """
    from sandbox.aws.stepfunctions.integrations import service_id  # noqa: PLC0415

    words = service_id(service).split()
    joined = "".join(word[0].upper() + word[1:] for word in words)
    return re.sub(r"([A-Z])([A-Z]+)(?![a-z])", lambda m: m[1] + m[2].lower(), joined)
