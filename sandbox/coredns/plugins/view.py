"""https://coredns.io/plugins/view: a server block for some queries only.

Of the expression language only comparisons joined by `&&` are read: `name() matches 'RE'`,
`type() == 'A'`, `type() in ['A', 'AAAA']`, `incidr(client_ip(), 'CIDR')`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from sandbox.coredns import regex
from sandbox.coredns.errors import CorefileError, NotEmulatedError
from sandbox.coredns.request import Request


if TYPE_CHECKING:
    from sandbox.coredns.directives import Directive
    from sandbox.coredns.setup import Block


Test = Callable[[Request], bool]
MATCHES = re.compile(r"name\(\) matches '(.+)'")
IS_TYPE = re.compile(r"type\(\) == '(\w+)'")
IN_TYPES = re.compile(r"type\(\) in \[(.+)\]")
IN_CIDR = re.compile(r"incidr\(client_ip\(\), ?'([^']+)'\)")


def setup(directives: Sequence[Directive], block: Block) -> None:
    """Read `view NAME { expr EXPRESSION }`; several expressions must all hold."""
    if len(directives) > 1:
        raise CorefileError("this plugin can only be used once per Server Block")
    directives[0].one()
    for line in directives[0].block:
        if line.name != "expr":
            raise line.unknown()
        block.views += [_test(part.strip()) for part in " ".join(line.some()).split("&&")]


def _test(expression: str) -> Test:
    expression = expression.replace('"', "'")
    if found := MATCHES.fullmatch(expression):
        pattern = regex.compiled(found[1].replace("\\\\", "\\"))
        return lambda request: pattern.search(request.name) is not None
    if found := IS_TYPE.fullmatch(expression):
        wanted = found[1]
        return lambda request: request.rtype == wanted
    if found := IN_TYPES.fullmatch(expression):
        types = set(re.findall(r"\w+", found[1]))
        return lambda request: request.rtype in types
    if found := IN_CIDR.fullmatch(expression):
        network = ip_network(found[1], strict=False)
        return lambda request: ip_address(request.client.address) in network
    raise NotEmulatedError(f"the view expression {expression}")
