"""JSONata as Step Functions has it: values and bindings, null and undefined, AWS's functions."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.aws.stepfunctions.definitions import with_escapes
from sandbox.aws.stepfunctions.errors import matches
from sandbox.aws.stepfunctions.graph import problems
from sandbox.aws.stepfunctions.jsonata import QueryError, compile_expression, evaluate
from sandbox.aws.stepfunctions.shapes import pascal


X = {"n": None, "list": [None, 1, None], "rows": [{"v": None}, {"v": 2}, {}], "text": 'a "b" \\'}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 1", 2),
        ("4 / 2", 2),
        ("1 / 4", 0.25),
        ("1e3", 1000),
        ("$number('1.0')", 1),
        ("$x.text & '!'", 'a "b" \\!'),
        ("$x.n", None),
        ("$x.n = null", True),
        ("$exists($x.n)", True),
        ("$exists($x.missing)", False),
        ("$exists($missing)", False),
        ("$x.list", [None, 1, None]),
        ("$map($x.list, function($v) { $v = null })", [True, False, True]),
        ("$filter($x.list, function($v) { $v = null })", [None, None]),
        ("$each($x, function($v, $k) { $k })", ["n", "list", "rows", "text"]),
        ("$x.rows.v", [None, 2]),
        ("$x.rows[v = null]", {"v": None}),
        ("$x.rows[v = 2].v", 2),
        ("[$x.rows[v = 2].v]", [2]),
        ("{'a': $x.missing, 'b': $x.n}", {"b": None}),
        ("$merge([{'a': 1}, {'b': null}])", {"a": 1, "b": None}),
        ("$string($x.list)", "[null,1,null]"),
        ("null in $x.list", True),
        ("$x.n ? 1 : 2", 2),
        ("[1..3]", [1, 2, 3]),
        ("$count([])", 0),
        ("$append([], 1)", [1]),
        ("($a := 2; $a * 3)", 6),
        ("$states.input.a", 5),
        ("$partition([1, 2, 3, 4, 5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([], 2)", []),
        ("$range(0, 10, 2)", [0, 2, 4, 6, 8, 10]),
        ("$range(5, 1, -2)", [5, 3, 1]),
        ("$range(5, 1, 1)", []),
        ("$hash('a', 'MD5')", hashlib.md5(b"a", usedforsecurity=False).hexdigest()),
        ("$hash('é', 'SHA-256')", hashlib.sha256("é".encode()).hexdigest()),
        ("$random(7) = $random(7)", True),
        ("$random() < 1", True),
        ("$length($uuid())", 36),
        ("$uuid() = $uuid()", False),
        ("""$parse('{"a": [null, 1.0]}').a""", [None, 1]),
        ("$parse('null')", None),
        ("$now() = $now()", True),
    ],
)
def test_values(expression: str, expected: Any) -> None:
    """An expression has the value that AWS gives; whole numbers stay whole."""
    found = evaluate(expression, {"x": X, "states": {"input": {"a": 5}}})

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("$x.missing", "returned nothing"),
        ("$missing", "returned nothing"),
        ("$", "returned nothing"),
        ("$$.a", "returned nothing"),
        ("function($v) { $v }", "unsupported result type"),
        ("1 / 0", "threw an error"),
        ("1 + 'a'", "T2002"),
        ("$sum('a')", "T0412"),
        ("$nothing()", "T1006"),
        ("$error('stop')", "stop"),
        ("$eval('1')", "not supported"),
        ("$x.n ?? 1", "S0204"),
        ("$x.n ?: 1", "S0204"),
        ("$hash('a', 'CRC')", "wants"),
        ("$partition([1], 0)", "wants"),
        ("$range(1, 2, 0)", "wants"),
        ("$parse('{')", "wants"),
        ("$x.(", "S02"),
        ("(", "S02"),
        ("($f := function($n) { 1 + $f($n) }; $f(1))", "threw an error"),
    ],
)
def test_failures(expression: str, why: str) -> None:
    """What has no JSON value is an error that says why; newer JSONata than AWS's is refused."""
    with pytest.raises(QueryError, match=why):
        evaluate(expression, {"x": X})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_a_bound_value_comes_back_as_it_was(value: Any) -> None:
    """Values are bound, never pasted into the expression's text."""
    assert evaluate("$value", {"value": value}) == value
    assert evaluate("{'inside': [$value, 1]}", {"value": value})["inside"][-1] == 1


def test_threads_share_parsed_expressions() -> None:
    """One parsed expression serves threads with values of their own, and clocks that go on."""
    seen: dict[int, set[Any]] = {number: set() for number in range(4)}

    def work(number: int) -> None:
        for _ in range(100):
            seen[number].add(
                evaluate("$sum($map([1..10], function($i) { $i * $n }))", {"n": number})
            )

    threads = [threading.Thread(target=work, args=(number,)) for number in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {number: {55 * number} for number in seen}


def test_now_is_now() -> None:
    """`$millis` is the time of the evaluation, not that of an earlier one on the thread."""
    first = evaluate("$millis()", {})
    evaluate("1", {})
    while evaluate("$millis()", {}) == first:
        pass

    assert evaluate("$millis()", {}) > first


@pytest.mark.parametrize(
    ("error", "equals", "expected"),
    [
        ("Oops", ["Oops"], True),
        ("Oops", ["Other"], False),
        ("Oops", ["States.ALL"], True),
        ("Oops", ["States.TaskFailed"], True),
        ("States.Timeout", ["States.ALL"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.HeartbeatTimeout", ["States.Timeout"], True),
        ("States.HeartbeatTimeout", ["States.TaskFailed"], False),
        ("States.QueryEvaluationError", ["States.TaskFailed"], True),
        ("States.DataLimitExceeded", ["States.ALL"], False),
        ("States.DataLimitExceeded", ["States.DataLimitExceeded"], True),
        ("States.Runtime", ["States.ALL"], False),
        ("States.Runtime", ["States.Runtime"], False),
        (None, ["States.ALL"], True),
    ],
)
def test_which_errors_match(error: str | None, equals: list[str], expected: bool) -> None:  # noqa: FBT001 - a table's column
    """Retry and Catch match as the developer guide says."""
    assert matches(error, equals) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ARN", "Arn"),
        ("startDate", "StartDate"),
        ("SecretString", "SecretString"),
        ("ETag", "ETag"),
        ("MD5OfMessageBody", "Md5OfMessageBody"),
    ],
)
def test_names_in_results(name: str, expected: str) -> None:
    """Results of SDK tasks have the names that AWS's Java SDK gives them."""
    assert pascal(name) == expected


def states(**named: Any) -> dict[str, Any]:
    """Return a level of states that starts at the first."""
    return {"StartAt": next(iter(named)), "States": named}


END = {"Type": "Succeed"}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (states(A=END), []),
        (states(A={"Next": "B"}, B=END), []),
        (states(A={"Next": "C"}), ["/States/A/Next"]),
        (states(A=END, B=END), ["/States/B"]),
        ({"StartAt": "Z", "States": {}}, ["/StartAt"]),
        (
            states(A={"Choices": [{"Next": "B"}], "Default": "C"}, C=END),
            ["/States/A/Choices[0]/Next"],
        ),
        (states(A={"Catch": [{"Next": "B"}], "Next": "C"}, B=END, C=END), []),
        (
            states(A={"Branches": [states(B={"Next": "Q"})]}),
            ["/States/A/Branches[0]/States/B/Next"],
        ),
        (states(A={"ItemProcessor": states(B=END, C=END)}), ["/States/A/ItemProcessor/States/C"]),
        (states(A=END | {"Output": {"x": ["{% 1 + %}"]}}), ["/States/A/Output/x[0]"]),
        (states(A=END | {"Output": "{% $a ?? 1 %}"}), ["/States/A/Output"]),
    ],
)
def test_what_is_wrong_in_a_definition(definition: dict[str, Any], expected: list[str]) -> None:
    """Each problem is named by its place."""
    assert [problem.location for problem in problems(json.dumps(definition))] == expected


@given(st.text())
def test_escapes_change_no_definition(text: str) -> None:
    """What is escaped for the grammar is still the same JSON."""
    definition = states(A=END | {"Comment": text, "Arguments": {text: text, "k": ["Pass", "$x"]}})

    assert json.loads(with_escapes(json.dumps(definition))) == definition


def test_an_expression_compiles_once() -> None:
    """Compiling is cached, and says what is wrong without evaluating."""
    assert compile_expression("$a + 1") is compile_expression("$a + 1")
    with pytest.raises(QueryError):
        compile_expression("$a +")
