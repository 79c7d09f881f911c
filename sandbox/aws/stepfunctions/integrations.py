"""Tasks that call an AWS API: parameters in, results out, without a socket."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError

from sandbox.aws import clients
from sandbox.aws.repairs import moto_module, replace
from sandbox.aws.stepfunctions.shapes import from_response, to_request


tasks = "stepfunctions.parser.asl.component.state.exec.state_task"
service_task = moto_module(f"{tasks}.service.state_task_service")
aws_sdk = moto_module(f"{tasks}.service.state_task_service_aws_sdk")
MAPS = "stepfunctions.parser.asl.component.state.exec.state_map"
CALLERS = (
    f"{tasks}.lambda_eval_utils",
    *(f"{tasks}.service.state_task_service_{name}" for name in ("aws_sdk", "dynamodb", "events")),
    *(f"{tasks}.service.state_task_service_{name}" for name in ("sfn", "sns", "sqs")),
    f"{MAPS}.item_reader.eval.resource_eval_s3",
    f"{MAPS}.result_writer.resource_eval.resource_eval_s3",
)
# Services whose name in an ASL resource is not botocore's.
BOTO_NAMES = {
    "sfn": "stepfunctions",
    "states": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancingv2": "elbv2",
}
# What the optimised integrations take as JSON and send as text.
JSON_TEXT = {"sns": "Message", "sqs": "MessageBody", "states": "Input", "events": "Detail"}
_session = botocore.session.Session()


def repair() -> None:
    """Replace moto's empty normalisation, and its client per call."""
    task = service_task.StateTaskService
    replace(task, "_normalise_parameters", _normalise_parameters)
    replace(task, "_normalise_response", _normalise_response)
    replace(task, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES", BOTO_NAMES)
    sdk = aws_sdk.StateTaskServiceAwsSdk
    replace(sdk, "_validate_service_integration_is_supported", _validate_operation)
    for path in CALLERS:
        replace(moto_module(path), "boto_client_for", clients.client_for)


@cache
def model_of(service: str) -> Any:
    """Return botocore's model of a service, by its name in an ASL resource."""
    return _session.get_service_model(BOTO_NAMES.get(service, service))


def service_id(service: str) -> str:
    """Return AWS's own identifier of a service, e.g. `DynamoDB`, `Secrets Manager`, `SSM`."""
    return str(model_of(service).service_id)


@cache
def operation_model(service: str, action: str) -> Any:
    """Return the model of an operation by its name in either case: getItem, get_item, GetItem."""
    wanted = action.replace("_", "").lower()
    model = model_of(service)
    found = next((name for name in model.operation_names if name.lower() == wanted), None)
    if found is None:
        raise ValueError(f"{service} has no operation {action}")
    return model.operation_model(found)


def _normalise_parameters(
    self: Any,
    parameters: dict[str, Any],
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
) -> None:
    operation = operation_model(
        boto_service_name or self.resource.api_name,
        service_action_name or self.resource.api_action,
    )
    for entry in (parameters, *_entries(parameters)):
        _write_json_text(self.resource.service_name, entry)
    request = to_request(parameters, operation.input_shape)
    parameters.clear()
    parameters.update(request)


def _entries(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    entries = parameters.get("Entries")
    return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []


def _write_json_text(service: str, parameters: dict[str, Any]) -> None:
    field = JSON_TEXT.get(service, "")
    if not isinstance(parameters.get(field, ""), str):
        parameters[field] = json.dumps(parameters[field], separators=(",", ":"))


def _normalise_response(
    self: Any,
    response: Any,
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
) -> None:
    if not isinstance(response, dict):
        return
    operation = operation_model(
        boto_service_name or self.resource.api_name,
        service_action_name or self.resource.api_action,
    )
    result = from_response(response, operation.output_shape)
    response.clear()
    response.update(result)


def _validate_operation(self: Any) -> None:
    """Refuse, when the state machine is created, an SDK operation that AWS does not have."""
    action = self.resource.api_action
    try:
        known: str = operation_model(self.resource.api_name, action).name
    except (ValueError, UnknownServiceError):
        known = ""
    if known[:1].lower() + known[1:] != action:
        raise ValueError(
            f"The resource provided {self.resource.resource_arn} is not recognized. The value "
            "is not a valid resource ARN, or the resource is not available in this region."
        )
