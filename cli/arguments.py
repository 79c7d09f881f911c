"""What can be typed after `tailkeeper`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from cli.problems import USAGE


MOST = 1000  # changes in one list

REPLACED = """\
A replaced stand-in is not started. Its credentials come from the environment:
  TAILSCALE_OAUTH_CLIENT_ID and TAILSCALE_OAUTH_CLIENT_SECRET, or TAILSCALE_API_KEY
  CLOUDFLARE_API_TOKEN
  GIT_TOKEN
"""
MARKS = """\
Without --mark or --back nothing is written. No record is ever changed, only owner marks: as a
change of its own, which `tailkeeper undo` takes back. See docs/runbooks/from-externaldns.md.
Exit code: 0 done or shown; 1 failed; 2 held, while an ExternalDNS runs with that owner; 64 usage.
"""
WHERE = """\
Which tailkeeper: --sandbox FILE, else the file that TAILKEEPER_SANDBOX names, else the stack
--stack (tailkeeper) in the ambient AWS session.
"""
DECIDED = """\
ID is a change under which something is held: `tailkeeper status` lists them.
"""
STANDING = """\
Exit code: 0 nothing is held or refused; 1 failed; 2 something is held; 3 refused; 64 usage.
"""
OUTCOMES = """\
Exit code: 0 applied, in_sync or planned; 1 failed; 2 held; 3 refused; 4 undone; 64 usage.
"""
UNDONE = """\
It waits for a run that is at work. What somebody changed since stays, and is told.
Exit code: 0 undone, or nothing was left to undo; 1 failed; 3 a part was refused; 64 usage.
"""


class Parser(argparse.ArgumentParser):
    """Ends with 64, as sysexits has it for a wrong command line."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit."""
        self.print_usage()
        self.exit(USAGE, f"{self.prog}: {message}\n")


def parser() -> Parser:
    """Return the parser of the whole command line; `command` is the name of the command."""
    whole = Parser(
        prog="tailkeeper",
        description="Keeps the way into a Kubernetes cluster in step.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _demo(_command(commands, "demo", "tell the story of a gateway that moves, and prove it"))
    _up(_command(commands, "up", "run the embedded world until it is stopped", REPLACED))
    _run(_command(commands, "run", "run a state machine, and say what came of it", OUTCOMES))
    _changes(_command(commands, "changes", "list what was changed, or show one change"))
    _undo(_command(commands, "undo", "take a change back, exactly", UNDONE))
    text = "show what ExternalDNS keeps in a zone, take its marks over, give them back"
    _import(_command(commands, "import-externaldns", text, MARKS))
    _approve(_command(commands, "approve", "let what is held through", DECIDED + OUTCOMES))
    _decide(_command(commands, "reject", "let what is held stay undone", DECIDED))
    _where(_command(commands, "status", "show what is held or refused, and why", STANDING))
    return whole


def _command(
    commands: argparse._SubParsersAction[Parser], name: str, text: str, epilog: str = ""
) -> Parser:
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _demo(command: Parser) -> None:
    _manifests(command)
    command.add_argument(
        "--report",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="default: %(default)s",
    )
    _speed(command, 40)


def _up(command: Parser) -> None:
    _manifests(command)
    add = command.add_argument
    add("--config", type=Path, metavar="FILE", help="tailkeeper.yaml; else derived from DIR")
    add("--state", type=Path, metavar="FILE", help="where to write how to connect, when ready")
    add("--world", type=Path, metavar="DIR", help="keep the world's state there across restarts")
    _speed(command, 10)
    add(
        "--sweep",
        default="rate(5 minutes)",
        metavar="RATE",
        help="default: %(default)s, world time",
    )
    add("--git", metavar="OWNER/NAME", help="serve DIR as a GitHub repository, and watch it")
    group = command.add_argument_group("replace a stand-in by your own")
    group.add_argument("--tailscale-url", metavar="URL", help="Tailscale API")
    group.add_argument("--cloudflare-url", metavar="URL", help="Cloudflare API")
    group.add_argument("--git-url", metavar="URL", help="the API of the repositories' git host")
    group.add_argument("--kubeconfig", type=Path, metavar="FILE", help="Kubernetes API")
    group.add_argument("--socks5", metavar="ADDR", help="a tailscaled's SOCKS5 proxy, host:port")
    group.add_argument("--public-dns", metavar="ADDR", help="a DNS server to ask, host:port")


def _run(command: Parser) -> None:
    command.add_argument("machine", help="converge, sweep or undo")
    command.add_argument("--input", metavar="JSON|@FILE", help="the execution's input; see events/")
    _how(command)
    _where(command)


def _changes(command: Parser) -> None:
    command.add_argument("id", nargs="?", metavar="ID", help="show this change")
    text = "list the newest N (default: %(default)s)"
    command.add_argument("--limit", type=_whole, default=50, metavar="N", help=text)
    _where(command)


def _undo(command: Parser) -> None:
    command.add_argument("id", metavar="ID", help="the change to undo; `tailkeeper changes`")
    _how(command)
    _where(command)


def _import(command: Parser) -> None:
    add = command.add_argument
    add("--owner", required=True, metavar="X", help="ExternalDNS's --txt-owner-id")
    add("--zone", metavar="ZONE", help="only this zone; default: every configured one")
    way = command.add_mutually_exclusive_group()
    way.add_argument("--mark", action="store_true", help="give the marks of X to our owner id")
    way.add_argument("--back", action="store_true", help="give the marks of our owner id to X")
    text = "our owner id; default: the one that tailkeeper.yaml gives the zone"
    add("--as", dest="ours", default="", metavar="OURS", help=text)
    _how(command)
    _where(command)


def _how(command: Parser) -> None:
    command.add_argument("--dry-run", action="store_true", help="plan only; takes no lease")
    command.add_argument("--follow", action="store_true", help="show each state as it is left")


def _approve(command: Parser) -> None:
    _decide(command)
    command.add_argument("--follow", action="store_true", help="show each state as it is left")


def _decide(command: Parser) -> None:
    command.add_argument("id", metavar="ID", help="the change that holds it")
    only = "only these names of the change"
    command.add_argument("--only", nargs="+", default=[], metavar="KEY", help=only)
    _where(command)


def _where(command: Parser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON document instead of text")
    place = command.add_mutually_exclusive_group()
    place.add_argument("--sandbox", metavar="FILE", help="a connection file of `tailkeeper up`")
    place.add_argument("--stack", metavar="NAME", help="a deployed CloudFormation stack")
    command.epilog = WHERE + (command.epilog or "")


def _manifests(command: Parser) -> None:
    text = "a directory of Kubernetes YAML to load as the cluster; default: a small homelab"
    command.add_argument("--manifests", type=Path, metavar="DIR", help=text)


def _speed(command: Parser, default: float) -> None:
    command.add_argument(
        "--speed",
        type=_positive,
        default=default,
        metavar="N",
        help="how many times as fast the world's clock runs (default: %(default)s)",
    )


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _whole(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST}")
    return int(text)
