"""What every object's metadata must be, and what the server itself writes there."""

from __future__ import annotations

import random
import re
import string
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import Cause, bad_request, conflict


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.resource import Resource

Document = dict[str, Any]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_NAME_PART = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = rf"({_NAME_PART})?"
_ANNOTATIONS_LIMIT = 256 * 1024
_KINDS_NAMED_BY_LABEL = frozenset({"Namespace", "Service"})
_SYSTEM_FIELDS = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "selfLink")


def timestamp(seconds: float) -> str:
    """Return epoch seconds as the API writes times (RFC 3339, UTC, whole seconds)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fresh(document: Document, now: float) -> Document:
    """Return the object as it is born: a name, a uid, a time, and nothing that clients sent."""
    metadata = {k: v for k, v in document["metadata"].items() if k not in _SYSTEM_FIELDS}
    # vowels and look-alikes are left out, so that no suffix reads as a word
    prefix = metadata.get("generateName", "")
    if prefix and not metadata.get("name"):
        metadata["name"] = prefix + "".join(
            random.choices(string.digits + "bcdfghjklmnpqrstvwxz", k=5)
        )
    metadata.pop("resourceVersion", None)
    metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp(now)}
    return {**document, "metadata": metadata}


def placed(resource: Resource, document: Document, namespace: str, name: str = "") -> Document:
    """Return the object in the place its URL names; raise a 400 if it says another."""
    metadata = dict(document["metadata"])
    if not resource.namespaced:
        metadata.pop("namespace", None)
    elif metadata.setdefault("namespace", namespace) != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if name and metadata.setdefault("name", name) != name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL "
            f"({name})"
        )
    return {**document, "metadata": metadata}


def kept(resource: Resource, live: Document, new: Document) -> Document:
    """Return the new object with what a client cannot change; raise a 409 for another uid."""
    metadata, known = dict(new["metadata"]), live["metadata"]
    uid = metadata.get("uid", known["uid"])
    if uid != known["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {known['uid']}"
        raise conflict(resource, known["name"], why)
    for name in (*_SYSTEM_FIELDS, "deletionGracePeriodSeconds", "resourceVersion"):
        metadata.pop(name, None)
        if name in known:
            metadata[name] = known[name]
    return {**new, "metadata": metadata}


def metadata_causes(resource: Resource, document: Document) -> list[Cause]:
    """Return what is wrong with an object's name, labels and annotations."""
    metadata = document["metadata"]
    return [
        *_name_causes(resource, metadata.get("name", "")),
        *_label_causes(metadata.get("labels") or {}),
        *_annotation_causes(metadata.get("annotations") or {}),
    ]


def _name_causes(resource: Resource, name: str) -> list[Cause]:
    path = "metadata.name"
    if not name:
        return [Cause.required(path, "name or generateName is required")]
    if resource.group == "rbac.authorization.k8s.io":
        ok = name not in {".", ".."} and not set(name) & set("/%")
        return [] if ok else [Cause.invalid(path, name, "may not contain '/' or '%'")]
    if resource.kind in _KINDS_NAMED_BY_LABEL:
        return _matching(
            path, name, _LABEL, 63,
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
            "'-', and must start and end with an alphanumeric character (e.g. 'my-name',  or "
            "'123-abc'",
        )  # fmt: skip
    return _matching(
        path, name, _SUBDOMAIN, 253,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' "
        "or '.', and must start and end with an alphanumeric character (e.g. 'example.com'",
    )  # fmt: skip


def _matching(path: str, value: str, pattern: str, limit: int, rule: str) -> list[Cause]:
    if len(value) > limit:
        return [Cause.invalid(path, value, f"must be no more than {limit} bytes")]
    if re.fullmatch(pattern, value):
        return []
    return [Cause.invalid(path, value, f"{rule}, regex used for validation is '{pattern}')")]


def _label_causes(labels: dict[str, str]) -> list[Cause]:
    path = "metadata.labels"
    causes = [cause for key in labels for cause in _key_causes(path, key)]
    for value in labels.values():
        causes += _matching(
            path, value, _LABEL_VALUE, 63,
            "a valid label must be an empty string or consist of alphanumeric characters, '-', "
            "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  "
            "or 'my_value',  or '12345'",
        )  # fmt: skip
    return causes


def _annotation_causes(annotations: dict[str, str]) -> list[Cause]:
    path = "metadata.annotations"
    causes = [cause for key in annotations for cause in _key_causes(path, key.lower())]
    if sum(len(k) + len(v) for k, v in annotations.items()) > _ANNOTATIONS_LIMIT:
        told = f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes"
        causes.append(Cause("FieldValueTooLong", told, path))
    return causes


def _key_causes(path: str, key: str) -> list[Cause]:
    prefix, _, name = key.rpartition("/")
    if prefix and not re.fullmatch(_SUBDOMAIN, prefix):
        return [Cause.invalid(path, key, "prefix part must be a lowercase RFC 1123 subdomain")]
    return _matching(
        path, name, _NAME_PART, 63,
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and "
        "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc'",
    )  # fmt: skip
