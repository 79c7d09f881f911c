"""The receivers behind the real runtime client, beside Debian's `webhook` with the same rule."""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from rich.table import Table

from bench.cases import SECRET, Case, cases, signed
from bench.processes import environment
from bench.runtime_api import Timings, serve


EVENTS, ROUNDS, SECONDS = 2000, 3, 4
TOOLS = ("webhook", "wrk")


@dataclass(frozen=True)
class Speed:
    """Events a second, CPU milliseconds an event, 99th percentile in milliseconds."""

    rate: float
    cpu: float
    p99: float


def measure() -> tuple[Table, bool]:
    """Return the table, and whether the receivers keep their limits against `webhook`."""
    table = Table(title="Webhook intake, up to the hand-over (medians, one core each)", width=98)
    for column in ("", "events/s", "CPU ms/event", "p99 ms"):
        table.add_column(column, justify="right" if column else "left")
    _pin(0, 1)
    within = [_compare(table, case) for case in cases()]
    return table, all(within)


def _compare(table: Table, case: Case) -> bool:
    ours, theirs = [], []
    peer = all(map(shutil.which, TOOLS))
    for _ in range(ROUNDS):
        ours.append(_receiver(case))
        if peer:
            theirs.append(_webhook(case))
    mine = _median(ours)
    table.add_row(f"{case.function}, Logger on", *_numbers(mine))
    if not peer:
        table.caption = f"no peer here: apt-get install {' '.join(TOOLS)}"
        return True
    other = _median(theirs)
    table.add_row(f"Debian's webhook, {len(case.body)} bytes, /bin/true", *_numbers(other))
    ratios = mine.rate / other.rate, mine.cpu / other.cpu, mine.p99 / other.p99
    table.add_row("ratio (limits: ≥ 1.5, ≤ 0.8, ≤ 0.1)", *(f"{ratio:.2f}" for ratio in ratios))
    return ratios[0] >= 1.5 and ratios[1] <= 0.8 and ratios[2] <= 0.1


def _median(speeds: list[Speed]) -> Speed:
    parts = zip(*((s.rate, s.cpu, s.p99) for s in speeds), strict=True)
    return Speed(*(statistics.median(part) for part in parts))


def _numbers(speed: Speed) -> tuple[str, str, str]:
    return f"{speed.rate:.0f}", f"{speed.cpu:.2f}", f"{speed.p99:.2f}"


def _receiver(case: Case) -> Speed:
    """Feed the deployed handler through awslambdaric; CPU is the worker's, without its start."""
    timings, listening = Timings(), socket.create_server(("127.0.0.1", 0))
    arguments = (listening, case.request(), EVENTS, timings)
    Thread(target=serve, args=arguments, daemon=True).start()
    surroundings = {
        **environment(),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listening.getsockname()[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": "receiver",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "LAMBDA_TASK_ROOT": str(Path(__file__).parent),
        "BENCH_SECRET": SECRET,
        "BENCH_FUNCTION": case.function,
        "WEBHOOK_TOLERANCE_SECONDS": "90000",
        "PROBER_HOSTNAME": "tailkeeper-prober",
        "PROBER_TAG": "tag:tailkeeper",
        "BUS": "bus",
        "TABLE": "table",
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", "receiver_app.handler"],
        env={**surroundings, "PYTHONPATH": f"{surroundings['PYTHONPATH']}:{Path(__file__).parent}"},
        stdout=subprocess.DEVNULL,
        cwd=Path(__file__).parent,
    )
    _pin(worker.pid, 0)
    while not timings.given and worker.poll() is None:
        time.sleep(0.01)
    started = _cpu(worker.pid)
    timings.done.wait(120)
    cpu = _cpu(worker.pid) - started
    worker.kill()
    worker.wait()
    listening.close()
    if timings.statuses != {202}:
        raise RuntimeError(f"the receiver answered {timings.statuses}")
    p99 = statistics.quantiles(timings.latencies, n=100)[98] * 1000
    return Speed(EVENTS / timings.seconds, cpu * 1000 / EVENTS, p99)


def _pin(pid: int, core: int) -> None:
    """Keep a process to one core, the load's being the other: a Lambda has no more either."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {core})


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _webhook(case: Case) -> Speed:
    """Load Debian's webhook with wrk: the same secret and body, /bin/true for every event."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        rule = {
            "type": "payload-hmac-sha256",
            "secret": SECRET,
            "parameter": {"source": "header", "name": "X-Signature"},
        }
        hook = {
            "id": "t",
            "execute-command": "/bin/true",
            "include-command-output-in-response": True,  # answer when it is done, as we do
            "trigger-rule": {"match": rule},
        }
        hooks, script = Path(folder, "hooks.json"), Path(folder, "post.lua")
        hooks.write_text(json.dumps([hook]))
        signature = signed(case.body)
        script.write_text(
            f"wrk.method = 'POST'\nwrk.body = [==[{case.body.decode()}]==]\n"
            f"wrk.headers['Content-Type'] = 'application/json'\n"
            f"wrk.headers['X-Signature'] = 'sha256={signature}'\n"
            "done = function(s, l, r) io.write(string.format('%d %d %d\\n', s.requests, "
            "s.errors.status, l:percentile(99))) end\n"
        )
        command = ["webhook", "-hooks", str(hooks), "-ip", "127.0.0.1", "-port", str(port)]
        peer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _pin(peer.pid, 0)
        _wait_for(port)
        url = f"http://127.0.0.1:{port}/hooks/t"
        load = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", str(script), url]
        told = subprocess.run(load, capture_output=True, text=True, check=True)
        cpu = _cpu(peer.pid)
        peer.terminate()
        peer.wait()
        requests, errors, p99 = map(int, told.stdout.splitlines()[-1].split())
        if errors:
            raise RuntimeError(f"webhook refused {errors} of {requests} events")
        return Speed(requests / SECONDS, cpu * 1000 / requests, p99 / 1000)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("webhook does not listen")
