"""`make deploy`: tailkeeper.yaml as parameters that come back whole through `sam deploy`."""

from __future__ import annotations

import json
import re

import pytest

from cli.config_file import ConfigFileError, parse_config
from scripts.deploy import PIECE, overrides
from tailkeeper.config import Config


OVERRIDE = re.compile(r'ParameterKey=(\w+),ParameterValue=("(?:\\.|[^"\\]+)*")')
AWKWARD = r"""
clusters: [{name: häuslich}]
bridges: [{name: 'quo"ted \ " back\slash\', hops: ["vps.example.com:443"]}]
"""


def as_sam_reads(override: str) -> tuple[str, str]:
    """Return a parameter's name and value (samcli.cli.types.CfnParameterOverridesType)."""
    (found,) = OVERRIDE.findall(" " + override)
    name, value = found[0], found[1][1:-1]
    return name, value.replace("\\ ", " ").replace('\\"', '"').replace("\\'", "'")


def bridge(name: str, count: int = 1) -> str:
    """Return a configuration whose bridges have a name of any length."""
    hops = '{name: "%s", hops: ["vps.example.com:443"]}'
    return "bridges: [" + ", ".join(hops % f"{name}{n}" for n in range(count)) + "]"


@pytest.mark.parametrize(
    "text",
    ["", AWKWARD, *(bridge("o" * length + "ö" * 1000) for length in range(6))],
    ids=["empty", "awkward", *(f"cut-{n}" for n in range(6))],
)
def test_a_configuration_comes_back_whole(text: str) -> None:
    """Within what CloudFormation takes for a parameter, wherever the cut falls."""
    config = parse_config(text)
    values = dict(map(as_sam_reads, overrides(config)))
    assert set(values) == {"Config", "ConfigRest"}
    assert max(map(len, values.values())) <= PIECE
    assert Config.from_json(json.loads(values["Config"] + values["ConfigRest"])) == config


def test_what_ssm_cannot_hold_is_refused() -> None:
    """Before anything is built or uploaded, with both sizes."""
    with pytest.raises(ConfigFileError, match=r"\d+ bytes of JSON: SSM holds 8192"):
        overrides(parse_config(bridge("o", 200)))
