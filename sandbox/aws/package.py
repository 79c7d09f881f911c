"""What `sam package` does: local folders and files go to S3, the template then names them there.

A function's `CodeUri` and a layer's `ContentUri` become archives; a state machine's `DefinitionUri`
is uploaded as it is. The sandbox also remembers where each object came from, because its workers
run the sources in place.
"""

from __future__ import annotations

import copy
import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
LOCAL_PROPERTIES = {
    FUNCTION: "CodeUri",
    LAYER: "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
UNZIPPED_TIME = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the archive format's own zero, so that equal trees are equal


@dataclass(frozen=True)
class Source:
    """The local folder or file behind an uploaded object, and how SAM would build it."""

    path: Path
    build_method: str = ""


@dataclass
class Package:
    """A packaged template, and the sources: by `(bucket, key)`, and by a layer's logical id."""

    template: dict[str, Any]
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    layers: dict[str, Source] = field(default_factory=dict)


def archive(folder: Path) -> bytes:
    """Return a zip of the folder without byte code; equal trees give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
                name = zipfile.ZipInfo(file.relative_to(folder).as_posix(), UNZIPPED_TIME)
                name.external_attr = file.stat().st_mode << 16
                target.writestr(name, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def package(template: dict[str, Any], root: Path, bucket: str, s3: Any) -> Package:
    """Upload what the template names below `root` to an existing bucket; return it rewritten.

    Raise FileNotFoundError when a named folder or file is not there.
    """
    template = _with_globals_applied(copy.deepcopy(template))
    packaged = Package(template)
    uploaded: dict[Path, str] = {}
    for logical_id, resource in template["Resources"].items():
        name = LOCAL_PROPERTIES.get(resource["Type"])
        properties = resource.get("Properties", {})
        uri = properties.get(name) if name else None
        if not name or not isinstance(uri, str) or uri.startswith("s3://"):
            continue
        path = (root / uri).resolve(strict=True)
        if path not in uploaded:
            uploaded[path] = _upload(path, uri, bucket, s3)
        key = uploaded[path]
        properties[name] = f"s3://{bucket}/{key}"
        build_method = resource.get("Metadata", {}).get("BuildMethod", "")
        source = packaged.sources[bucket, key] = Source(path, build_method)
        if resource["Type"] == LAYER:
            packaged.layers[logical_id] = source
    return packaged


def _with_globals_applied(template: dict[str, Any]) -> dict[str, Any]:
    shared = template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in template["Resources"].values():
        properties = resource.setdefault("Properties", {})
        if shared and resource["Type"] == FUNCTION and "InlineCode" not in properties:
            properties.setdefault("CodeUri", shared)
    return template


def _upload(path: Path, uri: str, bucket: str, s3: Any) -> str:
    content = archive(path) if path.is_dir() else path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:32]
    key = f"{Path(uri).as_posix().strip('./')}/{digest}"
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key
