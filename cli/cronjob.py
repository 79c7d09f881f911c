"""What an updater CronJob would have taken: a simulation from its own settings, step by step.

A CronJob of this kind reads the Gateway's address, writes it into the resolver's ConfigMap and
leaves the rest to the kubelet and to CoreDNS. Each step takes a range; the middle of it is told,
and the far ends together are the worst case. Sources of the ranges:

    pod         Kubernetes's SLO: 99 % of Pods start within 5 s, images apart
    downloads   not documented: a small package index, and 60 MB of kubectl at 20 to 100 Mbit/s
    kubelet     the sync period of 60 s, and the delay of its ConfigMap cache
    reload      CoreDNS: a hosts file every 5 s, the Corefile every 30 s, give or take 15 s, unless
                the Corefile says otherwise
    caches      the answers' own TTL
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.cron import parse


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

POD = (1.0, 5.0)
PACKAGES = (2.0, 8.0)
KUBECTL = (5.0, 24.0)
KUBELET = (60.0, 90.0)
RELOAD, HOSTS_RELOAD = 30.0, 5.0
TTL, HOSTS_TTL = 60.0, 3600.0
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Step:
    """One step: when it is over (epoch seconds), and the least and most it takes (seconds)."""

    name: str
    over: float
    least: float
    most: float


@dataclass(frozen=True)
class Simulation:
    """The steps from an event (epoch seconds) on."""

    event: float
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float:
        """Return how long the resolver would have answered with the old address."""
        return self.steps[-1].over - self.event

    @property
    def mean(self) -> float:
        """Return how long it takes on average, wherever in its period the event falls."""
        return sum((step.least + step.most) / 2 for step in self.steps)

    @property
    def worst(self) -> float:
        """Return the most that the settings allow."""
        return sum(step.most for step in self.steps)


def simulate(cron_job: Mapping[str, Any], corefile: str, event: float, known: float) -> Simulation:
    """Return what the CronJob would have done after an event, were it not suspended.

    `corefile` is the resolver's, unless the CronJob writes one itself. `known` is when the
    Gateway's status had the new address: a run that reads it earlier writes the old one again, so
    the next one counts. Both times are epoch seconds; raise CronError.
    """
    spec = cron_job["spec"]
    schedule = parse(spec["schedule"], spec.get("timeZone") or "UTC")
    script = "\n".join(_commands(spec["jobTemplate"]["spec"]["template"]["spec"]))
    corefile = script if _writes_corefile(script) else corefile
    before = _until_reading(script)
    fire = schedule.next_after(event)
    while fire + sum(map(_middle, before.values())) < known:
        fire = schedule.next_after(fire)
    period = schedule.next_after(fire) - fire
    steps = [Step("the schedule fires", fire, 0.0, period)]
    after = {
        "the kubelet updates the volume": KUBELET,
        "CoreDNS reloads": (0.0, _reload(corefile)),
        "caches have expired": (0.0, _ttl(corefile)),
    }
    for name, span in (before | after).items():
        steps.append(Step(name, steps[-1].over + _middle(span), *span))
    return Simulation(event, tuple(steps))


def _middle(span: tuple[float, float]) -> float:
    return sum(span) / 2


def _commands(pod: Mapping[str, Any]) -> Iterator[str]:
    for container in pod.get("containers") or ():
        yield from (str(word) for word in container.get("command") or ())
        yield from (str(word) for word in container.get("args") or ())


def _until_reading(script: str) -> dict[str, tuple[float, float]]:
    """Return the spans of a run before it reads the Gateway: its Pod's start, its downloads."""
    packages = PACKAGES if re.search(r"\b(apk add|apt-get install|dnf install)\b", script) else None
    kubectl = KUBECTL if re.search(r"\b(curl|wget)\b[^\n]*kubectl", script) else None
    spans = [span for span in (packages, kubectl) if span]
    downloads = sum(least for least, _ in spans), sum(most for _, most in spans)
    return {"the Pod starts": POD} | ({"its tools are downloaded": downloads} if spans else {})


def _writes_corefile(script: str) -> bool:
    return bool(re.search(r"^\s*(template|hosts|forward|reload)\b", script, re.MULTILINE))


def _hosts(corefile: str) -> str | None:
    """Return the block of a hosts file, None when there is none."""
    found = re.search(r"^\s*hosts\s+/[^\n{]*\{([^}]*)\}", corefile, re.MULTILINE)
    return found[1] if found else None


def _reload(corefile: str) -> float:
    """Return how long after its file has changed CoreDNS notices, at most."""
    block = _hosts(corefile)
    if block is not None:
        return _duration(r"^\s*reload\s+(\S+)", block) or HOSTS_RELOAD
    interval = _duration(r"^\s*reload[ \t]+(\S+)", corefile) or RELOAD
    return interval + (_duration(r"^\s*reload[ \t]+\S+[ \t]+(\S+)", corefile) or interval / 2)


def _ttl(corefile: str) -> float:
    block = _hosts(corefile)
    if block is not None:
        found = re.search(r"^\s*ttl\s+(\d+)", block, re.MULTILINE)
        return float(found[1]) if found else HOSTS_TTL
    found = re.search(r"\s(\d+)\s+IN\s+A\s", corefile)
    return float(found[1]) if found else TTL


def _duration(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text, re.MULTILINE)
    match = re.fullmatch(r"(\d+)([smh])", found[1]) if found else None
    return int(match[1]) * UNITS[match[2]] if match else None
