"""What holds of the records surface for any zone and any wishes, carried out as Cloudflare does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import ZoneConfig
from tailkeeper.model import Cause, Change, Plan
from tailkeeper.ownership import Mark
from tailkeeper.records.batches import packed
from tailkeeper.records.claims import Unread, zone_wanted
from tailkeeper.records.edits import edit_of
from tailkeeper.records.surface import Held, Wanted, held_by_name, plan_zone, value_of
from tests.support.zones import RefusedError, Zone


if TYPE_CHECKING:
    from collections.abc import Iterable

OWNER = "homelab"
SEALED = '"' + "QUJD" * 30 + '"'
HOSTS = tuple(f"{label}.example.com" for label in ("app", "a-app", "b", "*", "deep.c"))
CONTENTS = {
    "CNAME": ("old.tail.ts.net", "new.tail.ts.net"),
    "A": ("100.64.0.1", "100.64.0.2", "100.64.0.3", "100.64.0.10"),
    "AAAA": ("fd7a:115c:a1e0::1", "fd7a:115c:a1e0::2"),
}
TARGETS = sorted(content for contents in CONTENTS.values() for content in contents)
RESOURCES = ("httproute/apps/app", "ingress/apps/app", "service/apps/other")
AFFIXES: tuple[dict[str, Any], ...] = (
    {},
    {"txt_wildcard": "any"},
    {"txt_prefix": "k8s."},
    {"txt_suffix": "-mark"},
    {"txt_prefix": "%{record_type}-", "txt_wildcard": "any"},
    {"txt_suffix": "-%{record_type}"},
)


@dataclass
class Case:
    """A zone, and what everybody wants of it."""

    config: ZoneConfig
    zone: Zone
    claims: dict[str, list[Wanted]] = field(default_factory=dict)

    def held(self) -> dict[str, Held]:
        """Return what the zone's names hold."""
        return held_by_name(self.config, self.zone.records.values())

    def plan(self, unread: Unread | None = None) -> Plan | None:
        """Return the plan of the zone; changes with an obstacle are in it."""
        held = self.held()
        wanted = zone_wanted(self.claims, held, "pro", [], unread or Unread())
        changes = plan_zone(self.config, held, wanted)
        return Plan.of(c for c in changes if c.after is not None or c.key not in self.claims)

    def writable(self) -> list[Change]:
        """Return the planned changes that nothing is in the way of."""
        plan = self.plan()
        return [change for change in plan.changes if not change.obstacle] if plan else []

    def apply(self, changes: Iterable[Change], limit: int = 20) -> None:
        """Carry the changes out, batch by batch; a name that stays answers at each moment."""
        held, todo = self.held(), list(changes)
        edits = [edit_of(self.config, c, held.get(c.key, Held())) for c in todo]
        leaving = {c.key for c in todo if not c.after}
        for batch in packed(edits, limit):
            answering = self.zone.answering()
            self.zone.carry_out(batch.body)
            assert answering - leaving <= self.zone.answering()


def text(name: str, owner: str, resource: str, **more: Any) -> dict[str, Any]:
    """Return a mark."""
    labels = more.pop("labels", ())
    return {"name": name, "type": "TXT", "content": Mark(owner, resource, labels).value, **more}


@st.composite
def records(draw: st.DrawFn, host: str) -> list[dict[str, Any]]:
    """Draw answers for a name: a CNAME, or addresses of one or both families."""
    kinds = draw(st.sampled_from([("CNAME",), ("A",), ("AAAA",), ("A", "AAAA"), ("A", "A")]))
    more = {
        "ttl": draw(st.sampled_from([1, 60, 300])),
        "comment": draw(st.sampled_from(["", "by hand"])),
        "tags": draw(st.sampled_from([[], ["team:web"]])),
    }
    contents = [draw(st.sampled_from(CONTENTS[kind])) for kind in kinds]
    pairs = dict.fromkeys(zip(kinds, contents, strict=True))
    return [{"name": host, "type": kind, "content": text, **more} for kind, text in pairs]


@st.composite
def our_marks(draw: st.DrawFn, config: ZoneConfig, host: str, kind: str) -> list[dict[str, Any]]:
    """Draw the marks of a record of ours: new, old or both, plain or with something to say."""
    newest, *legacy = config.marks.candidates(host, kind)
    names = [newest]
    if legacy:
        names = draw(st.sampled_from([[newest], legacy, [newest, *legacy]]))
    resource = draw(st.sampled_from([*RESOURCES, ""]))
    more: Any = draw(st.sampled_from([{}, {"labels": (("dualstack", "true"),)}, {"ttl": 120}]))
    twin = [text(newest, OWNER, "gateway/apps/twin")] if draw(st.integers(0, 5)) == 0 else []
    return [*(text(name, OWNER, resource, **more) for name in names), *twin]


@st.composite
def theirs(draw: st.DrawFn, config: ZoneConfig, host: str) -> list[dict[str, Any]]:
    """Draw what others have at a name: answers, mail, a delegation, marks, sealed marks."""
    found = draw(st.sampled_from([[], *([r] for r in draw(records(host)))]))
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["MX", "NS"] if "a-app" not in host else ["MX"]))
        found.append({"name": host, "type": kind, "content": "mail.example.com"})
    name = config.marks.name(host, draw(st.sampled_from(sorted(CONTENTS))))
    sealed = {"name": name, "type": "TXT", "content": SEALED}
    return [*found, *draw(st.sampled_from([[], [text(name, "others", RESOURCES[0])], [sealed]]))]


@st.composite
def claims(draw: st.DrawFn, host: str) -> list[Wanted]:
    """Draw up to three objects that want a name."""
    found = []
    for resource in draw(st.lists(st.sampled_from(RESOURCES), unique=True, max_size=3)):
        targets = draw(st.lists(st.sampled_from(TARGETS), min_size=1, max_size=4, unique=True))
        found.append(
            Wanted(
                host,
                tuple(targets),
                resource,
                resource.partition("/")[0],
                ttl=draw(st.sampled_from([None, 60, 5])),
                comment=draw(st.sampled_from([None, "", "ours"])),
                tags=draw(st.sampled_from([(), ("a:b",)])),
            )
        )
    return found


@st.composite
def cases(draw: st.DrawFn, *, widows: bool = True) -> Case:
    """Draw a zone in which each name is ours, others' or both, and what is wanted of it."""
    policy = draw(st.sampled_from(["sync", "sync", "upsert-only", "create-only"]))
    config = ZoneConfig("example.com", OWNER, policy=policy, **draw(st.sampled_from(AFFIXES)))
    case = Case(config, Zone())
    for host in draw(st.lists(st.sampled_from(HOSTS), unique=True, min_size=1)):
        kept = draw(
            st.sampled_from(["ours", "theirs", "neither", "widow" if widows else "neither"])
        )
        if kept == "ours":
            answers = draw(records(host))
            kinds = sorted({record["type"] for record in answers})
            marks = [m for kind in kinds for m in draw(our_marks(config, host, kind))]
            fill(case.zone, [*answers, *marks], "ours")
        if kept == "theirs":
            fill(case.zone, draw(theirs(config, host)), "their")
        if kept == "widow":
            fill(case.zone, draw(our_marks(config, host, "CNAME")), "ours")
        if draw(st.booleans()):
            case.claims[host] = draw(claims(host))
    return case


def fill(zone: Zone, found: Iterable[dict[str, Any]], prefix: str) -> None:
    """Add what Cloudflare lets stand together."""
    for record in found:
        try:
            zone.add(record, prefix)
        except RefusedError:
            continue


@given(cases(), st.integers(1, 40))
def test_applying_a_plan_reaches_what_is_wanted_and_a_second_plan_is_none(
    case: Case, limit: int
) -> None:
    """Cloudflare takes every batch, each name then holds its `after`, and nothing is left to do."""
    changes = case.writable()

    case.apply(changes, limit)

    held = case.held()
    assert {c.key: value_of(held.get(c.key)) for c in changes} == {c.key: c.after for c in changes}
    assert case.writable() == []


@given(cases())
def test_what_is_not_ours_is_never_touched(case: Case) -> None:
    """Records of others, of nobody, and their marks stand as they stood."""
    before = case.zone.said("their")

    case.apply(case.writable())

    assert case.zone.said("their") == before


@given(cases(widows=False))
def test_undo_gives_back_what_stood(case: Case) -> None:
    """Marks, TTLs, comments, tags: everything but the ids, which are Cloudflare's."""
    before = case.zone.said()
    changes = case.writable()
    case.apply(changes)

    case.apply(change.inverse for change in changes)

    assert case.zone.said() == before


@given(cases())
def test_policies_keep_their_word(case: Case) -> None:
    """`upsert-only` takes no name and no widowed mark away; `create-only` changes nothing."""
    held = case.held()
    changes = case.writable()
    edits = [edit_of(case.config, c, held.get(c.key, Held())) for c in changes]

    if case.config.policy == "create-only":
        assert {change.action for change in changes} <= {"Create"}
        assert not any(edit.deletes for edit in edits)
    if case.config.policy == "upsert-only":
        assert not any(change.action == "Delete" for change in changes)
        created = {change.key for change in changes if change.action == "Create"}
        assert not any(edit.deletes for edit in edits if edit.key in created)


@given(cases(), st.randoms(use_true_random=False))
def test_a_plan_depends_on_no_order(case: Case, random: Any) -> None:
    """However records and claims are listed, the plan is the same, digests and all."""
    plan = case.plan()

    shuffled = list(case.zone.records.items())
    random.shuffle(shuffled)
    case.zone.records = dict(shuffled)
    case.claims = {h: random.sample(c, len(c)) for h, c in reversed(case.claims.items())}

    again = case.plan()
    assert (again and again.as_json()) == (plan and plan.as_json())


@given(cases(), st.sets(st.sampled_from(["httproute", "ingress", "service"])))
def test_an_owner_that_may_be_unread_keeps_its_name(case: Case, kinds: set[str]) -> None:
    """No other object takes a name over while its owner's kind was not read whole."""
    held = case.held()

    plan = case.plan(Unread(kinds))

    for change in plan.changes if plan else ():
        owners = set(held.get(change.key, Held()).resources.values())
        gone = owners - {claim.resource for claim in case.claims.get(change.key, ())}
        assert change.after is None or not {owner.partition("/")[0] for owner in gone} & kinds


@given(cases())
def test_a_digest_is_of_what_changes_not_of_why(case: Case) -> None:
    """The causes of a run are no part of it, nor are verdicts."""
    plan = case.plan()
    for change in plan.changes if plan else ():
        cause = Cause("sweep", "1", "2026-01-01T00:00:00Z", "schedule")
        assert replace(change, causes=(cause,), source="x", gateway="y").digest == change.digest
        assert change.inverse.inverse.digest == change.digest
