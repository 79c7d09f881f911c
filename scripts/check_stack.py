"""`make check`: what neither SAM nor cfn-lint looks at, in the state machines and the layers.

- every `Next`, `Default` and `StartAt` names a state, every state is reached, every path ends;
- every `{% %}` compiles, every `${Name}` is substituted and every substitution is used;
- every `ErrorEquals` is an error of AWS or an exception of ours;
- a function imports only what its layers and the runtime hold.
"""

from __future__ import annotations

import sys
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from scripts.checks import layers, machines, template  # noqa: E402 - the path comes first


def main() -> int:
    """Print what is wrong, one line each; return how many lines, capped at one."""
    stack = template.load(ROOT / "template.yaml")
    findings = [
        *(f for machine in stack.machines for f in machines.check(machine, ROOT)),
        *layers.check(stack, ROOT),
    ]
    for finding in findings:
        print(finding, file=sys.stderr)
    told = f"{len(stack.machines)} state machines and {len(stack.functions)} functions"
    print(f"{told}: {len(findings) or 'no'} findings")
    return min(len(findings), 1)


if __name__ == "__main__":
    sys.exit(main())
