"""The records surface beside octoDNS: one zone at one Cloudflare stand-in, round by round.

zones.py    the stand-in, filled and asked what became of it
cases.py    what happens to the zone, and what either side is told to want
peer.py     octoDNS, a process for each run, in an environment of its own
worker.py   ours, in a warm process: list or remember, plan, guard, write
ours.py     that process as this one drives it
report.py   the rounds, the table, the limits

Both sides keep the same records, ownership marks included; ours reads what is wanted as JSON,
octoDNS as YAML, its own source. Discovery, journal and lease of ours are not in it.
"""
