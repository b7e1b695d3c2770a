"""Finding messages in the record: what fits is found once, newest first, by bounded pages."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from test_node_runtime import runtime_of

from deconflict.airspace.instant import parse_utc
from deconflict.errors import InvalidInputError, NotPermittedError
from deconflict.messages.bodies import LineCheck
from deconflict.messages.kinds import Kind
from deconflict.node import record_search
from deconflict.node.actor import Actor, Role
from deconflict.node.record_search import Found
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from node_pair import NodePair, declaration, node_pair, query

AUDITOR = Actor("auditor", frozenset({Role.AUDITOR}), DESKS[0])


@pytest.fixture(scope="module")
def pair() -> Iterator[NodePair]:
    """Both sides' messages, two seconds apart."""
    with node_pair() as made:
        for number in range(40):
            party = "blue" if number % 2 else "red"
            made.say(party, Kind.LINE_CHECK, LineCheck(text=f"check {number:02}"))
            made.run_for(2)
        made.declare("red", declaration(1))
        made.say("red", Kind.QUERY, query())
        made.run_for(2)
        yield made


def pages(pair: NodePair, *, actor: Actor = AUDITOR, **wanted: Any) -> list[Found]:
    """All pages of a search."""

    after = wanted.pop("after", None)

    async def run() -> list[Found]:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store)
            found = [await node.find_messages(actor, after=after, **wanted)]
            while found[-1].after is not None:
                found.append(await node.find_messages(actor, after=found[-1].after, **wanted))
            return found

    return asyncio.run(run())


def hashes(found: list[Found]) -> list[str]:
    return [message.hash for page in found for message in page.messages]


def test_all_pages_together_are_the_whole_record_newest_first(pair: NodePair) -> None:
    found = pages(pair, limit=7)
    logged = [message.logged_utc for page in found for message in page.messages]
    assert logged == sorted(logged, reverse=True)
    rows = [
        row.hash
        for party in ("blue", "red")
        for row in pair.blue.store.entries(pair.line_id, party)
    ]
    assert sorted(hashes(found)) == sorted(rows)
    assert found[0].total == len(rows)
    assert found[0].left == len(rows) - 7


def test_each_filter_leaves_what_fits_and_nothing_else(pair: NodePair) -> None:
    (page,) = pages(pair, kind="QUERY")
    assert [message.kind for message in page.messages] == ["QUERY"]
    theirs = pages(pair, party="red", kind="LINE_CHECK")
    assert {message.from_party for page in theirs for message in page.messages} == {"red"}
    assert len(hashes(theirs)) == 20
    assert hashes(pages(pair, desk="nobody's")) == []
    (found,) = pages(pair, text="CHECK 07")
    assert "check 07" in found.messages[0].text
    assert hashes(pages(pair, text=found.messages[0].hash[:12])) == hashes([found])


def test_a_stretch_of_time_has_both_its_ends(pair: NodePair) -> None:
    everything = [m for page in pages(pair, kind="LINE_CHECK") for m in page.messages]
    first, last = everything[10], everything[5]
    found = pages(
        pair,
        kind="LINE_CHECK",
        from_ms=parse_utc(first.logged_utc),
        until_ms=parse_utc(last.logged_utc),
    )
    assert hashes(found) == [message.hash for message in everything[5:11]]


def test_a_page_looks_at_a_bounded_part_of_the_record(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_search, "LOOKED_AT_ONCE", 5)
    found = pages(pair, text="check 00")
    assert len(found) == -(-found[0].total // 5)
    assert len(hashes(found)) == 1
    monkeypatch.setattr(record_search, "LOOKED_AT_ONCE", 4_000)
    monkeypatch.setattr(record_search, "WORDED_AT_ONCE", 20)
    assert hashes(pages(pair, text="check 00")) == hashes(found)


def test_the_next_page_of_another_search_is_refused(pair: NodePair) -> None:
    first = pages(pair, limit=3)[0]
    assert first.after is not None
    with pytest.raises(InvalidInputError, match="of another search"):
        pages(pair, party="red", after=first.after)
    with pytest.raises(InvalidInputError, match="of another search"):
        pages(pair, after={"../line/blue": 3})


def test_who_may_not_read_finds_nothing(pair: NodePair) -> None:
    keeper = Actor("root", frozenset({Role.ADMINISTRATOR}), DESKS[0])
    with pytest.raises(NotPermittedError):
        pages(pair, actor=keeper)
