"""JSONata as Step Functions evaluates it: bindings in, a JSON value out, undefined is an error.

AWS has version 2.0.6 of the language; what jsonata-python knows beyond it is refused, so that an
expression that runs here also runs there.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata

from sandbox.aws.stepfunctions.functions import BINDINGS
from sandbox.aws.stepfunctions.values import UnsupportedValueError, plain, with_nulls


if TYPE_CHECKING:
    from collections.abc import Mapping

NEWER_OPERATORS = ("??", "?:")


class QueryError(ValueError):
    """An expression does not compile, fails, or has no JSON value; the text says which."""


def compile_expression(text: str) -> Any:
    """Parse an expression without its `{% %}`; raise QueryError when AWS would not take it."""
    try:
        return _compiled(text)
    except JException as error:
        raise QueryError(f"threw an error during evaluation. {error.error}: {error}") from error
    except (AttributeError, LookupError, TypeError) as error:
        raise QueryError(f"threw an error during evaluation. S0204: {error}") from error


def evaluate(text: str, bindings: Mapping[str, Any]) -> Any:
    """Return the JSON value of an expression; raise QueryError when it has none.

    Names in `bindings` come without their `$`; a missing name is undefined, None is null.
    """
    expression = copy.copy(compile_expression(text))
    # $now and $millis read the instance that the thread used last.
    Jsonata.CURRENT.jsonata = expression
    try:
        values = {name: with_nulls(value) for name, value in bindings.items()}
        result = expression.evaluate(None, BINDINGS | values)
        if result is not None:
            return plain(result)
    except JException as error:
        raise QueryError(f"threw an error during evaluation. {error.error}: {error}") from error
    except UnsupportedValueError as error:
        raise QueryError(str(error)) from error
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as e:
        raise QueryError(f"threw an error during evaluation. {type(e).__name__}: {e}") from e
    raise QueryError("returned nothing (undefined).")


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Any:
    """Parse once: evaluations work on shallow copies, as the library itself does per thread."""
    parser = Jsonata.get_parser()
    for operator in NEWER_OPERATORS:
        parser.symbol_table.pop(operator, None)
    expression = Jsonata(text)
    expression.set_output_convert_nulls(False)
    expression.set_validate_input(False)
    return expression
