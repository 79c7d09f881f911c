"""`rewrite name`: which names match, what they become, and the way back in the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sandbox.coredns import regex
from sandbox.coredns.errors import CorefileError
from sandbox.coredns.plugins.rewrite_records import Change, Names, Spell
from sandbox.coredns.request import Request
from sandbox.coredns.zones import fqdn


Matcher = Callable[[Request], tuple[Request, list[Change]] | None]
Fit = Callable[[str], str | None]  # the new name, or None when the old one does not match


def matcher(kind: str, old: str, new: str) -> Fit:
    """Return how a name is matched and changed; raise CorefileError for a bad expression."""
    part, other = fqdn(old), fqdn(new)
    match kind:
        case "exact":
            return lambda name: other if name == part else None
        case "prefix":
            return lambda name: other + name.removeprefix(part) if name.startswith(part) else None
        case "suffix":
            return lambda name: name.removesuffix(part) + other if name.endswith(part) else None
        case "substring":
            return lambda name: name.replace(part, other) if part in name else None
        case "regex":
            pattern = checked(old, new)
            return lambda name: filled(pattern, other, name)
        case _:
            raise CorefileError(
                "name rule supports only exact, prefix, suffix, substring, and regex name"
                f" matching, received: {kind}"
            )


def name_rule(args: Sequence[str]) -> Matcher:
    """Read `[KIND] FROM TO [answer ...]`; raise CorefileError."""
    if len(args) < 2:
        raise CorefileError("too few arguments for a name rule")
    kind, old, new = ("exact", *args) if len(args) == 2 else (args[0].lower(), *args[1:3])
    auto, spells = _answer_rules(kind, args[3:])
    fits = matcher(kind, old, new)

    def match(request: Request) -> tuple[Request, list[Change]] | None:
        name = fits(request.name)
        if name is None:
            return None
        back = _way_back(kind, (old, new), (request.name, name), auto=auto or kind == "exact")
        return request.asking(name=name), [*back, *spells]

    return match


def _way_back(
    kind: str, rule: tuple[str, str], names: tuple[str, str], *, auto: bool
) -> list[Change]:
    """Return the change that gives records of the answer the client's name again."""
    if not auto:
        return []
    if kind == "suffix":
        tail, after = map(fqdn, rule)
        return [Names(lambda n: n.removesuffix(after) + tail if n.endswith(after) else n)]
    asked, rewritten = names[0], fqdn(names[1])

    def original(name: str) -> str:
        if name == rewritten or name.endswith(f".{rewritten}"):
            return name.removesuffix(rewritten) + asked
        return name

    return [Names(original)]


def _answer_rules(kind: str, args: Sequence[str]) -> tuple[bool, list[Change]]:
    """Read `answer auto`, `answer name FROM TO`, `answer value FROM TO`, in any number."""
    auto, named = False, False
    spells: list[Change] = []
    words = list(args)
    if words and (words[0] != "answer" or len(words) < 2):
        raise CorefileError(f"invalid arguments for {kind} rule")
    while words:
        if words[0] == "answer":
            words.pop(0)
        if not words:
            raise CorefileError(f"type missing for answer rule for {kind} rule")
        what = words.pop(0)
        if what == "auto":
            auto = True
            continue
        if what not in {"name", "value"}:
            raise CorefileError(f'invalid type "{what}" for answer rule for {kind} rule')
        if len(words) < 2:
            raise CorefileError(f"{what} answer rule for {kind} rule: 2 arguments required")
        old, new = words.pop(0), words.pop(0)
        named = named or what == "name"
        spells.append(_spelling(what, checked(old, new), fqdn(new)))
    if auto and named:
        raise CorefileError(
            "auto name answer rule cannot be combined with explicit name anwer rules"
        )
    return auto, spells


def _spelling(what: str, pattern: re.Pattern[str], new: str) -> Change:
    spell: Spell = lambda name: filled(pattern, new, name) or name  # noqa: E731 - typed as one
    return Names(spell, owners=what == "name", values=what == "value")


def checked(old: str, new: str) -> re.Pattern[str]:
    """Return the compiled expression; it must have the groups that `new` uses as `{1}`."""
    try:
        pattern = regex.compiled(old)
    except re.error:
        raise CorefileError(f"invalid regex matching pattern: {old}") from None
    used = sum(f"{{{number}}}" in new for number in range(101))
    if used > pattern.groups:
        raise CorefileError(
            f"the rewrite regex pattern ({new}) uses more subexpressions than its corresponding"
            f" matching regex pattern ({old})"
        )
    return pattern


def filled(pattern: re.Pattern[str], new: str, name: str) -> str | None:
    """Return `new` with the groups of the match in `name`, or None without a match."""
    found = pattern.search(name)
    if found is None:
        return None
    for number, text in enumerate([found[0], *found.groups(default="")]):
        new = new.replace(f"{{{number}}}", text)
    return new
