"""`python -m tailkeeper.plan` and `.ownership`: what the page shows is what they answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tailkeeper.doors.filter import answered
from tailkeeper.doors.mark_cases import mark_case
from tailkeeper.ownership import Mark
from tailkeeper.plan import answer
from tests.support.worlds import SURFACES, Bench, documents, route


ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers" / "core"
BLOCK = re.compile(r"```json (zone|world|marks) (case|answer)\n(.*?)```", re.DOTALL)
SHOWN = {
    (name, part): json.loads(text)
    for name, part, text in BLOCK.findall((ROOT / "docs" / "documents.md").read_text())
}
MODULES = {"zone": "plan", "world": "plan", "marks": "ownership"}
ZONE = {"name": "example.com", "owner": "homelab"}
A = {"name": "a.example.com", "type": "A", "content": "100.64.0.1"}


def called(module: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run a module with a case on its standard input, and nothing but the core to import."""
    return subprocess.run(
        [sys.executable, "-S", "-m", f"tailkeeper.{module}"],
        input=text,
        env={**os.environ, "PYTHONPATH": str(CORE)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("form", MODULES)
def test_the_page_shows_what_is_answered(form: str) -> None:
    """Each documented case gives the documented answer, with nothing installed but Python."""
    ran = called(MODULES[form], json.dumps(SHOWN[form, "case"]))

    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout) == SHOWN[form, "answer"]


@pytest.mark.parametrize("module", ["plan", "ownership", "sources"])
@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, "3"])
def test_nonsense_is_refused_in_words(module: str, text: str) -> None:
    """Exit code 64, a sentence and no traceback."""
    ran = called(module, text)

    assert (ran.returncode, ran.stdout) == (64, "")
    assert "Traceback" not in ran.stderr
    assert "docs/documents.md" in ran.stderr


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ({}, "a case is {zone, records, wanted} or {config, observed, now}"),
        ({"zone": {}}, "zone.name is missing"),
        ({"zone": ZONE, "record": []}, "record is unknown: did you mean records?"),
        ({"zone": ZONE, "records": []}, ""),
        ({"zone": ZONE, "records": {}}, "records is a mapping, not a list"),
        ({"zone": ZONE, "records": [{"type": "A"}]}, "records[0].name is missing"),
        ({"zone": ZONE, "records": [3]}, "records[0] is a whole number"),
        ({"zone": ZONE, "records": [{**A, "content": 5}]}, "records[0].content is a whole number"),
        ({"zone": ZONE, "records": [{**A, "ttl": "1"}]}, "records[0].ttl is text"),
        ({"zone": ZONE, "wanted": [{"targets": ["a.b"]}]}, "wanted[0].host is missing"),
        ({"zone": ZONE, "wanted": [{"host": "a.org"}]}, "write a name within example.com"),
        ({"zone": ZONE, "wanted": [{"host": "a.example.com", "ttl": "5"}]}, "not a whole number"),
        ({"zone": ZONE, "wanted": [{"host": "a.example.com"}]}, "wanted[0].targets is missing"),
        ({"zone": ZONE, "wanted": [{"targets": ["a b"]}]}, "wanted[0].targets[0] is 'a b'"),
        ({"zone": ZONE, "cloudflare_plan": "gold"}, "use free, pro, business, enterprise"),
        ({"config": {"zone": []}}, "zone is unknown"),
        ({"config": {}}, "observed is missing"),
        ({"config": {}, "observed": {}}, "observed.tailnet is missing"),
        ({"config": {}, "observed": {"cluster": 3}}, "observed.cluster is a whole number"),
        ({"config": {}, "observed": {"zones": []}}, "observed.zones is a list, not a mapping"),
        ({"config": {}, "observed": {"zone": {}}}, "observed.zone is unknown"),
        ({"config": {"zones": [ZONE]}, "observed": {"tailnet": {"devices": []}}}, "example.com"),
        ({"config": {}, "observed": {"tailnet": {"devices": [3]}}, "then": 0}, "then is unknown"),
        ({"config": {}, "observed": {"tailnet": {"devices": [3]}}}, "not shaped as it should be"),
    ],
)
def test_a_wrong_case_is_blamed_where_it_is_wrong(case: dict[str, Any], why: str) -> None:
    """All that is wrong, by its path; an empty zone is no mistake."""
    if not why:
        assert answer(case)["plan"] is None
        return
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- any kind: what counts is the text
        answer(case)

    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ({}, "asks nothing: give one of records, host, mark, value, owner"),
        ([{"mark": "a"}, {"host": "a", "type": "TXT"}], "[1] type is 'TXT'"),
        ({"records": [{"name": "a", "content": "b"}]}, "records[0].type is missing"),
        ({"mark": "a", "prefix": "p", "suffix": "s"}, "stands beside prefix"),
        ({"mark": "a", "host": "b", "typ": "A"}, "typ is unknown"),
    ],
)
def test_a_wrong_mark_case_is_blamed(case: Any, why: str) -> None:
    """As a wrong configuration is."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- any kind: what counts is the text
        answered(case, mark_case)

    assert why in str(caught.value)


def test_an_answer_is_ascii_whatever_the_case_holds() -> None:
    """A text that no encoding has is a text in JSON."""
    ran = called("ownership", json.dumps({"host": "\ud800é.example.com", "type": "A"}))

    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["mark"] == "a-\ud800é.example.com"
    assert ran.stdout.isascii()


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({}, ""),
        ({"cname-app": "me"}, "me"),
        ({"APP": "me"}, "me"),
        ({"app": "me", "cname-app": "them"}, "them"),
        ({"cname-app": "me them"}, ""),
        ({"a-app": "me"}, ""),
    ],
)
@pytest.mark.parametrize("kind", ["CNAME", "SRV"])
def test_whose_a_record_is(marks: dict[str, str], said: str, kind: str) -> None:
    """The newest format decides, two owners are none, and every type has marks."""
    texts = [
        {"name": name.replace("cname", kind.lower()), "type": "TXT", "content": Mark(owner).value}
        for name, owners in marks.items()
        for owner in owners.split()
    ]

    (record,) = mark_case({"records": [{"name": "App", "type": kind, "content": "x"}, *texts]})

    assert (record["name"], record["owner"]) == ("App", said)


def test_a_text_record_has_no_mark_of_the_newest_format() -> None:
    """`txt-app` marks a name `txt-app`; a mark that cannot be read says so."""
    text = {"name": "app", "type": "TXT", "content": "hello"}
    mark = {"name": "txt-app", "type": "TXT", "content": Mark("me").value}
    sealed = {"name": "a-web", "type": "TXT", "content": "A" * 92}
    web = {"name": "web", "type": "A", "content": "100.64.0.1"}

    assert [r.get("owner") for r in mark_case({"records": [text, mark]})] == [""]
    assert mark_case({"records": [web, sealed]}) == [{**web, "encrypted": True}]


def test_a_world_by_hand_is_planned_as_a_run_plans_it() -> None:
    """The same observations, memory and time give the same judged plan."""
    bench = Bench([route("a"), route("b")])
    bench.apply(((plan := bench.plan()) and plan.with_word("apply")) or ())
    bench.routes.pop()
    observed = documents(bench.world())
    case = {"config": bench.config.as_json(), "observed": observed, "surfaces": SURFACES}
    missing = {"example.com": {"b.example.com": 1.0}}

    said = answer({**case, "memory": {"missing": missing}, "now": 1000.0})
    early = answer({**case, "memory": {"missing": missing}, "now": 2.0})

    assert [c["verdict"]["row"] for c in said["plan"] if c["surface"] == "records"] == [11]
    assert [c["verdict"]["row"] for c in early["plan"] if c["surface"] == "records"] == [10]
