"""Whole state machines, in YAML as ours are: what runs, in which order, and what stops it."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from typing import Any

import boto3
import pytest
import yaml

from sandbox.aws.stepfunctions.admission import PLACES, Admission


Cloud = Any


def read(text: str, **substitutions: str) -> dict[str, Any]:
    """Read YAML, with `${Name}` filled in as CloudFormation does; JSONata throughout."""
    for name, value in substitutions.items():
        text = text.replace(f"${{{name}}}", value)
    document: dict[str, Any] = yaml.safe_load(text)
    return {"QueryLanguage": "JSONata", **document}


def entered(cloud: Cloud, execution: str) -> list[str]:
    """Return the names of the states entered, in order."""
    events = cloud.history(execution)
    return [
        e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e
    ]


def table(cloud: Cloud) -> str:
    """Make a table with the key pk; return its name."""
    name = f"t{uuid.uuid4().hex[:12]}"
    cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


CONVERGE = """
StartAt: Claim The Lease
States:
  Claim The Lease:
    Type: Task
    Resource: arn:aws:states:::dynamodb:updateItem
    Arguments:
      TableName: ${Table}
      Key: {pk: {S: lease}}
      UpdateExpression: SET holder = :me ADD fence :one
      ConditionExpression: attribute_not_exists(holder)
      ExpressionAttributeValues:
        ":me": {S: "{% $states.context.Execution.Name %}"}
        ":one": {N: "1"}
      ReturnValues: ALL_NEW
    Assign:
      fence: "{% $number($states.result.Attributes.fence.N) %}"
      causes: "{% $states.input.causes %}"
    Catch:
      - ErrorEquals: [DynamoDB.ConditionalCheckFailedException]
        Output: {outcome: coalesced, why: "{% $states.errorOutput.Error %}"}
        Next: Coalesced
    Next: Observe
  Coalesced: {Type: Succeed}
  Observe:
    Type: Parallel
    Branches:
      - StartAt: Observe Tailnet
        States:
          Observe Tailnet:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke
            Arguments: {FunctionName: "${Observe}", Payload: {what: tailnet, fence: "{% $fence %}"}}
            Assign: {inner: tailnet only}
            Output: "{% $states.result.Payload %}"
            End: true
      - StartAt: Observe Cluster
        States:
          Observe Cluster:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke
            Arguments: {FunctionName: "${Observe}", Payload: {what: cluster, fence: "{% $fence %}"}}
            Retry:
              - ErrorEquals: [Flaky]
                IntervalSeconds: 5
                MaxAttempts: 3
                BackoffRate: 2
                JitterStrategy: FULL
            Output: "{% $states.result.Payload %}"
            End: true
    Assign:
      seen: "{% $states.result %}"
    Next: Anything To Apply?
  Anything To Apply?:
    Type: Choice
    Choices:
      - Condition: "{% $count($causes) = 0 %}"
        Next: Release The Lease
    Default: Apply
  Apply:
    Type: Map
    Items: "{% $causes %}"
    MaxConcurrency: 2
    ItemSelector:
      index: "{% $states.context.Map.Item.Index %}"
      cause: "{% $states.context.Map.Item.Value %}"
    ItemProcessor:
      StartAt: Name The Change
      States:
        Name The Change:
          Type: Pass
          Assign: {label: "{% $states.input.cause & '#' & $string($states.input.index) %}"}
          Next: Write
        Write:
          Type: Task
          Resource: arn:aws:states:::aws-sdk:dynamodb:putItem
          Arguments:
            TableName: ${Table}
            Item: {pk: {S: "{% $label %}"}, fence: {N: "{% $string($fence) %}"}}
          Output: "{% $label %}"
          End: true
    Assign: {applied: "{% $states.result %}"}
    Next: Settle
  Settle:
    Type: Wait
    Seconds: 30
    Next: Release The Lease
  Release The Lease:
    Type: Task
    Resource: arn:aws:states:::aws-sdk:dynamodb:deleteItem
    Arguments: {TableName: "${Table}", Key: {pk: {S: lease}}}
    Next: Applied
  Applied:
    Type: Succeed
    Output:
      outcome: applied
      fence: "{% $fence %}"
      applied: "{% $applied %}"
      seen: "{% $seen.what %}"
      leaked: "{% $exists($inner) %}"
      started: "{% $toMillis($states.context.Execution.StartTime) > 0 %}"
"""


@pytest.fixture
def converge(cloud: Cloud) -> tuple[str, str, Counter[str]]:
    """Return a machine like Converge, its table, and how often its function saw what."""
    calls: Counter[str] = Counter()

    class Flaky(Exception):
        """Passes."""

    def observe(event: dict[str, Any]) -> dict[str, Any]:
        calls[event["what"]] += 1
        if event["what"] == "cluster" and calls["cluster"] < 3:
            raise Flaky("try again")
        return event

    name = table(cloud)
    text = read(CONVERGE, Table=name, Observe=cloud.function(observe))
    return cloud.machine(text), name, calls


def test_a_run_from_lease_to_release(cloud: Cloud, converge: tuple[str, str, Counter[str]]) -> None:
    """Parallel, Map, Choice, Retry by an exception's name, variables and waits play together."""
    machine, name, calls = converge
    execution = cloud.start(machine, {"causes": ["git", "tailscale", "sweep"]})
    output = json.loads(cloud.ended(execution)["output"])

    assert output == {
        "outcome": "applied",
        "fence": 1,
        "applied": ["git#0", "tailscale#1", "sweep#2"],
        "seen": ["tailnet", "cluster"],
        "leaked": False,
        "started": True,
    }
    assert calls == {"tailnet": 1, "cluster": 3}
    items = cloud.client("dynamodb").scan(TableName=name)["Items"]
    assert {item["pk"]["S"] for item in items} == {"git#0", "tailscale#1", "sweep#2"}
    names = entered(cloud, execution)
    assert names[:2] == ["Claim The Lease", "Observe"]
    assert names[-3:] == ["Settle", "Release The Lease", "Applied"]


def test_a_held_lease_is_caught_by_its_name(
    cloud: Cloud, converge: tuple[str, str, Counter[str]]
) -> None:
    """The optimised integration says DynamoDB, and Catch finds it."""
    machine, name, calls = converge
    item = {"pk": {"S": "lease"}, "holder": {"S": "another"}}
    cloud.client("dynamodb").put_item(TableName=name, Item=item)
    output = json.loads(cloud.ended(cloud.start(machine, {"causes": []}))["output"])

    assert output == {"outcome": "coalesced", "why": "DynamoDB.ConditionalCheckFailedException"}
    assert not calls


TASK = """
StartAt: Work
States:
  Work:
    Type: Task
    Resource: ${Resource}
    Arguments: ${Arguments}
    Catch:
      - ErrorEquals: [States.ALL]
        Output: "{% $states.errorOutput %}"
        Next: Caught
    Output: "{% $states.result %}"
    End: true
  Caught: {Type: Succeed}
"""


def task(resource: str, arguments: Any) -> dict[str, Any]:
    """Return a machine of one task, whose output is its result or its caught error."""
    return read(TASK, Resource=f"arn:aws:states:::{resource}", Arguments=json.dumps(arguments))


def test_integrations_speak_the_words_of_asl(cloud: Cloud) -> None:
    """S3, SSM, SQS, SNS and EventBridge take PascalCase and JSON, and give it."""
    cloud.client("s3").create_bucket(Bucket="artifacts")
    cloud.client("ssm").put_parameter(Name="/config", Value="on", Type="String")
    url = cloud.client("sqs").create_queue(QueueName="words")["QueueUrl"]
    topic = cloud.client("sns").create_topic(Name="words")["TopicArn"]
    entry = {"Source": "s", "DetailType": "d", "Detail": {"a": 1}}
    put = task("aws-sdk:s3:putObject", {"Bucket": "artifacts", "Key": "k", "Body": {"a": [1]}})
    get = task("aws-sdk:s3:getObject", {"Bucket": "artifacts", "Key": "k"})
    ask = task("aws-sdk:ssm:getParameter", {"Name": "/config"})
    send = task("sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"a": 1}})
    tell = task("sns:publish", {"TopicArn": topic, "Message": {"a": 1}})
    publish = task("events:putEvents", {"Entries": [entry]})

    assert "ETag" in cloud.run(put)["output"]
    assert json.loads(cloud.run(get)["output"]["Body"]) == {"a": [1]}
    assert cloud.run(ask)["output"]["Parameter"]["Value"] == "on"
    assert "MD5OfMessageBody" in cloud.run(send)["output"]
    assert json.loads(cloud.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"]) == {
        "a": 1
    }
    assert "MessageId" in cloud.run(tell)["output"]
    assert cloud.run(publish)["output"]["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("resource", "arguments", "error"),
    [
        ("aws-sdk:ssm:getParameter", {"Name": "/no"}, "Ssm.ParameterNotFoundException"),
        (
            "aws-sdk:secretsmanager:getSecretValue",
            {"SecretId": "no"},
            "SecretsManager.ResourceNotFoundException",
        ),
        ("aws-sdk:s3:getObject", {"Bucket": "nobucket-1", "Key": "k"}, "S3.NoSuchBucketException"),
        (
            "aws-sdk:dynamodb:getItem",
            {"TableName": "no", "Key": {"pk": {"S": "a"}}},
            "DynamoDb.ResourceNotFoundException",
        ),
        (
            "aws-sdk:sfn:describeExecution",
            {"ExecutionArn": "arn:aws:states:us-east-1:123456789012:execution:a:b"},
            "Sfn.ExecutionDoesNotExistException",
        ),
        (
            "dynamodb:getItem",
            {"TableName": "no", "Key": {"pk": {"S": "a"}}},
            "DynamoDB.ResourceNotFoundException",
        ),
        ("lambda:invoke", {"FunctionName": "no"}, "Lambda.ResourceNotFoundException"),
        (
            "states:startExecution",
            {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:no"},
            "StepFunctions.StateMachineDoesNotExistException",
        ),
        ("events:putEvents", {"Entries": [{"Source": "s"}]}, "EventBridge.FailedEntry"),
    ],
)
def test_errors_of_services_have_aws_names(
    cloud: Cloud, resource: str, arguments: Any, error: str
) -> None:
    """Retry and Catch by name find what AWS would report."""
    assert cloud.run(task(resource, arguments))["output"]["Error"] == error


@pytest.mark.parametrize(
    ("resource", "arguments", "why"),
    [
        (
            "dynamodb:putItem",
            {"TableName": "t", "Item": {"n": {"N": 1}}},
            "The value for the field 'N' must be a STRING",
        ),
        ("aws-sdk:sqs:sendMessage", {"QueueUrl": "u", "MessageBody": {}}, "must be a STRING"),
        ("aws-sdk:ssm:getParameter", {"Nam": "x"}, "The field 'Nam' is not supported"),
    ],
)
def test_parameters_of_the_wrong_kind_are_refused(
    cloud: Cloud, resource: str, arguments: Any, why: str
) -> None:
    """Step Functions sends no number for a string: the task fails, and States.ALL is no help."""
    ended = cloud.run(task(resource, arguments))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert why in ended["cause"]


def test_errors_of_functions_have_the_names_of_exceptions(cloud: Cloud) -> None:
    """The error is the exception's class, the cause the runtime's document."""

    class PermanentError(Exception):
        """Stays."""

    def work(_: Any) -> None:
        raise PermanentError("for good")

    caught = cloud.run(task("lambda:invoke", {"FunctionName": cloud.function(work)}))["output"]

    assert caught["Error"] == "PermanentError"
    assert json.loads(caught["Cause"])["errorMessage"] == "for good"


def test_a_result_beyond_256_kib_cannot_be_caught(cloud: Cloud) -> None:
    """States.DataLimitExceeded ends the execution, whatever Catch says."""
    function = cloud.function(lambda _: "x" * 300_000)
    ended = cloud.run(task("lambda:invoke", {"FunctionName": function}))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_time_out_takes_real_time(cloud: Cloud) -> None:
    """TimeoutSeconds is not divided by the world's speed; the late answer changes nothing."""
    release = threading.Event()
    definition = task("lambda:invoke", {"FunctionName": cloud.function(lambda _: release.wait(10))})
    definition["States"]["Work"]["TimeoutSeconds"] = 1
    execution = cloud.start(cloud.machine(definition))
    ended = cloud.ended(execution)
    release.set()

    assert json.loads(ended["output"])["Error"] == "States.Timeout"
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= 1


STOPPED = """
StartAt: Both
States:
  Both:
    Type: Parallel
    Branches:
      - StartAt: Each
        States:
          Each:
            Type: Map
            Items: [1, 2, 3, 4]
            MaxConcurrency: 2
            ItemProcessor:
              StartAt: Work
              States:
                Work:
                  Type: Task
                  Resource: arn:aws:states:::lambda:invoke
                  Arguments: {FunctionName: "${Work}"}
                  Next: After
                After: {Type: Pass, End: true}
            End: true
      - StartAt: Long
        States:
          Long: {Type: Wait, Seconds: 9000000, Next: Late}
          Late: {Type: Pass, End: true}
    End: true
"""


def test_stopping_stops_what_is_inside(cloud: Cloud) -> None:
    """After StopExecution no state of any branch or item begins, and the history is closed."""
    begun, release, calls = threading.Semaphore(0), threading.Event(), Counter[str]()

    def work(_: Any) -> None:
        calls["work"] += 1
        begun.release()
        release.wait(10)

    execution = cloud.start(cloud.machine(read(STOPPED, Work=cloud.function(work))))
    assert begun.acquire(timeout=10)
    assert begun.acquire(timeout=10)
    cloud.client("stepfunctions").stop_execution(executionArn=execution, error="E", cause="C")
    ended = cloud.client("stepfunctions").describe_execution(executionArn=execution)
    before = cloud.history(execution)
    release.set()
    # Another run, to its end, gives the abandoned one time to do what it must not.
    cloud.run(task("lambda:invoke", {"FunctionName": cloud.function(lambda _: 1)}))

    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "E", "C")
    assert cloud.history(execution) == before
    assert before[-1]["type"] == "ExecutionAborted"
    assert before[-1]["executionAbortedEventDetails"] == {"error": "E", "cause": "C"}
    assert calls["work"] == 2
    assert not {"After", "Late"} & set(entered(cloud, execution))


def test_a_variable_of_an_outer_scope_is_read_only(cloud: Cloud) -> None:
    """A branch sees outer variables, and may not assign them."""
    text = """
    StartAt: Set
    States:
      Set: {Type: Pass, Assign: {v: 1}, Next: Both}
      Both:
        Type: Parallel
        Branches:
          - {StartAt: In, States: {In: {Type: Pass, Assign: {v: 2}, End: true}}}
        End: true
    """
    ended = cloud.run(read(text))

    assert ended["status"] == "FAILED"
    assert "outer scope" in ended["cause"]


def test_a_choice_evaluates_the_rule_that_matched(cloud: Cloud) -> None:
    """Its state's Output is the Default's alone, even when both lead to the same state."""
    text = """
    StartAt: Which?
    States:
      Which?:
        Type: Choice
        Choices:
          - {Condition: "{% $states.input.n = 1 %}", Output: rule, Next: End}
        Default: End
        Output: default
      End: {Type: Succeed}
    """
    machine = cloud.machine(read(text))
    outputs = [cloud.ended(cloud.start(machine, {"n": n}))["output"] for n in (1, 2)]

    assert outputs == ['"rule"', '"default"']


def test_a_condition_is_true_or_false(cloud: Cloud) -> None:
    """Anything else is States.QueryEvaluationError."""
    text = """
    StartAt: Which?
    States:
      Which?:
        Type: Choice
        Choices: [{Condition: "{% 'yes' %}", Next: End}]
      End: {Type: Succeed}
    """
    assert cloud.run(read(text)).get("error") == "States.QueryEvaluationError"


def test_retries_count_and_end_in_catch(cloud: Cloud) -> None:
    """RetryCount rises with each attempt; when they are used up, Catch has its turn."""
    seen: list[Any] = []

    def work(event: Any) -> None:
        seen.append(event["attempt"])
        raise KeyError("x")

    arguments = {
        "FunctionName": cloud.function(work),
        "Payload": {"attempt": "{% $states.context.State.RetryCount %}"},
    }
    definition = task("lambda:invoke", arguments)
    retry = {"ErrorEquals": ["KeyError"], "IntervalSeconds": 60, "MaxAttempts": 2}
    definition["States"]["Work"]["Retry"] = [retry]

    assert cloud.run(definition)["output"]["Error"] == "KeyError"
    assert seen == [0, 1, 2]


def test_express_answers_with_its_error(cloud: Cloud) -> None:
    """A failed synchronous execution is a result, not an exception; a Standard one is refused."""
    text = "{StartAt: Stop, States: {Stop: {Type: Fail, Error: Nope, Cause: never}}}"
    sfn = cloud.client("stepfunctions")
    express = cloud.machine(read(text), kind="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=express)

    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "Nope", "never")
    with pytest.raises(sfn.exceptions.StateMachineTypeNotSupported):
        sfn.start_sync_execution(stateMachineArn=cloud.machine(read(text)))
    with pytest.raises(sfn.exceptions.StateMachineTypeNotSupported):
        sfn.list_executions(stateMachineArn=express)


def test_a_plain_client_starts_express(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 and the AWS CLI put `sync-` before the host unless the environment says not to."""
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
    plain = boto3.client(
        "stepfunctions",
        region_name="us-east-1",
        endpoint_url=cloud.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    arn = cloud.machine(read("{StartAt: A, States: {A: {Type: Pass, End: true}}}"), "EXPRESS")

    assert plain.start_sync_execution(stateMachineArn=arn)["status"] == "SUCCEEDED"


def test_express_waits_inside_another_machine(cloud: Cloud) -> None:
    """`aws-sdk:sfn:startSyncExecution` gives the inner output."""
    inner = cloud.machine(read("{StartAt: A, States: {A: {Type: Pass, End: true}}}"), "EXPRESS")
    outer = task("aws-sdk:sfn:startSyncExecution", {"StateMachineArn": inner, "Input": '{"a": 1}'})
    output = cloud.run(outer)["output"]

    assert (output["Status"], json.loads(output["Output"])) == ("SUCCEEDED", {"a": 1})


def test_more_nested_runs_than_places(cloud: Cloud) -> None:
    """Executions that wait for others never keep those from running."""
    leaf = cloud.machine(read("{StartAt: A, States: {A: {Type: Pass, End: true}}}"))
    parent = cloud.machine(task("states:startExecution.sync:2", {"StateMachineArn": leaf}))
    root = cloud.machine(task("states:startExecution.sync:2", {"StateMachineArn": parent}))
    executions = [cloud.start(root) for _ in range(3 * PLACES)]

    assert {cloud.ended(execution)["status"] for execution in executions} == {"SUCCEEDED"}


def test_history_can_leave_the_data_out(cloud: Cloud) -> None:
    """includeExecutionData=False keeps inputs and outputs back."""
    execution = cloud.start(cloud.machine(read("{StartAt: A, States: {A: {Type: Succeed}}}")))
    cloud.ended(execution)
    sfn = cloud.client("stepfunctions")
    answer = sfn.get_execution_history(executionArn=execution, includeExecutionData=False)

    assert "input" not in answer["events"][0]["executionStartedEventDetails"]
    with pytest.raises(sfn.exceptions.InvalidToken):
        sfn.get_execution_history(executionArn=execution, nextToken="x")


def test_starting_twice_by_one_name(cloud: Cloud) -> None:
    """The same name and input is the same running execution; another input is refused."""
    machine = cloud.machine(
        read("{StartAt: A, States: {A: {Type: Wait, Seconds: 90000000, End: true}}}")
    )
    first = cloud.start(machine, {"a": 1}, name="one")

    assert cloud.start(machine, {"a": 1}, name="one") == first
    sfn = cloud.client("stepfunctions")
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        cloud.start(machine, {"a": 2}, name="one")
    sfn.stop_execution(executionArn=first)


class Guests:
    """Callables for an Admission that wait until they may go."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.inside = threading.Semaphore(0)
        self.may_go = threading.Event()

    def enter(self, name: str, *, at_once: bool = False) -> None:
        """Let one in that stays until all may go."""
        self.admission.enter(name, self._stay, at_once=at_once)

    def _stay(self) -> None:
        self.inside.release()
        self.may_go.wait(10)


def test_admission_keeps_to_its_places() -> None:
    """The third waits, unless it says that the others wait for it; who leaves makes room."""
    guests = Guests(Admission(places=2, patience=3600))
    for name in "abc":
        guests.enter(name)
    assert all(guests.inside.acquire(timeout=5) for _ in range(2))
    assert not guests.inside.acquire(blocking=False)

    guests.enter("nested", at_once=True)
    assert guests.inside.acquire(timeout=5)
    guests.admission.leave("a")
    guests.admission.leave("a")
    assert guests.inside.acquire(timeout=5)
    guests.may_go.set()


def test_admission_is_never_stuck() -> None:
    """When nothing moves, the queued ones come in all the same."""
    guests = Guests(Admission(places=1, patience=0.01))
    for name in "abcd":
        guests.enter(name)

    assert all(guests.inside.acquire(timeout=5) for _ in range(4))
    guests.may_go.set()
