"""Packaging and the SAM transform: what reaches the provisioner."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sandbox.aws.package import archive, package
from sandbox.aws.template import load_template
from sandbox.aws.translate import translate


if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Uploads:
    """Takes what is put into a bucket, with the one method of S3's client that packaging needs."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - boto3's names
        """Keep an object."""
        self.objects[f"s3://{Bucket}/{Key}"] = Body


def test_the_short_forms_of_intrinsics_become_long(tmp_path: Path) -> None:
    """Dates stay text, for a policy's Version is one."""
    template = tmp_path / "t.yaml"
    template.write_text(
        "Resources: {}\n"
        "A: [!Ref B, !GetAtt B.C.D, !Sub 'x-${B}', !If [Is, !Ref B, 2], !Condition Is]\n"
        "Version: 2012-10-17\n"
    )
    assert load_template(template) == {
        "Resources": {},
        "A": [
            {"Ref": "B"},
            {"Fn::GetAtt": ["B", "C.D"]},
            {"Fn::Sub": "x-${B}"},
            {"Fn::If": ["Is", {"Ref": "B"}, 2]},
            {"Condition": "Is"},
        ],
        "Version": "2012-10-17",
    }


def test_a_file_without_resources_is_no_template(tmp_path: Path) -> None:
    """Say so before anything is uploaded."""
    template = tmp_path / "t.yaml"
    template.write_text("a: 1")
    with pytest.raises(ValueError, match="it has no Resources"):
        load_template(template)


def test_local_paths_become_objects(app: Path) -> None:
    """Folders are zipped, definitions are not; each path is uploaded once; sources are known."""
    uploads = Uploads()
    packaged = package(load_template(app / "template.yaml"), app, "bucket", uploads)
    resources = packaged.template["Resources"]
    behave = resources["BehaveFunction"]["Properties"]["CodeUri"]
    hook = resources["HookFunction"]["Properties"]["CodeUri"]
    greet = resources["Greet"]["Properties"]["DefinitionUri"]
    layer = resources["CoreLayer"]["Properties"]["ContentUri"]
    names = zipfile.ZipFile(io.BytesIO(uploads.objects[behave])).namelist()
    assert behave == hook
    assert "CodeUri" not in packaged.template["Globals"]["Function"]
    assert names == ["behave.py", "collect.py", "hook.py", "parse.py"]
    assert uploads.objects[greet] == (app / "statemachines" / "greet.asl.yaml").read_bytes()
    assert set(uploads.objects) == {
        resources[name]["Properties"][LOCAL[resources[name]["Type"]]]
        for name in resources
        if resources[name]["Type"] in LOCAL
    }
    assert packaged.sources[parts(behave)].path == app / "functions"
    assert packaged.sources[parts(layer)].build_method == "python3.13"
    assert packaged.layers["ParsingLayer"].build_method == "makefile"


LOCAL = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


def parts(uri: str) -> tuple[str, str]:
    """Return the bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def test_equal_folders_give_equal_archives_without_byte_code(tmp_path: Path) -> None:
    """Whenever they were written, and whoever imported from them."""
    for name in ("a", "b"):
        (tmp_path / name / "pkg").mkdir(parents=True)
        (tmp_path / name / "pkg" / "m.py").write_text("x = 1")
    (tmp_path / "b" / "pkg" / "__pycache__").mkdir()
    (tmp_path / "b" / "pkg" / "__pycache__" / "m.cpython-313.pyc").write_bytes(b"\0")
    assert archive(tmp_path / "a") == archive(tmp_path / "b")


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Not a function that fails later."""
    lost: dict[str, Any] = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "gone"}}
    with pytest.raises(FileNotFoundError):
        package({"Resources": {"F": lost}}, tmp_path, "bucket", Uploads())


def test_inline_code_and_uploaded_code_stay_as_they_are(tmp_path: Path) -> None:
    """There is nothing to upload for them, whatever the globals say."""
    functions = {
        "Inline": {"Type": "AWS::Serverless::Function", "Properties": {"InlineCode": "x"}},
        "There": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "s3://b/k"}},
    }
    template = {"Globals": {"Function": {"CodeUri": "functions"}}, "Resources": functions}
    uploads = Uploads()
    packaged = package(template, tmp_path, "bucket", uploads)
    assert packaged.template["Resources"] == functions
    assert uploads.objects == {}


def test_the_transform_gives_plain_cloudformation(app: Path) -> None:
    """Events become rules, schedules and routes; the machine keeps its place in S3."""
    packaged = package(load_template(app / "template.yaml"), app, "bucket", Uploads())
    session = boto3.Session(region_name="eu-central-1")
    resources = translate(packaged.template, {}, session)["Resources"]
    types = {resource["Type"] for resource in resources.values()}
    greet = resources["Greet"]["Properties"]
    assert not [name for name in types if name.startswith("AWS::Serverless::")]
    assert greet["DefinitionS3Location"]["Bucket"] == "bucket"
    assert greet["DefinitionSubstitutions"]["Seconds"] == 1
    assert resources["GreetOften"]["Type"] == "AWS::Scheduler::Schedule"
    assert list(resources["Api"]["Properties"]["Body"]["paths"]) == [
        "/hooks/{kind}",
        "/files/{path+}",
    ]
