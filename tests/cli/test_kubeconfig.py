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
