"""Creating state machines: a definition that AWS would refuse is refused here.

moto checks the grammar only; a missing target or a bad expression fails when it is reached.
"""

from __future__ import annotations

from typing import Any

from sandbox.aws.repairs import add, moto_module, original, replace
from sandbox.aws.stepfunctions import definitions
from sandbox.aws.stepfunctions.graph import problems


errors = moto_module("stepfunctions.parser.api")
responses = moto_module("stepfunctions.responses")
parser_models = moto_module("stepfunctions.parser.models")
express_rules = moto_module("stepfunctions.parser.asl.static_analyser.express_static_analyser")
core = moto_module("core.responses")


def repair() -> None:
    """Replace what is checked when a state machine is created, and add the check by itself."""
    backend = parser_models.StepFunctionsParserBackend
    replace(backend, "create_state_machine", create_state_machine)
    replace(backend, "_validate_definition", staticmethod(validate))
    operation = validate_state_machine_definition
    add(responses.StepFunctionResponse, operation.__name__, operation)


def create_state_machine(self: Any, name: str, definition: str, **more: Any) -> Any:
    """CreateStateMachine: refuse another machine of the name, and what Express cannot do."""
    if more.get("sm_type") == "EXPRESS":
        validate(definition)
        try:
            express_rules.ExpressStaticAnalyser().analyse(definition)
        except ValueError as error:
            raise errors.InvalidDefinition(str(error)) from error
    for machine in self.state_machines:
        if machine.name == name and machine.definition != definition:
            raise errors.StateMachineAlreadyExists(f"State Machine Already Exists: '{machine.arn}'")
    return original(parser_models.StepFunctionsParserBackend, "create_state_machine")(
        self, name, definition, **more
    )


def validate(definition: str) -> None:
    """Refuse a definition by its grammar, its transitions or its expressions."""
    try:
        definitions.parse(definition)
    except Exception as error:
        raise errors.InvalidDefinition(
            f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {error}'"
        ) from error
    found = problems(definition)
    if found:
        listed = ", ".join(str(problem) for problem in found)
        raise errors.InvalidDefinition(f"Invalid State Machine Definition: '{listed}'")


def validate_state_machine_definition(self: Any) -> Any:
    """ValidateStateMachineDefinition: OK, or FAIL and why."""
    diagnostics = []
    try:
        validate(self._get_param("definition"))
    except errors.InvalidDefinition as error:
        found = problems(self._get_param("definition"))
        diagnostics = [
            {"severity": "ERROR", "code": p.code, "message": p.message, "location": p.location}
            for p in found
        ] or [{"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": str(error)}]
    result = "FAIL" if diagnostics else "OK"
    return core.ActionResult({"result": result, "diagnostics": diagnostics, "truncated": False})
