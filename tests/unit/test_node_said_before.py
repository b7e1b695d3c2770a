"""A reply that a nervous hand repeats is signed once, and who repeats it is told."""

import asyncio
import time

import pytest
from test_node_release import SECOND, WATCH, run, said
from test_node_two_persons import SECOND_WATCH, ceased

from deconflict.line.envelope import Envelope, read_envelope
from deconflict.messages.bodies import (
    Account,
    Ack,
    Answer,
    AnswerWord,
    LineCheck,
    ReadbackResult,
    SaidWord,
    Seen,
    Standby,
    body_to_wire,
)
from deconflict.messages.kinds import Kind
from deconflict.node.said_before import is_first
from deconflict.node.saying import Say
from deconflict.node.service import Node
from deconflict.node.views import Posted
from deconflict.replay.world import DESKS
from deconflict.store.base import Batch
from deconflict.store.sqlite import SqliteStore
from node_pair import LATAKIA, NodePair, cease, node_pair, query


def asked(pair: NodePair) -> str:
    message = pair.say("red", Kind.QUERY, query())
    pair.run_for(2)
    return message


async def answers(
    node: Node, pair: NodePair, query_hash: str, word: SaidWord, note: str | None = None
) -> Posted:
    at = node.node().now_utc
    body = body_to_wire(Answer(said=word, desk=WATCH.desk, at_utc=at, not_binding=note))
    return await node.send(WATCH, pair.line_id, "ANSWER", body, ref=query_hash)


def test_seen_twice_is_signed_once_and_says_when_and_by_which_desk() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = asked(pair)
        first = await node.seen(WATCH, message)
        at = pair.now_utc.replace("T", " ").replace(".000Z", "Z")
        pair.run_for(5)
        before = said(pair)
        again = await node.seen(SECOND, message)
        assert (again.hash, again.said_already) == (first.hash, True)
        assert said(pair) == before
        assert again.warnings == (
            f"Said already: notice of being seen, at {at}, by desk {DESKS[0]}. "
            "It is not signed again.",
        )

    run(test, persons=1)


def test_two_hands_at_once_sign_one_answer() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message, before = asked(pair), said(pair)
        posted = await asyncio.gather(
            *(answers(node, pair, message, SaidWord.NOT_OURS) for _ in range(5))
        )
        assert len({one.hash for one in posted}) == 1
        assert [one.said_already for one in posted].count(False) == 1
        assert said(pair) == before + 1

    run(test, persons=1)


def test_answers_to_different_messages_do_not_wait_for_one_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        messages, before = [asked(pair) for _ in range(4)], said(pair)
        flush, together = SqliteStore.commit, list[int]()

        def slow(store: SqliteStore, batch: Batch) -> None:
            if store is pair.blue.store and batch.entries:
                together.append(len(batch.entries))
                time.sleep(0.2)  # in the writer's thread: all have come by then
            flush(store, batch)

        monkeypatch.setattr(SqliteStore, "commit", slow)
        posted = await asyncio.gather(
            *(answers(node, pair, message, SaidWord.NOT_OURS) for message in messages)
        )
        assert [one.said_already for one in posted] == [False] * 4
        # Each waits for what was on its way when it came, as whatever cites a message does, and
        # for nothing else: had each waited for the one before, there were a flush for each.
        assert sum(together) == said(pair) - before == 4
        assert len(together) < 4

    run(test, persons=1)


def test_another_answer_and_the_first_one_again_are_each_signed() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message, before = asked(pair), said(pair)
        for word in (SaidWord.NOT_OURS, SaidWord.OURS, SaidWord.NOT_OURS):
            assert not (await answers(node, pair, message, word)).said_already
        assert said(pair) == before + 3

    run(test, persons=1)


def test_an_answer_with_another_note_says_something_else() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = asked(pair)
        await answers(node, pair, message, SaidWord.OURS)
        assert not (await answers(node, pair, message, SaidWord.OURS, "two of them")).said_already

    run(test, persons=1)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.ACK, Ack(answer=AnswerWord.WILCO)),
        (Kind.STANDBY, Standby(desk=DESKS[0], at_utc="2015-09-30T06:00:00.000Z")),
    ],
)
def test_each_reply_to_a_cease_is_signed_once(kind: Kind, body: Ack | Standby) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(2)
        posted = [
            await node.send(WATCH, pair.line_id, kind, body_to_wire(body), ref=message)
            for _ in range(2)
        ]
        assert posted[0].hash == posted[1].hash
        assert [one.said_already for one in posted] == [False, True]

    run(test, persons=1)


def test_a_line_check_retyped_wrongly_and_then_rightly_is_answered_twice() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.LINE_CHECK, LineCheck(text="4711 0815"))
        pair.run_for(2)
        said_already = [
            (
                await node.send(
                    WATCH, pair.line_id, "LINE_CHECK_REPLY", {"text": text}, ref=message
                )
            ).said_already
            for text in ("0000 0000", "4711 0815", "4711 0815")
        ]
        assert said_already == [False, False, True]

    run(test, persons=1)


def test_ceased_pressed_twice_climbs_one_ladder_on_each_side() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(2)
        first = await ceased(node, pair.line_id, message)
        pair.run_for(2)
        second = await ceased(node, pair.line_id, message, SECOND_WATCH)
        assert first.hash == second.hash  # type: ignore[attr-defined]
        pair.run_for(60)
        climbing = [alert for alert in pair.blue.core.alerts if alert.urgency == "FLASH"]
        assert [alert.rule for alert in climbing] == ["NOT_SEEN"]

    run(test, persons=1)


def test_ceased_taken_back_and_said_again_is_signed_again() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(2)
        before = said(pair)
        await ceased(node, pair.line_id, message)
        at = {"desk": WATCH.desk, "at_utc": node.node().now_utc}
        await node.send(WATCH, pair.line_id, "CONTINUING", at, ref=message)
        await ceased(node, pair.line_id, message)
        assert said(pair) == before + 3

    run(test, persons=1)


def test_ceased_written_twice_waits_once_for_a_second_person() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(2)
        first = await ceased(node, pair.line_id, message)
        second = await ceased(node, pair.line_id, message, SECOND_WATCH)
        assert first.held_id == second.held_id  # type: ignore[attr-defined]
        assert second.said_already  # type: ignore[attr-defined]
        (held,) = node.held()
        await node.release(SECOND_WATCH, held.held_id)
        third = await ceased(node, pair.line_id, message)
        assert (third.state, third.said_already) == ("QUEUED", True)  # type: ignore[attr-defined]
        assert node.held() == ()

    run(test)


def test_a_reply_of_long_ago_is_found_behind_much_that_was_said_since() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = asked(pair)
        first = await node.seen(WATCH, message)
        for _ in range(520):
            pair.say("blue", Kind.LINE_CHECK, LineCheck(text="4711 0815"))
        assert (await node.seen(WATCH, message)).hash == first.hash

    run(test, persons=1)


def test_looking_for_a_reply_of_long_ago_reads_no_other_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was said since is the store's to pass over: a desk pressing twice stops nobody."""
    read: list[bytes] = []

    def counted(data: bytes) -> Envelope:
        read.append(data)
        return read_envelope(data)

    async def test(pair: NodePair, node: Node) -> None:
        message = asked(pair)
        first = await node.seen(WATCH, message)
        for _ in range(520):
            pair.say("blue", Kind.LINE_CHECK, LineCheck(text="4711 0815"))
        pair.run_for(1)
        monkeypatch.setattr("deconflict.node.said_before.read_envelope", counted)
        assert (await node.seen(WATCH, message)).hash == first.hash
        assert len(read) < 10  # the one that is looked for, and one a page for where it stands

    run(test, persons=1)


def test_the_first_that_is_said_of_a_message_is_known_without_reading_back() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        told = pair.say("red", Kind.ACCOUNT, Account(event="pass", fields={"a": 1}))
        pair.run_for(2)
        line = pair.blue.core.lines[pair.line_id]
        seen = Say(
            kind=Kind.SEEN,
            body=Seen(desk=WATCH.desk, at_utc=node.node().now_utc),
            desk=WATCH.desk,
            ref=told,
        )
        assert is_first(line, seen)
        await node.seen(WATCH, told)
        assert not is_first(line, seen)  # from here on the record knows what was said

    run(test, persons=1)


def test_an_answer_of_the_machine_that_cannot_be_cited_yet_waits_and_stops_no_node() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        core, line = pair.blue.core, pair.blue.core.lines[pair.line_id]
        body = ReadbackResult(declaration_id="00" * 16, agrees=True)
        owed = Say(kind=Kind.READBACK_RESULT, body=body, desk="watch", ref="ab" * 32)
        core._hearing.owe(line, owed)
        core.advance(pair.world.now)
        assert [say for _, say in core._hearing.take_owed()] == [owed]
