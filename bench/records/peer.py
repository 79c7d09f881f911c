"""octoDNS in an environment of its own: made once, its versions pinned, a process for each run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.processes import ROOT
from bench.records.zones import TOKEN, ZONE, mark_of


if TYPE_CHECKING:
    from collections.abc import Iterable

PINS = ("octodns==1.22.0", "octodns-cloudflare==1.2.0")
HOME = ROOT / ".octodns"
UV = Path(sys.executable).parent / "uv"
IMPORTS = "import octodns.manager, octodns.provider.yaml, octodns_cloudflare"
AUTO = "  octodns: {cloudflare: {auto-ttl: true}}\n  ttl: 300\n"
CONFIG = """
providers:
  source: {{class: octodns.provider.yaml.YamlProvider, directory: {folder}, enforce_order: false}}
  cloudflare:
    class: octodns_cloudflare.CloudflareProvider
    token: {token}
    api_url: {url}/client/v4
    records_per_page: 5000
    pagerules: false
zones:
  {zone}.: {{sources: [source], targets: [cloudflare]}}
"""


@dataclass(frozen=True)
class Spent:
    """What one run cost: CPU and wall seconds; `said` is what it printed."""

    cpu: float
    wall: float
    said: str = ""


@dataclass
class Peer:
    """octoDNS, and the folder with its configuration."""

    url: str
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="octodns-")))

    def __post_init__(self) -> None:
        text = CONFIG.format(folder=self.folder, token=TOKEN, url=self.url, zone=ZONE)
        Path(self.folder, "config.yaml").write_text(text)

    def want(self, names: Iterable[str], target: str) -> None:
        """Write the zone file that octoDNS is to follow, marks included."""
        text = "---\n" + "".join(
            f"{name}:\n{AUTO}  type: CNAME\n  value: {target}.\n"
            f"cname-{name}:\n{AUTO}  type: TXT\n  value: {mark_of(name)}\n"
            for name in names
        )
        Path(self.folder, f"{ZONE}.yaml").write_text(text if ":" in text else "--- {}\n")

    def sync(self) -> Spent:
        """Run it for good."""
        config = str(self.folder / "config.yaml")
        return _run([str(HOME / "bin" / "octodns-sync"), "--config-file", config, "--doit"])


def imports() -> Spent:
    """Return what starting octoDNS costs, before it does anything."""
    return _run([str(HOME / "bin" / "python"), "-c", IMPORTS])


def installed() -> str:
    """Make the environment where there is none; return what is in it."""
    stamp = HOME / "pins"
    if not stamp.exists() or stamp.read_text() != " ".join(PINS):
        print(f"Setting up {', '.join(PINS)} in {HOME.name} (once)", file=sys.stderr)
        python = str(HOME / "bin" / "python")
        install = [str(UV), "pip", "install", "--quiet", "--python", python, *PINS]
        subprocess.run(
            [str(UV), "venv", "--quiet", "--clear", "--python", sys.executable, str(HOME)],
            check=True,
        )
        if subprocess.run(install, check=False, stderr=subprocess.DEVNULL).returncode:
            subprocess.run([*install, "--system-certs"], check=True)
        stamp.write_text(" ".join(PINS))
    listed = [str(UV), "pip", "freeze", "--python", str(HOME / "bin" / "python")]
    freeze = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
    return ", ".join(freeze.split())


def _run(command: list[str]) -> Spent:
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0  # it has been waited for
        said.seek(0)
        text = said.read().decode(errors="replace")
    return Spent(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, text)
