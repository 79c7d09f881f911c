"""A person's kubeconfig, made whole: what it keeps in files beside it is put into it.

Functions get it as one secret, and on AWS those files are not there (`kubectl config view --flatten
--minify` does the same).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import yaml
from kubernetes.config.config_exception import ConfigException

from cli.problems import Misuse
from tailkeeper.adapters.cluster import Cluster


if TYPE_CHECKING:
    from pathlib import Path

FILES = ("certificate-authority", "client-certificate", "client-key")


def flattened(file: Path) -> str:
    """Return the file as a kubeconfig of its current context alone; raise Misuse."""
    try:
        document = _flattened(yaml.safe_load(file.read_text(encoding="utf-8")), file.parent)
        Cluster.connect(document)
    except OSError as error:
        raise Misuse(f"--kubeconfig {file}: {error.filename or file}: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:  # its text may quote a token
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misuse(f"--kubeconfig {file}: line {line} is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ConfigException, LookupError, TypeError, ValueError) as error:
        raise Misuse(f"--kubeconfig {file} is no kubeconfig: {error!r}") from None
    return yaml.safe_dump(document)


def _flattened(document: Any, folder: Path) -> dict[str, Any]:
    context = _named(document, "contexts", document["current-context"])
    parts = {"clusters": context["context"]["cluster"], "users": context["context"]["user"]}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context["name"],
        "contexts": [context],
        **{
            part: [_embedded(_named(document, part, name), part.removesuffix("s"), folder)]
            for part, name in parts.items()
        },
    }


def _named(document: Any, part: str, name: str) -> dict[str, Any]:
    found = [entry for entry in document[part] if entry["name"] == name]
    if not found:
        raise LookupError(f"none of its {part} is called {name}")
    return dict(found[0])


def _embedded(entry: dict[str, Any], key: str, folder: Path) -> dict[str, Any]:
    """Return a cluster or a user with its files' contents in place of their names."""
    inside = dict(entry[key])
    for name in FILES:
        if path := inside.pop(name, None):
            inside[f"{name}-data"] = base64.b64encode((folder / path).read_bytes()).decode()
    if path := inside.pop("tokenFile", None):
        inside["token"] = (folder / path).read_text(encoding="utf-8").strip()
    if "/" in (command := (inside.get("exec") or {}).get("command") or ""):
        inside["exec"] = {**inside["exec"], "command": str((folder / command).absolute())}
    return {**entry, key: inside}
