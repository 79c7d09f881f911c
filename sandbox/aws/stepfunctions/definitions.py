"""Reading ASL: every string is allowed everywhere, a definition is parsed once, threads apart.

moto's grammar knows its keywords (`"JSONPath"`, `"Pass"`, ...) and paths (`"$..."`) by the whole
string, so such a string cannot be data. Before parsing, data that looks like one of them is
written with its first letter as an escape, which the grammar no longer recognises.
"""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from typing import Any

from sandbox.aws.repairs import moto_module, original, replace


asl = "stepfunctions.parser.asl"
parser = moto_module(f"{asl}.parse.asl_parser")
preprocessor = moto_module(f"{asl}.parse.preprocessor")
lexer = moto_module(f"{asl}.antlr.runtime.ASLLexer")
component = moto_module(f"{asl}.component.eval_component")
utilities = moto_module(f"{asl}.antlt4utils.antlr4utils")

KEYWORDS = frozenset(n[2:-2] for n in lexer.ASLLexer.literalNames if n.startswith("'\""))
GRAMMAR_WORDS = frozenset(
    {"Type", "QueryLanguage", "Mode", "ExecutionType", "JitterStrategy", "ErrorEquals"}
)
# moto runs the items of a distributed Map in one way, and knows one word for it.
STAND_INS = {("ExecutionType", "EXPRESS"): "STANDARD"}
TEMPLATES = frozenset(
    {"Arguments", "Output", "Assign", "Parameters", "ResultSelector", "ItemSelector", "Result"}
) | {"Items"}
_parsing = threading.Lock()


def repair() -> None:
    """Replace how definitions become programs."""
    replace(parser.AmazonStateLanguageParser, "parse", staticmethod(parse))
    replace(preprocessor.Preprocessor, "_inner_string_of", staticmethod(_text_of))
    replace(preprocessor, "from_string_literal", _text_of)
    replace(preprocessor.Preprocessor, "_query_language_per_scope", property(_scopes))
    replace(component.EvalComponent, "heap_key", property(lambda self: str(id(self))))


@lru_cache(maxsize=256)
def parse(definition: str) -> tuple[Any, Any]:
    """Return moto's program and parse tree; both are read only, so that executions share them."""
    with _parsing:
        moto_parse = original(parser.AmazonStateLanguageParser, "parse")
        parsed: tuple[Any, Any] = moto_parse(with_escapes(definition))
        return parsed


def _scopes(self: Any) -> list[Any]:
    """Give each reading its own scopes of query languages; moto has one list for all threads."""
    scopes: list[Any] = vars(self).setdefault("scopes", [])
    return scopes


def with_escapes(definition: str) -> str:
    """Return the same JSON with data written so that the grammar takes it for data."""
    try:
        document = json.loads(definition)
    except ValueError:
        return definition
    return _written(_structure(document, ""))


class _Data(str):
    """A string that the grammar must not recognise."""

    __slots__ = ()


def _written(value: Any) -> str:
    """Write JSON, with the first letter of such strings as an escape."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_written(k)}:{_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, _Data):
        return f'"\\u{ord(value[0]):04x}{json.dumps(value[1:], ensure_ascii=False)[1:]}'
    return json.dumps(value, ensure_ascii=False)


def _structure(value: Any, field: str) -> Any:
    """Escape the data in a part of a definition whose keys are ASL's own fields."""
    if isinstance(value, dict):
        if field == "States":
            return {_escaped(k): _structure(v, "") for k, v in value.items()}
        return {k: _data(v) if k in TEMPLATES else _structure(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_structure(item, field) for item in value]
    if isinstance(value, str):
        return STAND_INS.get((field, value), value) if field in GRAMMAR_WORDS else _escaped(value)
    if field == "ToleratedFailurePercentage" and isinstance(value, int):
        return float(value)
    return value


def _data(value: Any, *, is_path: bool = False) -> Any:
    """Escape a template: all of it is data but expressions and what stands under a `.$` key."""
    if isinstance(value, dict):
        return {
            k if k.endswith(".$") else _escaped(k): _data(v, is_path=k.endswith(".$"))
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_data(item) for item in value]
    if isinstance(value, str) and not is_path and value.startswith(("$", "States.")):
        return _Data(value)
    return _escaped(value) if isinstance(value, str) and not is_path else value


def _escaped(text: str) -> str:
    return _Data(text) if text in KEYWORDS else text


def _text_of(parser_rule_context: Any) -> str | None:
    """Return the text of a JSON string as JSON decodes it; moto left some escapes as written."""
    text = parser_rule_context.getText()
    if text == "null":
        return None
    if not text.startswith('"'):
        return str(text)
    decoded: str = json.loads(text, strict=False)
    return decoded
