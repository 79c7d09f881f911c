"""Secrets Manager's rotation: each repair of moto's, and the whole of it with a real function."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest


Cloud = Any
Case = Callable[[Cloud], Any]
CASES: dict[str, Case] = {}
AWS: dict[str, Any] = {}


def aws_gives(expected: Any) -> Callable[[Case], Case]:
    """Register a case together with what AWS gives."""

    def register(case: Case) -> Case:
        CASES[case.__name__], AWS[case.__name__] = case, expected
        return case

    return register


@dataclass
class Rotated:
    """A secret worth v1, and a function that adds an exclamation mark to it at each rotation.

    The function does what AWS's templates do, and fails in one step if it is told to.
    """

    secrets: Any
    fail_in: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    function: str = ""
    arn: str = ""

    def work(self, event: dict[str, Any]) -> None:
        """Do one step."""
        self.events.append(event)
        if event["Step"] == self.fail_in:
            raise ValueError("no")
        arn, token = self.arn, event["ClientRequestToken"]
        current = self.secrets.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")
        if event["Step"] == "createSecret":
            self.secrets.put_secret_value(
                SecretId=arn,
                ClientRequestToken=token,
                SecretString=current["SecretString"] + "!",
                VersionStages=["AWSPENDING"],
            )
        if event["Step"] == "finishSecret":
            self.secrets.update_secret_version_stage(
                SecretId=arn,
                VersionStage="AWSCURRENT",
                MoveToVersionId=token,
                RemoveFromVersionId=current["VersionId"],
            )

    def rotate(self, steps: int = 4, *, bare: bool = False) -> Rotated:
        """Rotate once more, and wait for so many steps; a bare call does not name the function."""
        more = {} if bare else {"RotationLambdaARN": self.function}
        expected = len(self.events) + steps
        self.secrets.rotate_secret(SecretId=self.arn, **more)
        deadline = time.monotonic() + 2
        while len(self.events) < expected and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        return self

    def value(self, stage: str | None = None) -> str:
        """Return the secret's value at a stage, or without one."""
        options = {"VersionStage": stage} if stage else {}
        return str(self.secrets.get_secret_value(SecretId=self.arn, **options)["SecretString"])

    def steps(self) -> list[str]:
        """Return the steps so far."""
        return [event["Step"] for event in self.events]


def secret(cloud: Cloud, fail_in: str = "") -> Rotated:
    """Create a secret with its function."""
    secrets = cloud.client("secretsmanager")
    rotated = Rotated(secrets, fail_in)
    rotated.function = cloud.function(rotated.work)
    created = secrets.create_secret(Name=f"s{uuid.uuid4().hex[:12]}", SecretString="v1")
    rotated.arn = created["ARN"]
    return rotated


@aws_gives(["v1!!!", "v1!!"])
def a_secret_rotates_again_and_again(cloud: Cloud) -> Any:
    """Moto's second rotation is always still in progress."""
    rotated = secret(cloud).rotate().rotate().rotate()
    return [rotated.value(stage) for stage in ("AWSCURRENT", "AWSPREVIOUS")]


@aws_gives("v1!!")
def the_function_is_remembered(cloud: Cloud) -> Any:
    """Moto forgets it when RotateSecret does not name it again."""
    return secret(cloud).rotate().rotate(bare=True).value("AWSCURRENT")


@aws_gives(["createSecret", "setSecret", "testSecret"])
def a_step_that_fails_is_the_last(cloud: Cloud) -> Any:
    """Moto goes on to finishSecret whatever the function answers."""
    return secret(cloud, fail_in="testSecret").rotate(3).steps()


@aws_gives(["v1", "v1!"])
def a_failed_rotation_leaves_both_versions(cloud: Cloud) -> Any:
    """Moto makes the pending version current."""
    rotated = secret(cloud, fail_in="testSecret").rotate(3)
    return [rotated.value(), rotated.value("AWSPENDING")]


@aws_gives(True)
def the_function_gets_the_arn(cloud: Cloud) -> Any:
    """Moto sends the secret's name as SecretId."""
    rotated = secret(cloud).rotate()
    return {event["SecretId"] for event in rotated.events} == {rotated.arn}


@aws_gives(["v2", "v1"])
def a_moved_label_is_seen_without_a_stage(cloud: Cloud) -> Any:
    """Moto's GetSecretValue without a stage does not see UpdateSecretVersionStage."""
    rotated = secret(cloud)
    secrets, arn = rotated.secrets, rotated.arn
    first = secrets.get_secret_value(SecretId=arn)["VersionId"]
    second = secrets.put_secret_value(SecretId=arn, SecretString="v2", VersionStages=["NEXT"])
    secrets.update_secret_version_stage(
        SecretId=arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=second["VersionId"],
        RemoveFromVersionId=first,
    )
    return [rotated.value(), rotated.value("AWSPREVIOUS")]


@aws_gives("InvalidRequestException")
def an_unfinished_rotation_is_in_the_way(cloud: Cloud) -> Any:
    """Moto's check is the wrong way round: it lets a second one begin."""
    rotated = secret(cloud, fail_in="finishSecret").rotate(4)
    try:
        rotated.rotate(0)
    except rotated.secrets.exceptions.InvalidRequestException:
        return "InvalidRequestException"
    return "accepted"


@aws_gives(["v2", ["AWSPREVIOUS", "KEEP"]])
def a_new_value_takes_only_its_label(cloud: Cloud) -> Any:
    """Moto takes every label off the version that was current."""
    rotated = secret(cloud)
    secrets, arn = rotated.secrets, rotated.arn
    first = secrets.get_secret_value(SecretId=arn)["VersionId"]
    secrets.update_secret_version_stage(SecretId=arn, VersionStage="KEEP", MoveToVersionId=first)
    secrets.put_secret_value(SecretId=arn, SecretString="v2")
    stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    return [rotated.value(), sorted(stages[first])]


@pytest.mark.parametrize("name", CASES)
def test_the_repair_does_what_moto_does_not(name: str, cloud: Cloud, stock: dict[str, Any]) -> None:
    """The case states a defect of moto's that is still there, and mended."""
    assert stock[name] != AWS[name], "moto does this by itself now: drop the repair"
    assert CASES[name](cloud) == AWS[name]


def test_the_steps_come_in_order_with_one_token(cloud: Cloud) -> None:
    """The four steps share the ClientRequestToken, which is the new version's id."""
    rotated = secret(cloud).rotate()

    assert rotated.steps() == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    stages = rotated.secrets.describe_secret(SecretId=rotated.arn)["VersionIdsToStages"]
    assert {e["ClientRequestToken"] for e in rotated.events} == {
        version for version, labels in stages.items() if "AWSCURRENT" in labels
    }


def test_an_unfinished_rotation_is_reattempted(cloud: Cloud) -> None:
    """RotateSecret refuses, and goes on with the pending version, which may then succeed."""
    rotated = secret(cloud, fail_in="testSecret").rotate(3)
    rotated.fail_in = ""

    with pytest.raises(rotated.secrets.exceptions.InvalidRequestException):
        rotated.rotate(0)
    deadline = time.monotonic() + 5
    while rotated.value() == "v1" and time.monotonic() < deadline:
        time.sleep(0.01)

    assert rotated.value("AWSCURRENT") == "v1!"
    assert len({event["ClientRequestToken"] for event in rotated.events}) == 1


def test_turning_rotation_on_only_tests(cloud: Cloud) -> None:
    """RotateImmediately=False runs testSecret and changes nothing."""
    rotated = secret(cloud)
    rotated.secrets.rotate_secret(
        SecretId=rotated.arn, RotationLambdaARN=rotated.function, RotateImmediately=False
    )
    deadline = time.monotonic() + 5
    while not rotated.events and time.monotonic() < deadline:
        time.sleep(0.01)

    assert rotated.steps() == ["testSecret"]
    stages = rotated.secrets.describe_secret(SecretId=rotated.arn)["VersionIdsToStages"]
    assert list(stages.values()) == [["AWSCURRENT"]]


def test_a_secret_without_a_function_does_not_rotate(cloud: Cloud) -> None:
    """RotateSecret without a function ever given is refused."""
    rotated = secret(cloud)

    with pytest.raises(rotated.secrets.exceptions.InvalidRequestException):
        rotated.rotate(bare=True)
