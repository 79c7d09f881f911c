"""The Cloudflare v4 stand-in: zones, DNS records, API tokens, rate limits, in the wire format.

server.py       the two ports, the saved state, what the world asks for in Python
gate.py         who is asking, and how often
*_api.py        the routes: query and body in, envelope out
account.py      everything one account holds
zones.py        one zone: its records, their indexes, all-or-nothing changes
fields.py, contents.py, names.py, filters.py, edge.py    pure rules
"""

from __future__ import annotations

from sandbox.cloudflare.server import Cloudflare


__all__ = ["Cloudflare"]
