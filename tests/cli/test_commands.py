"""The command line: its exit codes, its errors, its JSON, its words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main
from cli.arguments import parser
from cli.commands.import_externaldns import marks
from cli.commands.run import CODES, given, request
from cli.screen import seconds
from cli.tables import counts_text
from tailkeeper.config import ZoneConfig
from tailkeeper.model import Cause
from tailkeeper.summary import OUTCOMES, text_of
from tailkeeper.webhooks.tailscale import SIGNATURE_HEADER, parse_events


EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no sandbox and no AWS account be found."""
    for name in ("TAILKEEPER_SANDBOX", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COMMAND"),
        (["nonsense"], "invalid choice"),
        (["run"], "machine"),
        (["run", "converge"], "no AWS region is configured"),
        (["run", "converge", "--sandbox", "absent.json"], "No such file"),
        (["run", "sweep", "--dry-run"], "--dry-run is for converge"),
        (["run", "converge", "--input", "{"], "--input is not JSON"),
        (["run", "converge", "--input", "[]"], "not a JSON object"),
        (["run", "converge", "--input", "@absent.json"], "No such file"),
        (["run", "converge", "--sandbox", "a", "--stack", "b"], "not allowed with"),
        (["changes", "--sandbox", __file__], "is not JSON"),
        (["changes", "--limit", "0"], "not a number from 1"),
        (["undo"], "ID"),
        (["import-externaldns"], "--owner"),
        (["import-externaldns", "--owner", "x", "--mark", "--back"], "not allowed with"),
        (["up", "--speed", "0"], "not a number above 0"),
        (["up", "--speed", "soon"], "not a number above 0"),
        (["up", "--manifests", "absent"], "no directory of manifests"),
        (["up", "--config", "absent.yaml"], "absent.yaml"),
        (["up", "--tailscale-url", "http://127.0.0.1:1"], "TAILSCALE_OAUTH_CLIENT_ID"),
        (["up", "--kubeconfig", "absent"], "there is no such file"),
        (["up", "--socks5", "localhost"], "host:port"),
        (["up", "--state", "/"], "cannot be written"),
        (["up", "--world", f"{__file__}/world"], "cannot be written"),
        (["demo", "--report", "/"], "cannot be written"),
    ],
)
def test_misuse(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be done is said in a sentence on standard error, with exit code 64."""
    try:
        code = main(words)
    except SystemExit as ended:
        code = int(str(ended.code))

    assert code == 64
    assert said in capsys.readouterr().err


def test_stack_of_another_kind(tmp_path: Path) -> None:
    """A JSON file that is no connection file is refused by name."""
    file = tmp_path / "state.json"
    file.write_text("{}")

    assert main(["changes", "--sandbox", str(file)]) == 64


def test_sandbox_that_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A connection file whose sandbox does not run is a failure with its remedy."""
    aws = {"endpoint_url": "http://127.0.0.1:1", "region": "eu-central-1"}
    keys = {"access_key_id": "a", "secret_access_key": "b", "table": "t", "artifacts": "b"}
    connection = {"aws": aws | keys, "state_machines": {"Converge": "arn"}, "speed": 1}
    file = tmp_path / "state.json"
    file.write_text(json.dumps(connection))

    assert main(["run", "sweep", "--sandbox", str(file)]) == 64
    assert main(["changes", "--sandbox", str(file)]) == 1
    assert "tailkeeper up --state" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["demo", "up", "run", "changes", "undo", "import-externaldns"])
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command explains itself within 100 columns."""
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])

    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 100


def test_light_start() -> None:
    """Asking for help does not load what only the commands need."""
    heavy = "sorted({'boto3', 'rich', 'yaml', 'httpx', 'moto', 'sandbox'} & set(sys.modules))"
    code = f"import sys, cli.__main__, cli.arguments; print({heavy})"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "[]\n"


def test_codes() -> None:
    """Every outcome has the exit code that scripts rely on."""
    assert {outcome: CODES[outcome] for outcome in OUTCOMES} == {
        "failed": 1,
        "undone": 4,
        "applied": 0,
        "held": 2,
        "refused": 3,
        "in_sync": 0,
    }


def test_request() -> None:
    """A Converge gets the person as its cause, unless the input names one."""
    made = request("Converge", {}, dry_run=True)
    (cause,) = made["causes"]

    assert (cause["kind"], made["dry_run"]) == ("person", True)
    assert request("Converge", {"causes": [1]}, dry_run=False) == {"causes": [1]}
    assert request("Sweep", {}, dry_run=False) == {}
    assert request("Undo", {"by": "you"}, dry_run=True) == {"by": "you", "dry_run": True}


@pytest.mark.parametrize("name", ["converge-person.json", "converge-dry-run.json"])
def test_inputs(name: str) -> None:
    """The inputs in events/ are such as the machine and the core read."""
    document = given(f"@{EVENTS / name}")

    (cause,) = map(Cause.from_json, document["causes"])
    assert cause.as_json() == document["causes"][0]
    assert set(document) <= {"causes", "surfaces", "dry_run"}


def test_undo_input() -> None:
    """The input of an undo names a change, and holds nothing that its machine does not read."""
    document = given(f"@{EVENTS / 'undo-change.json'}")

    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", document["change_id"])
    assert set(document) <= {"change_id", "causes", "by", "dry_run"}


RUNBOOK = Path(__file__).parents[2] / "docs" / "runbooks" / "from-externaldns.md"


def test_the_runbook_from_externaldns() -> None:
    """Each of its commands is one that can be typed, and every setting it names is a zone's."""
    text = RUNBOOK.read_text()
    lines = re.findall(r"^\s*\$ tailkeeper (.*)$", text, re.MULTILINE)
    ways = [marks(parser().parse_args(line.split())) for line in lines if "import" in line]
    settings = re.findall(r"^\s*\| `--.*\| (.*) \|$", text, re.MULTILINE)

    there = {"owner": "external-dns", "zone": "example.com"}
    assert ways == [
        {**there, "as": ""},
        {**there, "as": "homelab"},
        {"owner": "", "as": "external-dns", "zone": "example.com"},
    ]
    assert [line for line in lines if "import" not in line] == ["run converge --dry-run"]
    assert {s.strip("`") for row in settings for s in row.split(", ")} <= {
        field.name for field in fields(ZoneConfig)
    }


def test_import_input() -> None:
    """The input of an import has the marks that the command would ask for."""
    document = given(f"@{EVENTS / 'import-marks.json'}")
    words = "import-externaldns --owner external-dns --zone example.com --mark --as homelab"

    assert document["marks"] == marks(parser().parse_args(words.split()))
    assert set(document) <= {"marks", "causes", "by", "dry_run"}


def test_bus_event() -> None:
    """What the bus delivers is an input of Converge, under `detail`."""
    event = json.loads((EVENTS / "causes.bus.json").read_text())

    causes = [Cause.from_json(cause) for cause in event["detail"]["causes"]]
    assert [cause.kind for cause in causes] == ["tailscale"]
    assert (event["source"], event["detail-type"]) == ("tailkeeper.tailscale", "Causes")


def test_webhook_template() -> None:
    """The webhook carries one event that matters, in the shape that the receiver reads."""
    document = json.loads((EVENTS / "tailscale-node-created.webhook.json").read_text())

    events, poison = parse_events(document["body"].encode())

    assert ([event.relevant for event in events], poison) == ([True], [])
    assert SIGNATURE_HEADER in document["headers"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00 s"),
        (9.994, "9.99 s"),
        (45.4, "45 s"),
        (125, "2 min 05 s"),
        (7199, "119 min 59 s"),
        (18631, "5 h 10 min"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    """Durations read as people say them."""
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ({"records": [{"type": "A", "content": "1.2.3.4"}]}, "A 1.2.3.4"),
        ({"addresses": ["a", "b"]}, "a, b"),
        ({"nameservers": ["n"]}, "n"),
        ({"text": "a\nb"}, "somebody's document, 2 lines"),
        ({"mode": "corefile", "domains": []}, "our Corefile"),
        ({"mode": "hosts"}, "our hosts file"),
        ({"suspend": True}, "suspended"),
        ({"unheard": 1}, "{'unheard': 1}"),
    ],
)
def test_values(value: Any, text: str) -> None:
    """Every value of a change has a short text."""
    assert text_of(value) == text


def test_counts() -> None:
    """Counts leave the zeros out."""
    assert counts_text({"create": 2, "update": 0, "held": 1}) == "2 create, 1 held"
    assert counts_text({"create": 0}) == "no change"
