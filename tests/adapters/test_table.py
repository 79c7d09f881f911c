"""The one table: values that come back equal, partitions read whole, batches written whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.adapters.aws import ConditionFailed
from tailkeeper.adapters.table import FIRST, LONGEST, Table, marshal, unmarshal


if TYPE_CHECKING:
    from collections.abc import Callable

    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(-1e20, 1e20).filter(lambda number: number == 0 or abs(number) > 1e-20)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_comes_back_equal(value: Any) -> None:
    """Through DynamoDB's typed JSON and back, true stays true and 1 stays 1."""
    back = unmarshal(marshal(value))

    assert back == value
    assert type(back) is type(value)


def test_what_dynamodb_does_not_hold_is_refused() -> None:
    """A set would come back as something else."""
    with pytest.raises(TypeError, match="no set"):
        marshal({"a": {1, 2}})


@pytest.fixture
def table(line: Line) -> Table:
    """Return the table over the line."""
    return Table()


def test_reads_see_what_was_just_written(table: Table, line: Line) -> None:
    """Every read is consistent: the lease depends on it."""
    table.put({"pk": "p", "sk": "s", "n": 1.5, "list": ["a", None, True]})

    assert table.get("p", "s") == {"pk": "p", "sk": "s", "n": 1.5, "list": ["a", None, True]}
    assert table.get("p", "t") is None
    table.query("p")
    assert all(given["ConsistentRead"] for name, given in line.calls if name != "PutItem")


def test_a_condition_guards_each_kind_of_write(table: Table) -> None:
    """Put, update and delete write nothing when it does not hold."""
    table.put({"pk": "p", "sk": "s", "n": 1})
    writes: list[Callable[[], object]] = [
        lambda: table.put({"pk": "p", "sk": "s"}, "n = :two", two=2),
        lambda: table.update("p", "s", "SET n = :three", "n = :two", two=2, three=3),
        lambda: table.delete("p", "s", "n = :two", two=2),
    ]
    for write in writes:
        with pytest.raises(ConditionFailed):
            write()

    assert table.get("p", "s") == {"pk": "p", "sk": "s", "n": 1}
    assert table.update("p", "s", "SET n = :three", "n = :one", one=1, three=3)["n"] == 3
    table.delete("p", "s", "n = :three", three=3)
    table.delete("p", "s")
    assert table.get("p", "s") is None


def test_a_partition_above_a_megabyte_is_followed_to_its_end(
    aws: Stack, table: Table, line: Line
) -> None:
    """DynamoDB cuts an answer at 1 MB; the last item of page three is there, in order."""
    aws.table.write({"pk": "p", "sk": f"{i:03}", "text": "x" * 90_000} for i in range(30))

    assert [item["sk"] for item in table.query("p")] == [f"{i:03}" for i in range(30)]
    assert len(line.calls) >= 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["a1", "a2", "b1"]),
        ({"prefix": "a"}, ["a1", "a2"]),
        ({"limit": 2}, ["a1", "a2"]),
        ({"newest": True, "limit": 1}, ["b1"]),
        ({"prefix": "c"}, []),
    ],
)
def test_a_query_is_sorted_and_cut(table: Table, given: dict[str, Any], expected: Any) -> None:
    """By prefix, by number, and from either end."""
    table.write({"pk": "p", "sk": sk} for sk in ("b1", "a2", "a1"))

    assert [item["sk"] for item in table.query("p", **given)] == expected


def test_a_limit_asks_for_no_second_page(table: Table, line: Line) -> None:
    """The newest twenty of a long journal cost one call."""
    table.write({"pk": "p", "sk": f"{i:03}"} for i in range(60))
    line.calls.clear()

    assert len(table.query("p", limit=20, newest=True)) == 20
    assert line.operations == ["Query"]


def test_many_items_go_in_batches_of_twenty_five(table: Table, line: Line) -> None:
    """BatchWriteItem takes no more; puts and deletes may share one."""
    table.write({"pk": "p", "sk": f"{i:03}"} for i in range(60))
    assert line.operations == ["BatchWriteItem"] * 3

    table.write([{"pk": "p", "sk": "new"}], [("p", f"{i:03}") for i in range(59)])
    assert [item["sk"] for item in table.query("p")] == ["059", "new"]


def test_what_a_batch_did_not_take_is_sent_again(table: Table, line: Line) -> None:
    """DynamoDB may answer 200 and leave some: they come with the next call, ever later."""
    left = {table.name: [{"PutRequest": {"Item": {"pk": {"S": "p"}, "sk": {"S": "left"}}}}]}
    line.fail("BatchWriteItem", times=8, body={"UnprocessedItems": left})
    waits: list[float] = []

    replace(table, sleep=waits.append).write([{"pk": "p", "sk": "left"}])

    assert line.operations == ["BatchWriteItem"] * 9
    assert waits == [FIRST * 2**n for n in range(6)] + [LONGEST] * 2
    assert [item["sk"] for item in table.query("p")] == ["left"]


def test_a_long_partition_is_not_held_whole(aws: Stack, table: Table, line: Line) -> None:
    """Who looks at one item after the other asks for a page when it comes to it."""
    aws.table.write({"pk": "p", "sk": f"{i:03}", "text": "x" * 90_000} for i in range(30))

    items = table.items("p")

    assert line.calls == []
    assert next(items)["sk"] == "000"
    assert line.operations == ["Query"]


def test_nothing_to_write_costs_nothing(table: Table, line: Line) -> None:
    """An empty batch would be refused."""
    table.write([], [])

    assert line.calls == []
