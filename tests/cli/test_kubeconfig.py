"""A person's kubeconfig, made whole before it is handed to functions."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
import trustme
import yaml

from cli.kubeconfig import flattened
from cli.problems import Misuse


if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, **changes: Any) -> Path:
    """Write a kubeconfig with two contexts, whose files lie beside it."""
    trustme.CA().cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "token").write_text("abc\n")
    cluster = {"server": "https://127.0.0.1:6443", "certificate-authority": "ca.pem"}
    document = {
        "current-context": "home",
        "contexts": [
            {"name": "work", "context": {"cluster": "w", "user": "w"}},
            {"name": "home", "context": {"cluster": "h", "user": "me"}},
        ],
        "clusters": [{"name": "h", "cluster": cluster}],
        "users": [{"name": "me", "user": {"tokenFile": "token"}}],
        **changes,
    }
    file = folder / "config"
    file.write_text(yaml.safe_dump(document))
    return file


def user(**fields: Any) -> dict[str, Any]:
    """Return the current context's user."""
    return {"name": "me", "user": fields}


def test_files_are_put_into_it(tmp_path: Path) -> None:
    """Only the current context stays, and nothing outside the text is needed."""
    whole = yaml.safe_load(flattened(written(tmp_path)))

    assert [context["name"] for context in whole["contexts"]] == ["home"]
    assert whole["users"] == [{"name": "me", "user": {"token": "abc"}}]
    (cluster,) = whole["clusters"]
    authority = base64.b64decode(cluster["cluster"]["certificate-authority-data"])
    assert authority == (tmp_path / "ca.pem").read_bytes()
    assert "certificate-authority" not in cluster["cluster"]


@pytest.mark.parametrize(
    ("command", "absolute"),
    [("./bin/login", "{folder}/bin/login"), ("/usr/bin/login", "/usr/bin/login"), ("aws", "aws")],
)
def test_a_command_is_found_from_anywhere(tmp_path: Path, command: str, absolute: str) -> None:
    """As kubectl has it, a path of a command is relative to the file; a bare name is in PATH."""
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": command}

    whole = yaml.safe_load(flattened(written(tmp_path, users=[user(exec=plugin)])))

    found = whole["users"][0]["user"]["exec"]["command"]
    assert found == absolute.format(folder=tmp_path)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"current-context": "gone"}, "none of its contexts is called gone"),
        ({"users": []}, "none of its users is called me"),
        ({"clusters": None}, "no kubeconfig"),
        ({"users": [{"name": "me", "user": {"tokenFile": "lost"}}]}, "lost: No such file"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    """Before anything starts, in a sentence that names the file."""
    file = written(tmp_path, **changes)

    with pytest.raises(Misuse, match=why) as misuse:
        flattened(file)

    assert str(file) in str(misuse.value)


@pytest.mark.parametrize(
    "text", ["", "hello", "- 1\n", "users: [{token: s3cret, x\n", "a: s3cret\n"]
)
def test_nonsense_is_not_repeated(tmp_path: Path, text: str) -> None:
    """What is in the file may be a secret, so the sentence does not quote it."""
    file = tmp_path / "config"
    file.write_text(text)

    with pytest.raises(Misuse) as misuse:
        flattened(file)

    assert "s3cret" not in str(misuse.value)
