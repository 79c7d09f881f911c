"""One `template` directive: what it is about, and what its templates may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.rcode

from sandbox.coredns import gotemplate, regex
from sandbox.coredns.request import Fall, Request
from sandbox.coredns.zones import matching


if TYPE_CHECKING:
    import re
    from collections.abc import Sequence


EVERYTHING = regex.compiled(".*")
SECTIONS = ("answer", "authority", "additional")


@dataclass
class Rule:
    """One `template` directive."""

    rclass: str
    rtype: str
    zones: Sequence[str]
    patterns: list[re.Pattern[str]] = field(default_factory=list)
    sections: dict[str, list[gotemplate.Template]] = field(
        default_factory=lambda: {name: [] for name in SECTIONS}
    )
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    fall: Fall = field(default_factory=Fall)

    def concerns(self, request: Request) -> bool:
        """Say whether zone, class and type fit."""
        fits = {
            self.rclass in {"ANY", request.rclass} or request.rclass == "ANY",
            self.rtype in {"ANY", request.rtype} or request.rtype == "ANY",
        }
        return fits == {True} and matching(self.zones, request.name) is not None

    def match(self, request: Request) -> dict[str, Any] | None:
        """Return what the templates may use, or None if no expression matches."""
        for pattern in self.patterns or [EVERYTHING]:
            if found := pattern.search(request.name):
                return self._data(request, found)
        return None

    def _data(self, request: Request, found: re.Match[str]) -> dict[str, Any]:
        matches = [found[0], *(group or "" for group in found.groups())]
        numbered = {str(number): text for number, text in enumerate(matches)}
        named = {name: text or "" for name, text in found.groupdict().items()}
        rtype = self.rtype if request.rtype == "ANY" else request.rtype
        return {
            "Zone": matching(self.zones, request.name),
            "Name": request.name,
            "Class": self.rclass if request.rclass == "ANY" else request.rclass,
            "Type": rtype,
            "Match": matches,
            "Group": numbered | named,
            "Remote": request.client.address,
            "Message": {"Id": request.message.id},
            "Question": {"Name": request.message.question[0].name.to_text()},
        }
