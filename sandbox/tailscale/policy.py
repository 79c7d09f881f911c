"""The tailnet's policy file: HuJSON, its ETag, and who owns which tag."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from sandbox.tailscale.answers import Refusal


TAG = re.compile(r"tag:[a-zA-Z][a-zA-Z0-9-]*")
_STRING = r'("(?:\\.|[^"\\])*")'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])")


def parse_hujson(source: str) -> dict[str, Any]:
    """Return the document of a HuJSON object; raise ValueError if it is none."""
    plain = _COMMENT.sub(lambda match: match[1] or " ", source)
    document = json.loads(_TRAILING_COMMA.sub(lambda match: match[1] or "", plain))
    if not isinstance(document, dict):
        raise ValueError("policy file must be an object")  # noqa: TRY004 - one error for callers
    return document


def default_policy(tag_owners: dict[str, list[str]]) -> str:
    """Return the policy of a new tailnet in which these tags are defined."""
    acls = [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]
    document = json.dumps({"tagOwners": tag_owners, "acls": acls}, indent=2)
    return f"// Everything may reach everything.\n{document}\n"


@dataclass
class Policy:
    """The policy file's text; `untouched` while nobody has replaced the default."""

    text: str
    untouched: bool = True

    @property
    def etag(self) -> str:
        """Return the quoted hash of the text."""
        return f'"{hashlib.sha256(self.text.encode()).hexdigest()}"'

    @property
    def tag_owners(self) -> dict[str, list[str]]:
        """Return who owns each tag."""
        return dict(parse_hujson(self.text).get("tagOwners") or {})

    def replace(self, source: str, *, if_match: str = "") -> str:
        """Take a new text and return the old one.

        Raises Refusal 412 if `if_match` is another ETag, 400 if the text is no policy file.
        """
        current = {self.etag.strip('"')} | ({"ts-default"} if self.untouched else set())
        if if_match and if_match.strip('"') not in current:
            raise Refusal(412, "precondition failed, invalid old hash")
        problem = self.problem(source)
        if problem:
            raise Refusal(400, problem)
        old, self.text, self.untouched = self.text, source, False
        return old

    def problem(self, source: str) -> str:
        """Return why the text is no policy file, or nothing. ACL tests are not run."""
        try:
            owners = parse_hujson(source).get("tagOwners") or {}
        except ValueError as error:
            return str(error)
        wrong = [tag for tag in owners if not TAG.fullmatch(tag)]
        return f"invalid tag names {wrong}" if wrong else ""

    def permit(self, tags: list[str], *, owners: tuple[str, ...] | None = None) -> None:
        """Raise Refusal 400 unless these tags exist and the owners may hand them out.

        `owners` are the tags of a trust credential, which must be exactly the requested ones or
        own each of them (tailscale/tailscale#15456); None is someone who may hand out any tag.
        """
        defined = self.tag_owners
        allowed = all(tag in defined for tag in tags) and (
            owners is None
            or set(tags) == set(owners)
            or all(not set(defined[tag]).isdisjoint(owners) for tag in tags)
        )
        if not allowed:
            raise Refusal(400, f"requested tags [{' '.join(tags)}] are invalid or not permitted")
