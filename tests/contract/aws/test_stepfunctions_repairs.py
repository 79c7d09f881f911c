"""Each repair of moto's Step Functions: what AWS does, what moto does, what we do.

Every case runs twice: on moto as it comes, in a process of its own, where it must give something
else than AWS; and on ours, where it must give what AWS gives.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


Cloud = Any
Case = Callable[[Cloud], Any]
CASES: dict[str, Case] = {}
AWS: dict[str, Any] = {}
LAMBDA = "arn:aws:states:::lambda:invoke"


def aws_gives(expected: Any) -> Callable[[Case], Case]:
    """Register a case together with what AWS gives."""

    def register(case: Case) -> Case:
        CASES[case.__name__], AWS[case.__name__] = case, expected
        return case

    return register


def machine(**states: Any) -> dict[str, Any]:
    """Return a JSONPath machine, which stock moto can read; it starts at its first state."""
    return {"StartAt": next(iter(states)), "States": states}


def jsonata(**states: Any) -> dict[str, Any]:
    """Return a JSONata machine that starts at its first state."""
    return {"QueryLanguage": "JSONata", **machine(**states)}


def refused(call: Callable[[], Any]) -> str:
    """Return the code of the error that a call raises, or `accepted`."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - clients raise classes made on the fly
        return str(getattr(error, "response", {}).get("Error", {}).get("Code", error))
    return "accepted"


WAIT = {"Type": "Wait", "Seconds": 600, "End": True}
PASS = {"Type": "Pass", "End": True}


@aws_gives({"status": "SUCCEEDED", "output": 42})
def jsonata_is_evaluated(cloud: Cloud) -> Any:
    """Moto never wires an evaluator: every expression is a TypeError."""
    definition = jsonata(Add=PASS | {"Output": "{% $states.input.a + 1 %}"})
    return cloud.run(definition, {"a": 41})


@aws_gives({"status": "FAILED", "error": "States.QueryEvaluationError"})
def failed_expressions_have_a_name(cloud: Cloud) -> Any:
    """Moto has no EvaluationFailed event outside of tasks."""
    definition = jsonata(Add=PASS | {"Output": "{% $states.input.a %}"})
    execution = cloud.start(cloud.machine(definition))
    ended = cloud.ended(execution)
    recorded = [e for e in cloud.history(execution) if e["type"] == "EvaluationFailed"]
    error = recorded[0]["evaluationFailedEventDetails"]["error"] if len(recorded) == 1 else None
    return {"status": ended["status"], "error": error}


@aws_gives([])
def threads_read_two_languages_apart(_: Cloud) -> Any:
    """Moto keeps the scopes of query languages in one list for all threads."""
    from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor  # noqa: PLC0415

    mine, yours = Preprocessor(), Preprocessor()
    mine._query_language_per_scope.append("JSONata")
    seen = list(yours._query_language_per_scope)
    mine._query_language_per_scope.clear()
    return seen


@aws_gives(["inner", "SUCCEEDED"])
def a_machine_starts_another(cloud: Cloud) -> Any:
    """Moto passes StateMachineArn where the API wants stateMachineArn."""
    inner = cloud.machine(machine(In=PASS | {"Result": "inner"}))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner, "Input": {"a": 1}},
        "End": True,
    }
    output = cloud.run(machine(Out=task))["output"]
    return [output["Output"], output["Status"]]


@aws_gives({"Table": "ACTIVE", "Created": "Z"})
def results_of_the_sdk_are_json(cloud: Cloud) -> Any:
    """Moto leaves datetimes in results, and DescribeExecution then answers 500."""
    cloud.client("dynamodb").create_table(
        TableName="described",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:describeTable",
        "Parameters": {"TableName": "described"},
        "End": True,
    }
    table = cloud.run(machine(Ask=task))["output"]["Table"]
    return {"Table": table["TableStatus"], "Created": table["CreationDateTime"][-1]}


@aws_gives(2)
def executions_without_a_name_get_one(cloud: Cloud) -> Any:
    """Moto calls each of them None, and refuses the second."""
    arn = cloud.machine(machine(A=PASS))
    return len({cloud.start(arn, {"n": n}) for n in range(2)})


@aws_gives("InvalidName")
def names_of_executions_are_checked(cloud: Cloud) -> Any:
    """Blanks, brackets and wildcards are not allowed."""
    arn = cloud.machine(machine(A=PASS))
    return refused(lambda: cloud.start(arn, name="a b*"))


@aws_gives({"status": "FAILED", "error": "Rejected", "cause": "not today"})
def a_failed_task_token_keeps_its_cause(cloud: Cloud) -> Any:
    """Moto drops the cause of SendTaskFailure."""
    queue = cloud.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody.$": "$$.Task.Token"},
        "End": True,
    }
    execution = cloud.start(cloud.machine(machine(Ask=task)))
    messages: list[Any] = []
    while not messages:
        messages = cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    cloud.client("stepfunctions").send_task_failure(
        taskToken=messages[0]["Body"], error="Rejected", cause="not today"
    )
    ended = cloud.ended(execution)
    return {k: ended.get(k) for k in ("status", "error", "cause")}


@aws_gives('"hello"')
def a_string_output_is_json(cloud: Cloud) -> Any:
    """Moto returns the bare text."""
    arn = cloud.machine(machine(A=PASS | {"Result": "hello"}))
    return cloud.ended(cloud.start(arn))["output"]


@aws_gives("States.NoChoiceMatched")
def no_choice_matched_has_its_name(cloud: Cloud) -> Any:
    """Moto calls it States.Runtime."""
    rule = {"Variable": "$.a", "NumericEquals": 1, "Next": "B"}
    definition = machine(A={"Type": "Choice", "Choices": [rule]}, B=PASS)
    return cloud.run(definition, {"a": 2}).get("error")


@aws_gives("States.HeartbeatTimeout")
def a_missing_heartbeat_has_its_name(cloud: Cloud) -> Any:
    """Moto calls it States.Timeout."""
    queue = cloud.client("sqs").create_queue(QueueName="heartbeats")["QueueUrl"]
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody.$": "$$.Task.Token"},
        "HeartbeatSeconds": 1,
        "TimeoutSeconds": 30,
        "End": True,
    }
    return cloud.run(machine(Ask=task)).get("error")


@aws_gives({"status": "ABORTED", "error": "Enough", "cause": "by hand", "last": "ExecutionAborted"})
def stopping_keeps_error_and_cause(cloud: Cloud) -> Any:
    """Moto loses what StopExecution was given."""
    execution = cloud.start(cloud.machine(machine(A=WAIT)))
    cloud.client("stepfunctions").stop_execution(
        executionArn=execution, error="Enough", cause="by hand"
    )
    ended = cloud.ended(execution)
    told = {k: ended.get(k) for k in ("status", "error", "cause")}
    return told | {"last": cloud.history(execution)[-1]["type"]}


@aws_gives("ABORTED")
def a_stopped_execution_does_not_fail_later(cloud: Cloud) -> Any:
    """Moto turns ABORTED into FAILED when the task that was in flight fails."""
    begun, release = threading.Event(), threading.Event()

    def work(_: Any) -> None:
        begun.set()
        release.wait(10)
        raise ValueError("too late")

    task = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Parameters": {"FunctionName": cloud.function(work)},
        "End": True,
    }
    execution = cloud.start(cloud.machine(machine(A=task)))
    begun.wait(10)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    release.set()
    return cloud.ended(execution)["status"]


@aws_gives('say "hi"')
def literals_in_assign_are_unescaped(_: Cloud) -> Any:
    """Moto keeps the backslashes of a string in Assign."""
    from moto.stepfunctions.parser.asl.parse.asl_parser import (  # noqa: PLC0415
        AmazonStateLanguageParser,
    )

    definition = machine(A=PASS | {"Assign": {"text": 'say "hi"'}})
    program, _tree = AmazonStateLanguageParser.parse(json.dumps(definition))
    declared = program.states.states["A"].assign_decl.declaration_bindings[0]
    return declared.binding.assign_value.value


@aws_gives({"status": "FAILED", "code": "InvalidDefinition"})
def a_bad_grammar_has_an_error_code(cloud: Cloud) -> Any:
    """Moto answers with an empty error code."""
    return {"status": "FAILED", "code": refused(lambda: cloud.machine('{"StartAt": 1}'))}


@aws_gives({"status": "SUCCEEDED", "output": {"Kind": "Pass", "JSONPath": "FULL", "x": "$5 off"}})
def any_string_can_be_data(cloud: Cloud) -> Any:
    """Moto's grammar takes a whole string that is one of its keywords for the keyword."""
    template = {"Kind": "Pass", "JSONPath": "FULL", "x": "$5 off"}
    return cloud.run(machine(A=PASS | {"Parameters": template}) | {"Comment": "JSONPath"})


@aws_gives("accepted")
def a_percentage_may_be_whole(cloud: Cloud) -> Any:
    """Moto wants ToleratedFailurePercentage to have a decimal point."""
    each = {
        "Type": "Map",
        "ToleratedFailurePercentage": 10,
        "ItemProcessor": machine(B=PASS),
        "End": True,
    }
    return refused(lambda: cloud.machine(machine(A=each)))


@aws_gives("accepted")
def a_distributed_map_may_be_express(cloud: Cloud) -> Any:
    """Moto's grammar wants ExecutionType to be STANDARD."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    each = {
        "Type": "Map",
        "ItemProcessor": machine(B=PASS) | {"ProcessorConfig": config},
        "End": True,
    }
    return refused(lambda: cloud.machine(machine(A=each)))


@aws_gives([["ExecutionSucceeded", "PassStateExited"], ["PassStateEntered", "ExecutionStarted"]])
def history_has_pages_and_an_order(cloud: Cloud) -> Any:
    """Moto ignores maxResults and reverseOrder."""
    execution = cloud.start(cloud.machine(machine(A=PASS)))
    cloud.ended(execution)
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history")
    options = {"reverseOrder": True, "PaginationConfig": {"PageSize": 2}}
    found = pages.paginate(executionArn=execution, **options)
    return [[event["type"] for event in page["events"]] for page in found]


@aws_gives(["TIMED_OUT", True, "ExecutionTimedOut"])
def a_time_out_has_a_stop_date(cloud: Cloud) -> Any:
    """Moto gives no stopDate, and no last event, to an execution that timed out."""
    definition = machine(A=WAIT | {"Seconds": 3_000_000}) | {"TimeoutSeconds": 1}
    execution = cloud.start(cloud.machine(definition))
    ended = cloud.ended(execution)
    return [ended["status"], "stopDate" in ended, cloud.history(execution)[-1]["type"]]


@aws_gives("caught")
def a_branch_may_fail_with_an_error_of_states(cloud: Cloud) -> Any:
    """Moto fails on an error named States.* that leaves a Parallel's branch."""
    rule = {"Variable": "$.a", "NumericEquals": 1, "Next": "B"}
    branch = machine(A={"Type": "Choice", "Choices": [rule]}, B=PASS)
    parallel = {
        "Type": "Parallel",
        "Branches": [branch],
        "Catch": [{"ErrorEquals": ["States.NoChoiceMatched"], "Next": "Caught"}],
        "End": True,
    }
    definition = machine(P=parallel, Caught=PASS | {"Result": "caught"})
    return cloud.run(definition, {"a": 2}).get("output")


@aws_gives("States.Runtime")
def states_all_does_not_match_runtime(cloud: Cloud) -> Any:
    """Moto lets Catch have a path that leads nowhere, which AWS always lets fail."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:getItem",
        "Parameters": {"TableName.$": "$.nowhere", "Key": {}},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        "End": True,
    }
    return cloud.run(machine(A=task, Caught=PASS)).get("error")


@aws_gives("caught")
def sdk_errors_are_named_as_in_java(cloud: Cloud) -> Any:
    """Moto writes ssm.ParameterNotFoundException where AWS writes Ssm."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
        "Parameters": {"Name": "/nowhere"},
        "Catch": [{"ErrorEquals": ["Ssm.ParameterNotFoundException"], "Next": "Caught"}],
        "End": True,
    }
    return cloud.run(machine(A=task, Caught=PASS | {"Result": "caught"})).get("output")


@aws_gives("SUCCEEDED")
def payloads_are_measured_in_bytes_of_utf8(cloud: Cloud) -> Any:
    """Moto counts six bytes for an é, and blanks that are not there."""
    return cloud.run(machine(A=PASS), {"text": "é" * 60_000})["status"]


@aws_gives("Lambda.Unknown")
def a_function_error_without_a_type_has_a_name(cloud: Cloud) -> Any:
    """Moto calls it Exception."""

    class UntypedError(Exception):
        document = {"errorMessage": "gone"}  # noqa: RUF012 - what the runtime answered

    def work(_: Any) -> None:
        raise UntypedError

    task = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Parameters": {"FunctionName": cloud.function(work)},
        "End": True,
    }
    return cloud.run(machine(A=task)).get("error")


@aws_gives(True)
def an_inline_map_works_on_forty_at_most(cloud: Cloud) -> Any:
    """Moto starts a thread for each item."""
    inside, most, begun, crowd = [0], [0], [0], threading.Event()
    lock = threading.Lock()

    def work(_: Any) -> None:
        with lock:
            inside[0] += 1
            begun[0] += 1
            most[0] = max(most[0], inside[0])
            if begun[0] > 40:
                crowd.set()
        crowd.wait(1)
        with lock:
            inside[0] -= 1

    task = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Parameters": {"FunctionName": cloud.function(work)},
        "End": True,
    }
    each = {"Type": "Map", "ItemProcessor": machine(B=task), "End": True}
    cloud.run(machine(A=each), list(range(41)))
    return most[0] <= 40


@aws_gives({"status": "SUCCEEDED", "output": '{"a": 1}'})
def express_runs_synchronously(cloud: Cloud) -> Any:
    """Moto has no StartSyncExecution."""
    arn = cloud.machine(machine(A=PASS), kind="EXPRESS")
    answer = cloud.client("stepfunctions").start_sync_execution(
        stateMachineArn=arn, input='{"a": 1}'
    )
    return {k: answer[k] for k in ("status", "output")}


@aws_gives(["express", "InvalidArn"])
def an_express_execution_cannot_be_described(cloud: Cloud) -> Any:
    """Moto runs Express machines as if they were Standard."""
    execution = cloud.start(cloud.machine(machine(A=PASS), kind="EXPRESS"))
    describe = cloud.client("stepfunctions").describe_execution
    return [execution.split(":")[5], refused(lambda: describe(executionArn=execution))]


@aws_gives("InvalidDefinition")
def express_takes_no_task_tokens(cloud: Cloud) -> Any:
    """Moto creates an Express machine that waits for a token."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
        "End": True,
    }
    return refused(lambda: cloud.machine(machine(A=task), kind="EXPRESS"))


@aws_gives("InvalidDefinition")
def a_missing_target_is_refused(cloud: Cloud) -> Any:
    """Moto creates a machine whose Next leads nowhere."""
    return refused(lambda: cloud.machine(machine(A={"Type": "Pass", "Next": "Nowhere"})))


@aws_gives("InvalidDefinition")
def an_unknown_operation_is_refused(cloud: Cloud) -> Any:
    """Moto creates a machine that calls what no AWS service has."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:makeTea", "End": True}
    return refused(lambda: cloud.machine(machine(A=task)))


@aws_gives({"result": "FAIL", "code": "MISSING_TRANSITION_TARGET"})
def a_definition_can_be_validated(cloud: Cloud) -> Any:
    """Moto has no ValidateStateMachineDefinition."""
    text = json.dumps(machine(A={"Type": "Pass", "Next": "Nowhere"}))
    sfn = cloud.client("stepfunctions")
    answer = sfn.validate_state_machine_definition(definition=text)
    return {"result": answer["result"], "code": answer["diagnostics"][0]["code"]}


@aws_gives("StateMachineAlreadyExists")
def a_name_belongs_to_one_definition(cloud: Cloud) -> Any:
    """Moto returns the machine that has the name already, whatever it does."""
    create = cloud.client("stepfunctions").create_state_machine
    role = "arn:aws:iam::123456789012:role/r"
    create(name="taken", definition=json.dumps(machine(A=PASS)), roleArn=role)
    other = json.dumps(machine(B=PASS))
    return refused(lambda: create(name="taken", definition=other, roleArn=role))


@aws_gives(True)
def timestamps_are_utc(_: Cloud) -> Any:
    """Moto compares a Timestamp's UTC with the machine's local time."""
    from moto.stepfunctions.parser.asl.component.common.string.string_expression import (  # noqa: PLC0415
        StringLiteral,
    )
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import (  # noqa: PLC0415
        Timestamp,
    )

    class Environment:
        stack: list[Any] = []  # noqa: RUF012 - what a literal's evaluation needs of one

        def is_running(self) -> bool:
            return True

    soon = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    zone, os.environ["TZ"] = os.environ.get("TZ"), "America/New_York"
    time.tzset()
    try:
        seconds = Timestamp(StringLiteral(soon))._get_wait_seconds(Environment())
    finally:
        os.environ.pop("TZ") if zone is None else os.environ.update(TZ=zone)
        time.tzset()
    return 50 < seconds < 61


@pytest.mark.parametrize("name", CASES)
def test_the_repair_does_what_moto_does_not(name: str, cloud: Cloud, stock: dict[str, Any]) -> None:
    """The case states a defect of moto's that is still there, and mended."""
    assert stock[name] != AWS[name], "moto does this by itself now: drop the repair"
    assert CASES[name](cloud) == AWS[name]
