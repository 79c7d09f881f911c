"""Expressions in moto's states: evaluated with bindings, failing as States.QueryEvaluationError.

Stock moto never wires an evaluator (getmoto/moto issue 10105), and would paste values into the
text of the expression, where a quote breaks it.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from sandbox.aws.repairs import moto_module, original, replace
from sandbox.aws.stepfunctions.jsonata import QueryError, evaluate


api = moto_module("stepfunctions.parser.api")
strings = moto_module("stepfunctions.parser.asl.component.common.string.string_expression")
failures = moto_module("stepfunctions.parser.asl.component.common.error_name.failure_event")
names = moto_module("stepfunctions.parser.asl.component.common.error_name.states_error_name")
types = moto_module("stepfunctions.parser.asl.component.common.error_name.states_error_name_type")
states = moto_module("stepfunctions.parser.asl.eval.states")
variables = moto_module("stepfunctions.parser.asl.eval.variable_store")
comparisons = moto_module("stepfunctions.parser.asl.component.state.choice.comparison.comparison")
state = moto_module("stepfunctions.parser.asl.component.state.state")

QUERY_EVALUATION_ERROR = types.StatesErrorNameType.StatesQueryEvaluationError


def repair() -> None:
    """Wire JSONata into moto's interpreter."""
    replace(strings.StringJSONata, "_eval_body", _evaluate_expression)
    replace(strings.StringVariableSample, "_eval_body", _evaluate_expression)
    replace(states.States, "reset", _reset)
    replace(state.CommonStateField, "_eval_body", _evaluate_state)
    replace(comparisons.ConditionStringJSONata, "_eval_body", _evaluate_condition)
    replace(variables.VariableStore, "get_assigned_variables", _assigned)


@lru_cache(maxsize=4096)
def _names_in(expression: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the variables an expression names, and the parts of `$states` (empty means all)."""
    variables = frozenset(re.findall(r"\$(\w+)", expression))
    whole = re.search(r"\$states\b(?!\s*\.\s*\w)", expression)
    parts = re.findall(r"\$states\s*\.\s*(\w+)", expression)
    return variables, frozenset() if whole else frozenset(parts)


def _bindings(expression: str, env: Any) -> dict[str, Any]:
    variables, parts = _names_in(expression)
    scope = {**env.variable_store._outer_scope, **env.variable_store._inner_scope}
    bound = {name: scope[name] for name in variables if name in scope}
    if "states" in variables:
        data = env.states._states_data
        bound["states"] = {k: v for k, v in data.items() if not parts or k in parts}
    return bound


def _evaluate_expression(self: Any, env: Any) -> None:
    try:
        value = evaluate(self.expression, _bindings(self.expression, env))
    except QueryError as error:
        raise _failure(env, self.expression, str(error)) from error
    env.stack.append(value)


def _evaluate_condition(self: Any, env: Any) -> None:
    """Refuse a Condition that is neither true nor false, as an evaluation that failed."""
    self.string_jsonata.eval(env=env)
    if not isinstance(env.stack[-1], bool):
        kind = type(env.stack.pop()).__name__
        why = f"returned an unexpected result type. Expected 'boolean', but was '{kind}'."
        raise _failure(env, self.string_jsonata.expression, why)


def _assigned(self: Any) -> dict[str, str]:
    """Return the state's assignments as JSON texts; moto puts a bare pair of quotes around them."""
    return {name: json.dumps(self.get(name)) for name in self._declaration_tracing}


def _failure(env: Any, expression: str, why: str) -> Exception:
    details = {
        "error": QUERY_EVALUATION_ERROR.to_name(),
        "cause": f"The JSONata expression '{expression}' specified for the field "
        f"'{env.next_field_name}' {why}",
        "location": env.next_field_name or "",
        "state": env.next_state_name or "",
    }
    event = failures.FailureEvent(
        env=env,
        error_name=names.StatesErrorName(typ=QUERY_EVALUATION_ERROR),
        event_type=api.HistoryEventType.EvaluationFailed,
        event_details={"evaluationFailedEventDetails": details},
    )
    failure: Exception = failures.FailureEventException(failure_event=event)
    return failure


def _reset(self: Any, input_value: Any) -> None:
    """Begin a state: `$states.result` and `$states.errorOutput` are undefined, not null."""
    original(states.States, "reset")(self, input_value)
    self._states_data.pop("result")
    self._states_data.pop("errorOutput")


def _evaluate_state(self: Any, env: Any) -> None:
    """Let a failed evaluation show in the history; moto records it for Task states only."""
    try:
        original(state.CommonStateField, "_eval_body")(self, env)
    except failures.FailureEventException as exception:
        failure = exception.failure_event
        if failure.event_type == api.HistoryEventType.EvaluationFailed:
            _record_once(env, failure)
        raise


def _record_once(env: Any, failure: Any) -> None:
    details = failure.event_details["evaluationFailedEventDetails"]
    recorded = env.event_manager._history_event_list[-20:]
    if not any(e.get("evaluationFailedEventDetails") is details for e in recorded):
        env.event_manager.add_event(
            context=env.event_history_context,
            event_type=failure.event_type,
            event_details=failure.event_details,
        )
