"""The policy file: HuJSON, its ETag, and who overwrites whom."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.tailscale.policy import parse_hujson


if TYPE_CHECKING:
    from tests.contract.tailscale.conftest import Api

pytestmark = pytest.mark.anyio

ACL = "/tailnet/-/acl"
NEW = '{\n  // ours\n  "tagOwners": {"tag:k8s": [],},\n  "acls": [],\n}\n'


async def test_the_policy_file_in_its_three_forms(api: Api) -> None:
    """HuJSON by default, JSON for who accepts it, base64 with details; one ETag for all."""
    await api("POST", ACL, NEW)

    plain = await api("GET", ACL)
    as_json = await api("GET", ACL, Accept="application/json")
    detailed = await api("GET", f"{ACL}?details=true")

    assert plain.text == NEW
    assert as_json.json == {"tagOwners": {"tag:k8s": []}, "acls": []}
    assert base64.b64decode(detailed.json["acl"]).decode() == NEW
    assert len({answer.headers["Etag"] for answer in (plain, as_json, detailed)}) == 1


async def test_if_match_protects_other_peoples_edits(api: Api) -> None:
    """A write is taken for the current ETag, or for `ts-default` while nobody has written."""
    read = await api("GET", ACL)
    first = await api("POST", ACL, NEW, If_Match='"ts-default"')
    stale = await api("POST", ACL, "{}", If_Match=read.headers["Etag"])
    late = await api("POST", ACL, "{}", If_Match="ts-default")
    fresh = await api("POST", ACL, "{}", If_Match=first.headers["Etag"])

    assert first.status == fresh.status == 200
    assert stale.status == late.status == 412
    assert stale.json == {"message": "precondition failed, invalid old hash"}


@pytest.mark.parametrize(("source", "fine"), [(NEW, True), ("[]", False), ('{"acls"}', False)])
async def test_validation_is_always_200(api: Api, source: str, *, fine: bool) -> None:
    """`/acl/validate` answers an empty object, or a message; it sets nothing."""
    before = api.tailscale.policy.text

    answer = await api("POST", f"{ACL}/validate", source)

    assert answer.status == 200
    assert (answer.json == {}) is fine
    assert api.tailscale.policy.text == before


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
)
def test_hujson_reads_what_json_says(document: dict[str, object]) -> None:
    """Comments and trailing commas change nothing, not even beside strings that look like them."""
    # A raw line break is never inside a string.
    commented = json.dumps(document, indent=1).replace("\n", " // note, ]}\n /* , ] */ ")
    trailing = re.sub(r"(?<![\[{])\n(\s*[\]}])", r",\n\1", json.dumps(document, indent=1))

    assert parse_hujson(commented) == parse_hujson(trailing) == document
