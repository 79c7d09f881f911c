"""What survives `kill -9` of the sandbox, and the repairs of what it is stored in."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait
from copy import deepcopy
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from moto.awslambda.models import LambdaFunction
from moto.dynamodb.models import Table
from moto.dynamodb.models.dynamo_type import DynamoType

from sandbox.aws import storage
from sandbox.aws.persistence.executions import ExecutionKeeper
from sandbox.aws.persistence.journal import Journal
from sandbox.aws.storage import written
from sandbox.aws.workers.invoke import keep_configuration


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_last_value_counts_and_none_forgets(tmp_path: Path) -> None:
    """Opening rewrites the file without what is past."""
    first = Journal(tmp_path)
    first.open()
    for name, value in (("a", 1), ("b", {"x": [1]}), ("a", 2), ("c", 3), ("c", None)):
        first.put("item", name, value)
    first.close()
    second = Journal(tmp_path)
    second.open()
    second.close()
    assert second.saved("item") == {"b": {"x": [1]}, "a": 2}
    assert len(second.path.read_text().splitlines()) == 2


def test_a_line_that_a_kill_cut_short_is_skipped(tmp_path: Path) -> None:
    """It was never acknowledged; what comes after the restart is not glued to it."""
    (tmp_path / "journal.jsonl").write_text('["item","a",1]\n["item","b",')
    journal = Journal(tmp_path)
    journal.open()
    journal.put("item", "c", 3)
    journal.close()
    again = Journal(tmp_path)
    again.open()
    again.close()
    assert again.saved("item") == {"a": 1, "c": 3}


def test_a_folder_has_one_sandbox_at_a_time(tmp_path: Path) -> None:
    """The second waits for the first to be gone, or says what is wrong."""
    first = Journal(tmp_path)
    first.open()
    with pytest.raises(TimeoutError, match="another sandbox uses"):
        Journal(tmp_path, patience=0).open()
    first.close()
    second = Journal(tmp_path, patience=0)
    second.open()
    second.close()


def test_large_values_are_kept_once_and_dropped(tmp_path: Path) -> None:
    """By their content."""
    journal = Journal(tmp_path)
    names = [journal.keep_object(content) for content in (b"x", b"x", b"y")]
    assert names[0] == names[1]
    assert journal.read_object(names[2]) == b"y"
    journal.drop_objects({names[2]})
    assert [path.name for path in (tmp_path / "objects").iterdir()] == [names[2]]


@pytest.mark.parametrize(
    ("action", "body", "expected"),
    [
        ("PutItem", {"TableName": "t", "Item": {"pk": 1, "x": 2}}, [("t", {"pk": 1, "x": 2})]),
        ("DeleteItem", {"TableName": "t", "Key": {"pk": 1}}, [("t", {"pk": 1})]),
        ("UpdateItem", {"TableName": "t", "Key": {"pk": 1}}, [("t", {"pk": 1})]),
        ("GetItem", {"TableName": "t", "Key": {"pk": 1}}, []),
        (
            "BatchWriteItem",
            {
                "RequestItems": {
                    "t": [
                        {"PutRequest": {"Item": {"pk": 1}}},
                        {"DeleteRequest": {"Key": {"pk": 2}}},
                    ]
                }
            },
            [("t", {"pk": 1}), ("t", {"pk": 2})],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": {"pk": 1}}},
                    {"ConditionCheck": {"TableName": "t", "Key": {"pk": 2}}},
                    {"Update": {"TableName": "u", "Key": {"pk": 3}}},
                ]
            },
            [("t", {"pk": 1}), ("u", {"pk": 3})],
        ),
    ],
)
def test_every_way_of_writing_an_item_is_known(
    action: str, body: dict[str, Any], expected: list[Any]
) -> None:
    """A condition's check writes nothing."""
    assert list(written(action, body)) == expected


def test_an_execution_that_ended_is_not_told_of(tmp_path: Path) -> None:
    """One that ran when the sandbox died is, once."""
    started = datetime(2026, 1, 1, tzinfo=UTC)
    journal = Journal(tmp_path)
    journal.open()
    keeper = ExecutionKeeper(journal)
    for name, status in (("a", "RUNNING"), ("b", "RUNNING"), ("a", "SUCCEEDED")):
        keeper.note(
            SimpleNamespace(
                exec_arn=name,
                state_machine_arn="m",
                name=name,
                execution_input="{}",
                region_name="eu",
                account_id="1",
                start_date=started,
                status=status,
            )
        )
    journal.close()
    told: list[Any] = []
    for _ in range(2):
        again = Journal(tmp_path)
        again.open()
        ExecutionKeeper(again).tell_of_the_dead(told.append)
        again.close()
    assert [(each.name, each.status, each.start_date) for each in told] == [
        ("b", "ABORTED", started)
    ]


@pytest.fixture
def restarted(launched: Callable[[], Any], tmp_path: Path, eventually: Any) -> Any:
    """Return a sandbox over the world of one that was written to and then killed."""
    first, second = launched(), launched()
    first.start(world=str(tmp_path), speed=1)
    before = change_everything(first)
    file = tmp_path / "pid"
    linger = first.id_of("Linger")
    first.client("stepfunctions").start_execution(stateMachineArn=linger, name="dies")
    with ThreadPoolExecutor(1) as caller:
        event = {"do": "hold", "file": str(file), "seconds": 1.9}
        caller.submit(first.invoke, "BehaveFunction", event)
        pid = int(eventually(lambda: file.exists() and file.read_text()))
        first.kill()
    second.start(world=str(tmp_path), parameters={"Greeting": "bye"})
    return SimpleNamespace(sandbox=second, before=before, worker=pid)


def change_everything(sandbox: Any) -> dict[str, Any]:
    """Write, overwrite and delete; return what the generated secret was."""
    table, bucket = sandbox.id_of("Table"), sandbox.id_of("Artifacts")
    dynamodb, s3 = sandbox.client("dynamodb"), sandbox.client("s3")
    key = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    for sk in ("1", "2", "3"):
        item = {"pk": {"S": "a"}, "sk": {"S": sk}, "b": {"B": b"\0\xff"}, "n": {"N": "1"}}
        dynamodb.put_item(TableName=table, Item=item)
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET n = :n, m = :m",
        ExpressionAttributeValues={":n": {"N": "2"}, ":m": {"M": {"l": {"L": [{"S": "x"}]}}}},
    )
    delete = {"TableName": table, "Key": {**key, "sk": {"S": "2"}}}
    dynamodb.transact_write_items(TransactItems=[{"Delete": delete}])
    for name in ("kept", "gone", "gone too"):
        s3.put_object(
            Bucket=bucket, Key=name, Body=b"\0" * 10, ContentType="a/b", Metadata={"why": "me"}
        )
    s3.delete_object(Bucket=bucket, Key="gone")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "gone too"}]})
    secrets, ssm = sandbox.client("secretsmanager"), sandbox.client("ssm")
    secrets.put_secret_value(SecretId=sandbox.id_of("Given"), SecretString="rotated")
    secrets.create_secret(Name="by hand", SecretString="s")
    ssm.put_parameter(Name=sandbox.id_of("Setting"), Value="set", Overwrite=True)
    ssm.put_parameter(Name="/by/hand", Value="h", Type="SecureString")
    return {
        "arn": sandbox.id_of("Given"),
        "generated": secrets.get_secret_value(SecretId=sandbox.id_of("Generated"))["SecretString"],
    }


def test_a_world_survives_a_kill(restarted: Any, eventually: Any) -> None:
    """Items, objects, secrets and parameters as they were; dead executions told; no orphans."""
    sandbox = restarted.sandbox
    table, bucket = sandbox.id_of("Table"), sandbox.id_of("Artifacts")
    items = sandbox.client("dynamodb").scan(TableName=table)["Items"]
    assert {item["sk"]["S"]: item for item in items} == {
        "1": {
            "pk": {"S": "a"},
            "sk": {"S": "1"},
            "b": {"B": b"\0\xff"},
            "n": {"N": "2"},
            "m": {"M": {"l": {"L": [{"S": "x"}]}}},
        },
        "3": {"pk": {"S": "a"}, "sk": {"S": "3"}, "b": {"B": b"\0\xff"}, "n": {"N": "1"}},
    }

    s3 = sandbox.client("s3")
    listed = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    kept = s3.get_object(Bucket=bucket, Key="kept")
    assert listed == ["kept"]
    assert (kept["Body"].read(), kept["ContentType"], kept["Metadata"]) == (
        b"\0" * 10,
        "a/b",
        {"why": "me"},
    )

    secrets = sandbox.client("secretsmanager")
    given = secrets.get_secret_value(SecretId=sandbox.id_of("Given"))
    generated = secrets.get_secret_value(SecretId=sandbox.id_of("Generated"))
    assert (given["ARN"], given["SecretString"]) == (restarted.before["arn"], "rotated")
    assert generated["SecretString"] == restarted.before["generated"]
    assert secrets.get_secret_value(SecretId="by hand")["SecretString"] == "s"

    # The template gives this one another value now, so that is what it has; as CloudFormation does.
    ssm = sandbox.client("ssm")
    setting = ssm.get_parameter(Name=sandbox.id_of("Setting"))["Parameter"]
    by_hand = ssm.get_parameter(Name="/by/hand", WithDecryption=True)["Parameter"]
    assert (setting["Value"], setting["Version"]) == ("bye", 3)
    assert by_hand["Value"] == "h"

    told = json.loads(sandbox.messages("Failures")[0]["Body"])
    assert (told["name"], told["status"]) == ("dies", "ABORTED")
    assert not is_running(restarted.worker)


def is_running(pid: int) -> bool:
    """Say whether a process still works; one that nobody waited for does not."""
    answer = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return answer.stdout.strip()[:1] not in {"", "Z"}


# Repairs of moto: each case gives on moto as it comes what it must not.

CASES: dict[str, Callable[[Any], Any]] = {}


def case(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Register what is run on stock moto, by stock.py."""
    CASES[run.__name__] = run
    return run


def make_table(cloud: Any) -> str:
    """Make a table with one item."""
    dynamodb, name = cloud.client("dynamodb"), f"t{os.urandom(6).hex()}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "a"}})
    return name


@case
def a_query_looks_at_nothing_else(cloud: Any) -> list[Any]:
    """Page through a partition both ways; return what came, and if other items were compared."""
    dynamodb, name = cloud.client("dynamodb"), f"t{os.urandom(6).hex()}"
    keys = {"pk": "HASH", "sk": "RANGE"}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
    )
    for pk, sk in [("b", str(n)) for n in (2, 0, 1)] + [("a", str(n)) for n in range(20)]:
        dynamodb.put_item(TableName=name, Item={"pk": {"S": pk}, "sk": {"S": sk}})
    compared: list[Any] = []
    less = DynamoType.__lt__

    def counted(one: Any, other: Any) -> Any:
        compared.append(one)
        return less(one, other)

    DynamoType.__lt__ = counted
    pages = dynamodb.get_paginator("query").paginate(
        TableName=name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "b"}},
        ScanIndexForward=False,
        PaginationConfig={"PageSize": 2},
    )
    try:
        found = [[item["sk"]["S"] for item in page["Items"]] for page in pages]
    finally:
        DynamoType.__lt__ = less
    return [found, len(compared) > 6]


@case
def other_writes_survive_a_failed_transaction(cloud: Any) -> list[str]:
    """Put an item while a transaction that will fail copies the table; return what is there."""
    dynamodb, name = cloud.client("dynamodb"), make_table(cloud)

    def write() -> None:
        dynamodb.put_item(TableName=name, Item={"pk": {"S": "written meanwhile"}})

    def copied(table: Any, _: Any) -> Any:
        del Table.__deepcopy__
        copy = deepcopy(table)
        wait([threads.submit(write)], timeout=0.5)
        return copy

    check = {
        "TableName": name,
        "Key": {"pk": {"S": "a"}},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    with ThreadPoolExecutor(1) as threads:
        Table.__deepcopy__ = copied
        with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
            dynamodb.transact_write_items(TransactItems=[{"ConditionCheck": check}])
    return sorted(item["pk"]["S"] for item in dynamodb.scan(TableName=name)["Items"])


@case
def a_conditional_deny_does_not_deny_everything(cloud: Any) -> str:
    """Put an object into a bucket that denies requests without TLS to somebody else."""
    s3, name = cloud.client("s3"), f"b{os.urandom(6).hex()}"
    s3.create_bucket(Bucket=name)
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": "999999999999"}},
    }
    s3.put_bucket_policy(
        Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    try:
        s3.put_object(Bucket=name, Key="k", Body=b"x")
    except s3.exceptions.ClientError as error:
        return str(error.response["Error"]["Code"])
    return "put"


@case
def a_function_keeps_its_configuration(cloud: Any) -> list[str]:
    """Return which of two settings a function still has after it was created."""
    lambdas, queue = cloud.client("lambda"), "arn:aws:sqs:us-east-1:123456789012:q"
    role = cloud.client("iam").create_role(RoleName="keeper", AssumeRolePolicyDocument="{}")
    made = lambdas.create_function(
        FunctionName=f"f{os.urandom(6).hex()}",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="app.handler",
        Code={"ZipFile": EMPTY_ZIP},
        LoggingConfig={"LogFormat": "JSON"},
        DeadLetterConfig={"TargetArn": queue},
    )
    return sorted({"LoggingConfig", "DeadLetterConfig"} & set(made))


@case
def a_queue_hands_over_its_real_messages(cloud: Any) -> dict[str, Any]:
    """Return what a function got of a message, and whether SendMessage waited for the function."""
    seen: list[Any] = []
    function = cloud.function(seen.append)
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"q{os.urandom(6).hex()}")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=attributes["QueueArn"], FunctionName=function
    )
    md5 = sqs.send_message(QueueUrl=url, MessageBody="hello")["MD5OfMessageBody"]
    record = seen[0]["Records"][0]
    return {"waited": bool(seen), "md5": record["md5OfBody"] == md5}


EMPTY_ZIP = b"PK\x05\x06" + b"\0" * 18
AWS_GIVES = {
    "a_query_looks_at_nothing_else": [[["2", "1"], ["0"]], False],
    "other_writes_survive_a_failed_transaction": ["a", "written meanwhile"],
    "a_conditional_deny_does_not_deny_everything": "put",
    "a_function_keeps_its_configuration": ["DeadLetterConfig", "LoggingConfig"],
}


@pytest.mark.parametrize("name", AWS_GIVES)
def test_repaired_moto_gives_what_aws_gives(cloud: Any, name: str) -> None:
    """The queue's case is test_workers.test_a_queue_is_read_in_batches, in the whole sandbox."""
    storage.repair()
    keep_configuration(LambdaFunction)
    assert CASES[name](cloud) == AWS_GIVES[name]


def test_moto_still_needs_these_repairs(stock: dict[str, Any]) -> None:
    """When an upgrade of moto changes one of these, its repair can go."""
    assert stock == {
        "a_query_looks_at_nothing_else": [[["2", "1"], ["0"]], True],
        "other_writes_survive_a_failed_transaction": ["a"],
        "a_conditional_deny_does_not_deny_everything": "403",
        "a_function_keeps_its_configuration": [],
        "a_queue_hands_over_its_real_messages": {"waited": True, "md5": False},
    }
