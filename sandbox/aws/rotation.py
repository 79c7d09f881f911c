"""Secrets Manager's rotation as on AWS; moto 5.2.5 promotes whatever the function answers.

By the user guide, "Rotate AWS Secrets Manager secrets", and the API reference of RotateSecret:
the function is called four times with the secret's ARN; only its own finishSecret moves
AWSCURRENT; a step that fails ends the rotation and leaves AWSPENDING where it was.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from sandbox.aws.events.cron import ScheduleError, parse
from sandbox.aws.repairs import moto_module, once, original, replace


models = moto_module("secretsmanager.models")
errors = moto_module("secretsmanager.exceptions")
lambdas = moto_module("awslambda.utils")

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
TEST_STEP = ("testSecret",)
CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
NOT_EMULATED: tuple[str, ...] = (
    "Secrets Manager rotates when RotateSecret is called; RotationRules start nothing.",
    "Secrets Manager does not call a failed rotation's function again within 24 hours.",
)


@once
def repair() -> None:
    """Mend rotation, and staging labels, in this process; a second time does nothing."""
    backend = models.SecretsManagerBackend
    replace(backend, "rotate_secret", rotate_secret)
    replace(backend, "update_secret_version_stage", update_secret_version_stage)
    replace(backend, "get_secret_value", get_secret_value)
    replace(models.FakeSecret, "reset_default_version", _make_current)


def rotate_secret(
    self: Any,
    secret_id: str,
    *,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: dict[str, Any] | None = None,
    rotate_immediately: bool = True,
) -> str:
    """RotateSecret: answer at once; the function's steps run one after the other, later."""
    secret = _rotatable(self, secret_id)
    function = rotation_lambda_arn or secret.rotation_lambda_arn
    _check_function(self, function)
    _refuse_second_rotation(self, secret)
    token = self._from_client_request_token(client_request_token)
    _configure(secret, function, rotation_rules)
    steps = STEPS if rotate_immediately else TEST_STEP
    if rotate_immediately:
        _stage_pending(secret, token)
    else:
        token = _version_with(secret, CURRENT) or token
    _run_later(self, secret, token, steps)
    answer: str = secret.to_short_dict(version_id=token)
    return answer


def _rotatable(backend: Any, secret_id: str) -> Any:
    if not backend._is_valid_identifier(secret_id):
        raise errors.SecretNotFoundException
    secret = backend.secrets[secret_id]
    if isinstance(secret, models.ReplicaSecret):
        raise errors.OperationNotPermittedOnReplica
    if secret.is_deleted():
        raise errors.InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    return secret


def _check_function(backend: Any, function: str) -> None:
    if not function:
        raise errors.InvalidRequestException(
            "No Lambda rotation function ARN is associated with this secret."
        )
    try:
        lambdas.get_backend(backend.account_id, backend.region_name).get_function(function)
    except Exception as error:
        raise errors.ResourceNotFoundException(
            f"Resource not found for ARN '{function}'."
        ) from error


def _refuse_second_rotation(backend: Any, secret: Any) -> None:
    """Refuse while a version that is not the current one is pending, and go on with that one.

    A version that its function never gave a value is an attempt that failed: AWS begins anew.
    """
    pending = _version_with(secret, PENDING)
    if pending is None or CURRENT in secret.versions[pending]["version_stages"]:
        return
    if {"secret_string", "secret_binary"} & secret.versions[pending].keys():
        _run_later(backend, secret, pending, STEPS)
        raise errors.InvalidRequestException(
            "A previous rotation isn't complete. That rotation will be reattempted."
        )


def _configure(secret: Any, function: str, rules: dict[str, Any] | None) -> None:
    rules = rules or {}
    days = rules.get("AutomaticallyAfterDays", 0)
    if "AutomaticallyAfterDays" in rules and not 1 <= days <= 1000:
        raise errors.InvalidParameterException(
            "RotationRules.AutomaticallyAfterDays must be within 1-1000."
        )
    try:
        parse(rules.get("ScheduleExpression", "rate(1 day)"))
    except ScheduleError as error:
        raise errors.InvalidParameterException(str(error)) from error
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = function
    if days:
        secret.auto_rotate_after_days = days
        secret.next_rotation_date = int(time.time()) + days * 86400


def _stage_pending(secret: Any, token: str) -> None:
    """Attach AWSPENDING to a version without a value yet, which createSecret fills."""
    secret.remove_version_stages_from_old_versions([PENDING])
    secret.versions.setdefault(
        token, {"createdate": int(time.time()), "version_id": token, "version_stages": []}
    )["version_stages"].append(PENDING)


def _run_later(backend: Any, secret: Any, token: str, steps: tuple[str, ...]) -> None:
    arguments = (backend, secret, token, steps)
    threading.Thread(target=_run_steps, args=arguments, name="rotation", daemon=True).start()


def _run_steps(backend: Any, secret: Any, token: str, steps: tuple[str, ...]) -> None:
    for step in steps:
        if not _succeeds(backend, secret, token, step):
            return
    if steps == STEPS:
        secret.last_rotation_date = int(time.time())


def _succeeds(backend: Any, secret: Any, token: str, step: str) -> bool:
    """Call the function for one step; any error of it, also FunctionError, is a failure."""
    functions = lambdas.get_backend(backend.account_id, backend.region_name)
    event = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token}
    answered: dict[str, Any] = {}
    try:
        functions.invoke(
            secret.rotation_lambda_arn,
            qualifier=None,
            body=json.dumps(event),
            headers={},
            response_headers=answered,
        )
    except Exception:  # noqa: BLE001 - a function that cannot be reached has failed
        return False
    return not any(name.lower() == "x-amz-function-error" for name in answered)


def _version_with(secret: Any, stage: str) -> str | None:
    return next((v for v, d in secret.versions.items() if stage in d["version_stages"]), None)


def _make_current(self: Any, secret_version: dict[str, Any], version_id: str) -> None:
    """Move AWSCURRENT to a version, and AWSPREVIOUS to the one it leaves; other labels stay."""
    self.remove_version_stages_from_old_versions([PREVIOUS])
    left = _version_with(self, CURRENT)
    if left and left != version_id:
        stages = self.versions[left]["version_stages"]
        stages[stages.index(CURRENT)] = PREVIOUS
    self.versions[version_id] = secret_version
    self.default_version_id = version_id


def update_secret_version_stage(self: Any, secret_id: str, **move: Any) -> tuple[str, str]:
    """UpdateSecretVersionStage, which GetSecretValue without a stage then sees."""
    answer: tuple[str, str] = original(models.SecretsManagerBackend, "update_secret_version_stage")(
        self, secret_id, **move
    )
    secret = self.secrets[secret_id]
    secret.set_default_version_id(_version_with(secret, CURRENT))
    return answer


def get_secret_value(
    self: Any, secret_id: str, version_id: str | None, version_stage: str | None
) -> dict[str, Any]:
    """GetSecretValue: AWSCURRENT when neither a version nor a stage is asked for."""
    if not version_id and not version_stage and self._is_valid_identifier(secret_id):
        secret = self.secrets[secret_id]
        if not isinstance(secret, models.ReplicaSecret):
            version_id = _version_with(secret, CURRENT)
    answer: dict[str, Any] = original(models.SecretsManagerBackend, "get_secret_value")(
        self, secret_id, version_id, version_stage
    )
    return answer
