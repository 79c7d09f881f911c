"""The provisioner: CloudFormation's intrinsics, its order, and what it makes or refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sandbox.aws.provision import Stack, TemplateError, creation_order, provision
from sandbox.aws.provision.calls import fit
from sandbox.aws.provision.intrinsics import Created, Resolver
from sandbox.aws.provision.parameters import parameter_values
from sandbox.aws.provision.state_machines import substituted


if TYPE_CHECKING:
    from collections.abc import Mapping

RESOLVER = Resolver(
    values={"Name": "x", "Flag": True, "Items": ["a", "b"], "AWS::Region": "eu-central-1"},
    conditions={
        "Yes": {"Fn::Equals": [{"Ref": "Name"}, "x"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
    },
    mappings={"Sizes": {"small": {"Memory": 128}}},
    created={"Queue": Created("http://q", {"Arn": "arn:q"})},
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Name"}, "x"),
        ({"Ref": "Queue"}, "http://q"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:q"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:q"),
        (
            {"Fn::Sub": "${Name}/${Queue.Arn}/${AWS::Region}/${!Kept}"},
            "x/arn:q/eu-central-1/${Kept}",
        ),
        ({"Fn::Sub": ["${a}-${Flag}", {"a": {"Ref": "Name"}}]}, "x-true"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 1]]}, "a-x-1"),
        ({"Fn::Select": ["1", {"Ref": "Items"}]}, "b"),
        ({"Fn::Select": [0, {"Fn::Split": ["/", "a/b"]}]}, "a"),
        ({"Fn::FindInMap": ["Sizes", "small", "Memory"]}, 128),
        ({"Fn::If": ["Yes", 1, {"Ref": "Absent"}]}, 1),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::Base64": "ab"}, "YWI="),
        ({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}, '{"a":"x"}'),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": 2}, {"b": 2}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, None),
    ],
)
def test_an_intrinsic_gives_what_cloudformation_gives(value: Any, expected: Any) -> None:
    """A policy's Condition is no intrinsic: it stays as it is."""
    assert RESOLVER.resolve(value) == (value if expected is None else expected)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"Ref": "Absent"}, "nothing called 'Absent'"),
        ({"Fn::GetAtt": ["Queue", "Size"]}, "no attribute 'Size'"),
        ({"Fn::GetAtt": ["Absent", "Arn"]}, "no resource 'Absent'"),
        ({"Fn::Sub": "${Absent}"}, "nothing called 'Absent'"),
        ({"Fn::FindInMap": ["Sizes", "large", "Memory"]}, "nothing at"),
        ({"Fn::If": ["Absent", 1, 2]}, "no condition 'Absent'"),
        ({"Fn::ImportValue": "other"}, "does not know the intrinsic function Fn::ImportValue"),
        ("{{resolve:ssm:name}}", "dynamic references"),
    ],
)
def test_what_cannot_be_resolved_is_an_error(value: Any, words: str) -> None:
    """Nothing is left open, and nothing is guessed."""
    with pytest.raises(TemplateError, match=words):
        RESOLVER.resolve(value)


DECLARED: Mapping[str, Mapping[str, Any]] = {
    "Stage": {"Type": "String", "Default": "test", "AllowedValues": ["test", "live"]},
    "Size": {"Type": "Number", "Default": 3, "MinValue": 1, "MaxValue": 9},
    "Zones": {"Type": "CommaDelimitedList", "Default": "a, b"},
    "Config": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/config"},
    "Hosts": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/hosts"},
    "Token": {"Type": "String", "Default": "abc", "AllowedPattern": "[a-z]+", "MinLength": 2},
}
SSM = {"/config": "from ssm", "/hosts": "x,y"}


def test_parameters_have_types_and_defaults() -> None:
    """SSM types are read from SSM; lists are split."""
    values = parameter_values(DECLARED, {"Size": "5"}, SSM.__getitem__)
    assert values == {
        "Stage": "test",
        "Size": "5",
        "Zones": ["a", "b"],
        "Config": "from ssm",
        "Hosts": ["x", "y"],
        "Token": "abc",
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Stage": "prod"}, "Stage is not one of"),
        ({"Size": "0"}, "Size is not within 1"),
        ({"Size": "many"}, "Size is not a number"),
        ({"Token": "A1"}, "Token does not match"),
        ({"Token": "a"}, "Token is not within 2"),
        ({"Stagee": "test"}, "no parameters Stagee"),
    ],
)
def test_a_wrong_parameter_is_refused(given: dict[str, str], words: str) -> None:
    """As CloudFormation refuses it, before anything is made."""
    with pytest.raises(TemplateError, match=words):
        parameter_values(DECLARED, given, SSM.__getitem__)


def test_a_parameter_without_a_value_is_refused() -> None:
    """One without a default needs one."""
    with pytest.raises(TemplateError, match="need a value: A, B"):
        parameter_values({"A": {"Type": "String"}, "B": {"Type": "String"}}, {}, SSM.__getitem__)


def test_resources_follow_what_they_refer_to() -> None:
    """By Ref, GetAtt, Sub and DependsOn; names of parameters are no resources."""
    resources = {
        "D": {"DependsOn": "C", "Properties": {}},
        "C": {"Properties": {"x": {"Fn::Sub": "${B.Arn}/${Stage}/${!A}"}}},
        "B": {"Properties": {"x": [{"Fn::GetAtt": ["A", "Arn"]}]}},
        "A": {"Properties": {"x": {"Ref": "Stage"}}},
    }
    assert list(creation_order(resources)) == ["A", "B", "C", "D"]


def test_a_circle_is_refused() -> None:
    """CloudFormation names those in it, and so do we."""
    circle = {"A": {"Properties": {"x": {"Ref": "B"}}}, "B": {"DependsOn": ["A"]}}
    with pytest.raises(TemplateError, match="circular dependency: "):
        creation_order(circle)


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"R": {"Type": "AWS::EC2::Instance"}}, "does not know how to make AWS::EC2::Instance"),
        (
            {"R": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": {}, "Target": "x"}}},
            r"R \(AWS::ApiGatewayV2::Api\): the sandbox would drop these properties: Target",
        ),
        ({"R": {"Type": "AWS::ApiGatewayV2::Api"}}, "Body is required"),
        ({"R": {"Type": "AWS::SQS::Queue", "UpdatePolicy": {}}}, "unknown keys: .'UpdatePolicy'"),
    ],
)
def test_what_would_be_dropped_is_refused(resources: dict[str, Any], words: str) -> None:
    """A type, a property or a key that nothing takes is an error, never a silence."""
    stack = Stack("app", boto3.Session(region_name="eu-central-1"), "http://127.0.0.1:1")
    with pytest.raises(TemplateError, match=words):
        provision(stack, {"Resources": resources}, {})


def test_values_are_given_the_types_that_the_api_wants() -> None:
    """Templates write numbers and flags as text; unknown members are found at any depth."""
    client = boto3.client("cloudwatch", region_name="eu-central-1")
    shape = client.meta.service_model.operation_model("PutMetricAlarm").input_shape
    alarm = {"EvaluationPeriods": "2", "Threshold": 1, "ActionsEnabled": "true"}
    fitted = fit(alarm, shape, "alarm")
    assert fitted == {"EvaluationPeriods": 2, "Threshold": 1.0, "ActionsEnabled": True}
    with pytest.raises(TemplateError, match=r"alarm.Metrics has no Colour"):
        fit({"Metrics": [{"Colour": "red"}]}, shape, "alarm")
    with pytest.raises(TemplateError, match=r"alarm.Period wants a integer, not 'soon'"):
        fit({"Period": "soon"}, shape, "alarm")


@pytest.mark.parametrize(
    ("text", "values", "words"),
    [
        ("{a: '${Gone}'}", {}, "no value for the substitutions .'Gone'"),
        ("{a: 1}", {"Unused": 1}, "substitutions that nothing uses: .'Unused'"),
        ("{a: [}", {}, "does not parse"),
        ("- a", {}, "not an object"),
    ],
)
def test_a_definition_with_loose_ends_is_refused(
    text: str, values: dict[str, Any], words: str
) -> None:
    """Step Functions would take the first two, and fail when they run."""
    with pytest.raises(TemplateError, match=words):
        substituted(text, values)


def test_substitutions_work_on_the_text() -> None:
    """So a number stays a number, in YAML and in JSON."""
    assert substituted("{n: ${N}, t: 'a-${T}'}", {"N": 3, "T": "b"}) == {"n": 3, "t": "a-b"}


def test_the_stack_is_what_the_template_says(sandbox: Any) -> None:
    """Read back by a plain boto3, across services."""
    table = sandbox.client("dynamodb")
    name = sandbox.id_of("Table")
    described = table.describe_table(TableName=name)["Table"]
    queue = sandbox.client("sqs").get_queue_attributes(
        QueueUrl=sandbox.id_of("Inbox"), AttributeNames=["All"]
    )["Attributes"]
    s3, bucket = sandbox.client("s3"), sandbox.id_of("Artifacts")
    functions = sandbox.client("lambda")
    behave = functions.get_function_configuration(FunctionName=sandbox.id_of("BehaveFunction"))
    alarm = sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"][0]
    group = sandbox.client("logs").describe_log_groups(logGroupNamePrefix=sandbox.id_of("Logs"))
    assert {
        "keys": [key["AttributeName"] for key in described["KeySchema"]],
        "billing": described["BillingModeSummary"]["BillingMode"],
        "expiry": table.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
        "redrive": json.loads(queue["RedrivePolicy"])["maxReceiveCount"],
        "visibility": queue["VisibilityTimeout"],
        "lifecycle": [
            r["ID"] for r in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        ],
        "memory": behave["MemorySize"],
        "timeout": behave["Timeout"],
        "layers": [layer["Arn"].split(":")[-2] for layer in behave["Layers"]],
        "logging": behave["LoggingConfig"],
        "greeting": behave["Environment"]["Variables"]["GREETING"],
        "alarm": (alarm["EvaluationPeriods"], alarm["AlarmActions"]),
        "retention": group["logGroups"][0]["retentionInDays"],
    } == {
        "keys": ["pk", "sk"],
        "billing": "PAY_PER_REQUEST",
        "expiry": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"},
        "redrive": 2,
        "visibility": "1",
        "lifecycle": ["old", "parts"],
        "memory": 256,
        "timeout": 2,
        "layers": ["CoreLayer", "ParsingLayer", "TailnetLayer"],
        "logging": {"LogFormat": "JSON", "LogGroup": sandbox.id_of("Logs")},
        "greeting": "hello from tailkeeper",
        "alarm": (1, [sandbox.id_of("Alerts")]),
        "retention": 14,
    }


def test_state_machines_rules_and_schedules_are_connected(sandbox: Any) -> None:
    """The definition is substituted; rules and schedules point at what they should."""
    states, events = sandbox.client("stepfunctions"), sandbox.client("events")
    greet = states.describe_state_machine(stateMachineArn=sandbox.id_of("Greet"))
    task = json.loads(greet["definition"])["States"]["Greet"]
    quick = states.describe_state_machine(stateMachineArn=sandbox.id_of("Quick"))
    bus, rule = sandbox.id_of("GreetTold").split("|")
    target = events.list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"][0]
    often = sandbox.client("scheduler").get_schedule(Name=sandbox.id_of("GreetOften"))
    behave = sandbox.id_of("BehaveFunction")
    assert task["Arguments"]["FunctionName"].endswith(f":function:{behave}")
    assert task["TimeoutSeconds"] == 1
    assert quick["type"] == "EXPRESS"
    assert target["Arn"] == sandbox.id_of("Greet")
    assert target["InputTransformer"]["InputTemplate"] == '{"id": <id>}'
    assert often["ScheduleExpression"] == "rate(5 minutes)"
    assert often["Target"]["Arn"] == sandbox.id_of("Greet")


def test_secrets_are_given_or_generated(sandbox: Any) -> None:
    """A generated one is put into its template at its key."""
    secrets = sandbox.client("secretsmanager")
    given = secrets.get_secret_value(SecretId=sandbox.id_of("Given"))["SecretString"]
    generated = secrets.get_secret_value(SecretId=sandbox.id_of("Generated"))["SecretString"]
    made = json.loads(generated)
    assert json.loads(given) == {"client_id": "k1"}
    assert (made["user"], len(made["password"])) == ("me", 24)


def test_outputs_and_conditions_hold(sandbox: Any) -> None:
    """A resource and an output whose condition is false are not there."""
    assert set(sandbox.ready["outputs"]) == {"GreetArn", "TableName", "ApiUrl"}
    assert "AdminMail" not in sandbox.ready["resources"]
    assert sandbox.ready["outputs"]["TableName"] == sandbox.id_of("Table")


def test_it_says_what_it_does_not_emulate(sandbox: Any) -> None:
    """Only what this template uses, besides what is true of every template."""
    told = " ".join(sandbox.ready["not_emulated"])
    assert "CloudWatch alarms are kept but never evaluated" in told
    assert "tailnet" in told
    assert "SNS sends no mail" not in told


def test_an_event_starts_a_state_machine_that_calls_a_function(
    sandbox: Any, eventually: Any
) -> None:
    """The whole way: bus, rule, input transformer, JSONata, worker; read back as on AWS."""
    detail = {"Source": "app", "DetailType": "t", "Detail": '{"kind": "greet"}'}
    entry = {**detail, "EventBusName": sandbox.id_of("Bus")}
    event_id = sandbox.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"]
    states, greet = sandbox.client("stepfunctions"), sandbox.id_of("Greet")

    def outputs() -> list[Any]:  # a schedule starts it, too
        options = {"stateMachineArn": greet, "statusFilter": "SUCCEEDED"}
        ended = states.list_executions(**options)["executions"]
        described = (states.describe_execution(executionArn=e["executionArn"]) for e in ended)
        return [json.loads(execution["output"]) for execution in described]

    assert eventually(lambda: {"id": event_id} in outputs())


def test_a_sandbox_that_cannot_start_says_why_and_ends(launched: Any) -> None:
    """The supervisor hears it as a line; a template that is not there is found at once."""
    sandbox = launched()
    failed = sandbox.start(template="/gone/template.yaml")
    assert (failed["event"], "/gone/template.yaml" in failed["text"]) == ("failed", True)
    assert sandbox.process.wait(10) == 1
