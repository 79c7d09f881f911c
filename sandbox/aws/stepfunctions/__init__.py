"""moto's Step Functions, repaired: JSONata, errors, time, Express, history.

moto 5.2.5 interprets the Amazon States Language (its interpreter descends from LocalStack's).
Each module here mends one side of it, and each repair has a test that states the defect.
"""

from __future__ import annotations

from sandbox.aws.repairs import moto_module, once
from sandbox.aws.stepfunctions import (
    api,
    creation,
    definitions,
    errors,
    expressions,
    history,
    integrations,
    starting,
    states,
    waiting,
)


NOT_EMULATED: tuple[str, ...] = (
    "Step Functions writes no CloudWatch Logs: the history of an Express execution is nowhere.",
    "Step Functions has no TestState, RedriveExecution, activities or http:invoke.",
    "Step Functions limits payloads and inline Maps only, not histories, rates or accounts.",
    "Step Functions divides Wait and Retry by the world's speed; time-outs take real time.",
)


@once
def _repair() -> None:
    for module in (
        creation,
        definitions,
        expressions,
        errors,
        integrations,
        starting,
        states,
        waiting,
        history,
        api,
    ):
        module.repair()


def repair(speed: float) -> None:
    """Mend moto in this process, once; divide waiting times by `speed`.

    Raises MotoChangedError when moto is not the version that the repairs were written for.
    """
    moto_module("core.config").default_user_config["stepfunctions"] = {
        "execute_state_machine": True
    }
    _repair()
    waiting.set_speed(speed)
