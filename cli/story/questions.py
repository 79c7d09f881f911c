"""What is asked of the world before, during and after, and what each answer must be.

The names and what is planned for them are taken from the journal; the asking is done by
`sandbox.client`, which shares no code with what wrote the journal.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from rich.text import Text

from cli.tables import table
from sandbox.client import Client


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table

    from cli.journal import Entry
    from sandbox.client import Answer, Path, View

AT_ONCE = 32
CGNAT = ip_network("100.64.0.0/10")
COLUMNS: tuple[tuple[View, Path], ...] = (
    ("tailnet", "split-dns"),
    ("tailnet", "public-record"),
    ("public", "public-record"),
)
TITLES = ("tailnet, by split DNS", "tailnet, by the public record", "public DNS")


@dataclass(frozen=True)
class Expected:
    """What a host is planned to be: its public records (`TYPE content`), its tailnet addresses.

    A proxied host is answered with Cloudflare's own addresses, so its records are not compared.
    """

    host: str
    records: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    proxied: bool = False

    def asked(self) -> list[tuple[View, Path]]:
        """Return the ways by which this host is asked for."""
        ways = list(COLUMNS)
        if not self.addresses:
            ways.remove(COLUMNS[0])
        if self.proxied or not any(leads_inside(record) for record in self.records):
            ways.remove(COLUMNS[1])
        return ways

    def led_to(self, device: Mapping[str, Any]) -> bool:
        """Say whether it is planned to lead to a device: by its addresses, or by its name."""
        contents = {record.partition(" ")[2].rstrip(".") for record in self.records}
        own = {*device["addresses"], device["name"].rstrip(".")}
        return bool((self.addresses | contents) & own)


@dataclass(frozen=True)
class Asked:
    """One answer beside what was expected; `why` says what is wrong with it, "" if nothing is."""

    expected: Expected
    answer: Answer
    why: str

    @property
    def way(self) -> tuple[View, Path]:
        """Return the view and the path."""
        return self.answer.view, self.answer.path

    @property
    def right(self) -> bool:
        """Say whether the answer is as planned."""
        return not self.why

    @property
    def text(self) -> str:
        """Return what came back, in short."""
        if self.why:
            return self.why
        if self.answer.view == "public":
            return ", ".join(self.answer.records[:1]) or "no such name"
        return f"{self.answer.status} from {self.answer.addresses[0]}"


def expected_of(entries: Iterable[Entry]) -> list[Expected]:
    """Return what the journal's changes plan for each host, by name; the last change counts."""
    found: dict[str, Expected] = {}
    for entry in entries:
        host, after = entry.change.key, entry.change.after or {}
        known = found.get(host, Expected(host))
        if entry.change.surface == "records":
            records = after.get("records", [])
            texts = frozenset(f"{r['type']} {r['content']}" for r in records)
            proxied = any(r.get("proxied") for r in records)
            found[host] = replace(known, records=texts, proxied=proxied)
        elif "addresses" in (entry.change.before or after):
            found[host] = replace(known, addresses=frozenset(after.get("addresses", ())))
    return [found[host] for host in sorted(found) if "*" not in host]


def ask(connection: Mapping[str, Any], expected: Sequence[Expected]) -> list[Asked]:
    """Ask for every host in every way, at once."""
    return asyncio.run(ask_all(Client(connection), expected))


async def ask_all(client: Client, expected: Sequence[Expected]) -> list[Asked]:
    """Ask for every host in every way, a few at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(wanted: Expected, view: View, path: Path) -> Asked:
        async with gate:
            answer = await client.ask(wanted.host, view, path)
        return Asked(wanted, answer, fault(wanted, answer))

    asked = [one(wanted, *way) for wanted in expected for way in wanted.asked()]
    return list(await asyncio.gather(*asked))


def fault(expected: Expected, answer: Answer) -> str:
    """Return what is wrong with an answer, "" if nothing is."""
    if answer.error and not _is_absent_as_planned(expected, answer):
        return answer.error
    if answer.view == "tailnet":
        known = expected.addresses
        if known and not known & set(answer.addresses):
            return f"leads to {', '.join(answer.addresses)}"
        return ""
    return _public_fault(expected, answer.records)


def _is_absent_as_planned(expected: Expected, answer: Answer) -> bool:
    """Say whether nobody outside knows a name that nothing publishes."""
    return answer.view == "public" and not expected.records and "NXDOMAIN" in answer.error


def _public_fault(expected: Expected, records: Sequence[str]) -> str:
    if expected.proxied:
        return ""
    if not expected.records:
        inside = [record for record in records if leads_inside(record)]
        return f"leads into the tailnet: {inside[0]}" if inside else ""
    own = [r for r in records if r.startswith("CNAME ")][:1] or records
    wanted = {record for record in expected.records if not record.startswith("AAAA ")}
    return "" if set(own) == wanted else f"says {', '.join(own) or 'nothing'}"


def leads_inside(record: str) -> bool:
    """Say whether a record (`TYPE content`) leads into the tailnet."""
    content = record.partition(" ")[2]
    try:
        return ip_address(content) in CGNAT
    except ValueError:
        return content.rstrip(".").endswith(".ts.net")


def proof_table(asked: Sequence[Asked]) -> Table:
    """Return a row for each host, a column for each way."""
    made = table("asked for https://", *TITLES)
    for host, cells in cells_of(asked).items():
        shown = [
            Text(cell.text, style="" if cell.right else "red") if cell else Text("-")
            for cell in cells
        ]
        made.add_row(host, *shown)
    return made


def cells_of(asked: Sequence[Asked]) -> dict[str, list[Asked | None]]:
    """Return the answers for each host in the order of COLUMNS; None where nobody asked."""
    rows: dict[str, list[Asked | None]] = {}
    for one in asked:
        row = rows.setdefault(one.expected.host, [None] * len(COLUMNS))
        row[COLUMNS.index(one.way)] = one
    return rows
