"""Regular expressions in Go's syntax (RE2), run by Python's."""

from __future__ import annotations

import re
import warnings


LONGEST = 10_000  # CoreDNS refuses longer ones since 1.14.0
UNSUPPORTED = re.compile(r"\(\?(?:<?[=!]|P=|>|\()|\\[1-9]|[*+?}]\+")
ESCAPED = re.compile(r"\\\\")
TRANSLATIONS = {
    r"(?<": r"(?P<",
    r"\z": r"\Z",
    "[[:alpha:]]": "[A-Za-z]",
    "[[:digit:]]": "[0-9]",
    "[[:alnum:]]": "[0-9A-Za-z]",
}


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern that matches as in Go; raise re.error for what RE2 does not have."""
    if len(pattern) > LONGEST:
        raise re.error(f"regex pattern too long: {len(pattern)} > {LONGEST}")
    if found := UNSUPPORTED.search(ESCAPED.sub("", pattern)):
        raise re.error(f"invalid or unsupported Perl syntax: `{found[0]}`")
    for go, python in TRANSLATIONS.items():
        pattern = pattern.replace(go, python)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's doubts about sets are not Go's
        return re.compile(pattern, re.ASCII)
