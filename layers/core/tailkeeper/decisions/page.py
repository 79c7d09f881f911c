"""The page behind a link: the plan, two buttons, nothing from anywhere else."""

from __future__ import annotations

import base64
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from tailkeeper.decisions.telling import counted, grouped, sentence


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.decisions.decision import Decision

ROWS = 500
STYLE = """\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code{overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1.5rem;margin-right:1rem}
form{display:inline}footer{margin-top:2rem;color:#666}"""
STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}


def plan_page(change_id: str, held: Sequence[Decision], token: str) -> str:
    """Return the page that shows the changes and asks; only its buttons' POST decides."""
    groups = "".join(_group(reasons, group) for reasons, group in grouped(held[:ROWS]))
    more = f"<p>... and {len(held) - ROWS} more.</p>" if len(held) > ROWS else ""
    buttons = "".join(_button(change_id, token, word) for word in ("approve", "reject"))
    footer = "Approved is exactly what you see: what has moved by then is held again."
    title = f"tailkeeper holds {counted(len(held))}"
    body = f"<p>Change <code>{escape(change_id)}</code></p>{groups}{more}{buttons}"
    return _page(title, f"{body}<footer>{footer}</footer>")


def word_page(title: str, sentence_: str) -> str:
    """Return a page with a sentence."""
    return _page(title, f"<p>{escape(sentence_)}</p>")


def _group(reasons: str, group: Sequence[Decision]) -> str:
    lines = "".join(
        f"<li><code>{escape(sentence(one))}</code> ({escape(f'{one.surface}, {one.place}')})</li>"
        for one in group
    )
    return f"<h2>{escape(reasons)}</h2><ul>{lines}</ul>"


def _button(change_id: str, token: str, word: str) -> str:
    return (
        f'<form method="post" action="/changes/{escape(change_id)}">'
        f'<input type="hidden" name="token" value="{escape(token)}">'
        f'<button name="decision" value="{word}">{word.capitalize()}</button></form>'
    )


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
