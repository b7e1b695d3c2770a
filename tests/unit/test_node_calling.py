"""What people may ask of calls, by role; notes and drafts stay at home (R30); calendar files."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable

import icalendar
import msgspec
import pytest
from test_node_calls import held, readout, record
from test_node_runtime import runtime_of
from test_node_talks import accept, offer, request, say, slot

from deconflict.errors import InvalidInputError, LineStateError, NotFoundError, NotPermittedError
from deconflict.messages.bodies import body_to_wire
from deconflict.messages.kinds import Kind
from deconflict.node.actor import Actor, Role
from deconflict.node.bundle import export_bundle
from deconflict.node.papers import MOST_PAPERS, PaperBook
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from deconflict.store.base import Batch
from node_pair import NodePair, node_pair


def actor(role: Role, name: str = "") -> Actor:
    return Actor(name or role.value, frozenset({role}), DESKS[0])


WATCH = actor(Role.WATCH_OFFICER)
SENIOR = actor(Role.SENIOR)
INTERPRETER = actor(Role.INTERPRETER)
ADVISER = actor(Role.LEGAL_ADVISER)
RELEASING = actor(Role.RELEASING_OFFICER)
AUDITOR = actor(Role.AUDITOR)
ADMINISTRATOR = actor(Role.ADMINISTRATOR)
SECRET = "They blinked first, in our view."
SECRET_DRAFT = "The other side undertook to stay north."

Run = Callable[[NodePair, Node], Awaitable[None]]


def run(test: Run, *, persons: int = 1) -> None:
    async def inside(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store, release_persons=persons)
            await test(pair, node)

    with node_pair() as pair:
        pair.run_for(1)
        asyncio.run(inside(pair))


async def ask(node: Node, pair: NodePair, who: Actor = WATCH) -> str:
    posted = await node.talk(who, pair.line_id, "TALK_REQUEST", body_to_wire(offer()))
    return posted.hash


@pytest.mark.parametrize("who", [WATCH, SENIOR, RELEASING])
def test_who_may_talk_asks_for_a_call(who: Actor) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        asked = await ask(node, pair, who)
        (talk,) = node.talks()
        assert (talk.talk_id, talk.state, talk.waits_for) == (asked, "OFFERED", "red")
        assert node.talks(ahead_only=True) == (talk,)

    run(test)


@pytest.mark.parametrize("who", [INTERPRETER, ADVISER, AUDITOR, ADMINISTRATOR])
def test_who_may_not_talk_is_refused(who: Actor) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotPermittedError):
            await ask(node, pair, who)

    run(test)


@pytest.mark.parametrize("who", [WATCH, INTERPRETER, ADVISER, AUDITOR, ADMINISTRATOR])
def test_a_readout_is_for_those_who_answer_for_it(who: Actor) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotPermittedError):
            await node.readout(who, pair.line_id, "READOUT_WITHHELD", {"call": "ab" * 32})

    run(test)


def test_no_kind_goes_by_another_kinds_way() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        wire = body_to_wire(offer())
        with pytest.raises(InvalidInputError, match="not sent one by one"):
            await node.send(RELEASING, pair.line_id, "TALK_REQUEST", wire)
        with pytest.raises(InvalidInputError, match="not said here"):
            await node.talk(WATCH, pair.line_id, "READOUT_WITHHELD", {"call": "ab" * 32})
        with pytest.raises(InvalidInputError, match="not said here"):
            await node.readout(SENIOR, pair.line_id, "CEASE", {})

    run(test)


def test_a_readout_waits_for_a_second_person_where_the_party_wants_two() -> None:
    with node_pair() as pair:
        call = held(pair)

        async def inside() -> None:
            async with runtime_of(pair) as runtime:
                node = Node(pair.blue.core, runtime, pair.blue.store, release_persons=2)
                wire = body_to_wire(readout(call))
                posted = await node.readout(SENIOR, pair.line_id, "READOUT_PROPOSE", wire, ref=call)
                assert posted.state == "HELD"
                for refused in (SENIOR, WATCH):
                    with pytest.raises(NotPermittedError):
                        await node.release(refused, str(posted.held_id))
                (said,) = await node.release(RELEASING, str(posted.held_id))
                assert said.kind == "READOUT_PROPOSE"
                assert node.call_log()[0].readouts[0].state == "PROPOSED"

        asyncio.run(inside())


def test_an_agreement_to_what_was_replaced_while_it_was_held_is_not_released() -> None:
    with node_pair() as pair:
        call = held(pair)
        proposed = say(pair, "red", Kind.READOUT_PROPOSE, readout(call), call)

        async def inside() -> None:
            async with runtime_of(pair) as runtime:
                node = Node(pair.blue.core, runtime, pair.blue.store, release_persons=2)
                wire = body_to_wire(readout(call))
                one = await node.readout(SENIOR, pair.line_id, "READOUT_AGREE", wire, ref=proposed)
                other = await node.readout(
                    RELEASING, pair.line_id, "READOUT_AGREE", wire, ref=proposed
                )
                await node.release(RELEASING, str(one.held_id))
                with pytest.raises(LineStateError, match="does not stand"):
                    await node.release(SENIOR, str(other.held_id))

        asyncio.run(inside())


def test_notes_and_drafts_are_in_no_packet_no_bundle_and_no_event() -> None:
    with node_pair() as pair:
        call = held(pair)

        async def inside() -> None:
            async with runtime_of(pair) as runtime:
                node = Node(pair.blue.core, runtime, pair.blue.store)
                note = await node.write_paper(
                    INTERPRETER, pair.line_id, "note", {"en": [SECRET]}, call=call
                )
                await node.write_paper(
                    SENIOR, pair.line_id, "draft", {"en": [SECRET_DRAFT]}, call=call
                )
                wire = body_to_wire(readout(call))
                await node.readout(SENIOR, pair.line_id, "READOUT_OWN", wire, ref=call)
                kept = node.papers(ADVISER, pair.line_id, call)
                assert [(paper.kind, paper.written_by) for paper in kept] == [
                    ("note", "interpreter"),
                    ("draft", "senior"),
                ]
                assert kept[0] == note

        asyncio.run(inside())
        pair.run_for(30)
        assert len(pair.red.received) > 3
        # Packets hold their bodies in base64, so each is looked at opened.
        for received in pair.red.received:
            assert_nothing_of_it(received.body)
        for party in ("blue", "red"):
            assert_nothing_of_it(bundle_of(pair, party))
        for event in pair.blue.store.events(0):
            assert_nothing_of_it(event.data)


def bundle_of(pair: NodePair, party: str) -> bytes:
    station, peer = pair.station(party), pair.station(pair.peer_of(party))
    return b"".join(
        export_bundle(
            station.store,
            pair.line_id,
            signer=station.core.key,
            peer_key=peer.core.key.verify_key,
            exported_utc_ms=pair.world.now.utc_ms,
        )
    )


def assert_nothing_of_it(data: bytes) -> None:
    opened = [data]
    for line in data.splitlines():
        try:
            values = json.loads(line).values()
        except (ValueError, AttributeError):
            continue
        for value in values:
            if isinstance(value, str):
                try:
                    opened.append(base64.b64decode(value, validate=True))
                except ValueError:
                    opened.append(value.encode())
    whole = b"\n".join(opened)
    for text in (SECRET, SECRET_DRAFT):
        assert text.encode() not in whole
        assert base64.b64encode(text.encode())[:20] not in whole


def test_the_search_for_secrets_finds_what_was_said() -> None:
    with node_pair() as pair:
        call = held(pair)
        say(pair, "blue", Kind.READOUT_OWN, readout(call, SECRET), call)
        with pytest.raises(AssertionError):
            assert_nothing_of_it(bundle_of(pair, "red"))
        packets = b"\n".join(received.body for received in pair.red.received)
        with pytest.raises(AssertionError):
            assert_nothing_of_it(packets)


def test_papers_outlive_the_node_are_changed_and_thrown_away() -> None:
    with node_pair() as pair:
        call = held(pair)

        async def inside() -> None:
            async with runtime_of(pair) as runtime:
                node = Node(pair.blue.core, runtime, pair.blue.store)
                made = await node.write_paper(
                    WATCH, pair.line_id, "draft", {"en": ["one"]}, call=call
                )
                await node.write_paper(
                    SENIOR, pair.line_id, "note", {"ru": ["два"]}, paper_id=made.paper_id
                )
                again = Node(pair.blue.core, runtime, pair.blue.store)
                (kept,) = again.papers(WATCH, pair.line_id)
                assert (kept.kind, kept.call, kept.texts) == ("draft", call, {"ru": ("два",)})
                await again.drop_paper(WATCH, made.paper_id)
                assert again.papers(WATCH, pair.line_id) == ()
                with pytest.raises(NotFoundError):
                    await again.drop_paper(WATCH, made.paper_id)
                assert pair.blue.store.notes("paper/") == ()

        asyncio.run(inside())


@pytest.mark.parametrize("who", [AUDITOR, ADMINISTRATOR])
def test_an_auditor_reads_the_record_and_not_the_papers(who: Actor) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotPermittedError):
            node.papers(who, pair.line_id)
        with pytest.raises(NotPermittedError):
            await node.write_paper(who, pair.line_id, "note", {"en": ["x"]})

    run(test)


def test_a_legal_adviser_reads_papers_and_writes_none() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        assert node.papers(ADVISER, pair.line_id) == ()
        with pytest.raises(NotPermittedError):
            await node.write_paper(ADVISER, pair.line_id, "note", {"en": ["x"]})

    run(test)


@pytest.mark.parametrize("texts", [{}, {"en": []}, {"xx": ["text"]}, {"en": ["two\nlines"]}])
def test_a_paper_without_a_text_that_can_be_shown_is_refused(texts: dict[str, list[str]]) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(InvalidInputError):
            await node.write_paper(WATCH, pair.line_id, "note", texts)
        assert node.papers(WATCH, pair.line_id) == ()

    run(test)


def test_papers_are_bounded() -> None:
    book = PaperBook((), lambda n: next(numbers).to_bytes(n, "big"))
    numbers = iter(range(MOST_PAPERS + 1))
    texts = {"en": ("x",)}
    for _ in range(MOST_PAPERS):
        book.put(kind="note", line_id="l", call=None, by="w", texts=texts, now_ms=0)  # type: ignore[arg-type]
    with pytest.raises(LineStateError, match="too many"):
        book.put(kind="note", line_id="l", call=None, by="w", texts=texts, now_ms=0)  # type: ignore[arg-type]


def events_of(node: Node, pair: NodePair, name: str) -> list[tuple[str, str, int, str]]:
    read = icalendar.Calendar.from_ical(node.calendar(pair.line_id, name))
    return [
        (str(e["STATUS"]), e["DTSTART"].dt.strftime("%H:%M"), e["SEQUENCE"], str(e["UID"]))
        for e in read.walk("VEVENT")
    ]


def test_the_calendar_follows_a_call_under_the_same_names() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        asked = await ask(node, pair)
        pair.run_for(1)
        first = events_of(node, pair, asked)
        assert [e[:3] for e in first] == [("TENTATIVE", "08:00", 0), ("TENTATIVE", "09:00", 0)]
        countered = say(pair, "red", Kind.TALK_PROPOSE, offer(slot(3), slot(4)), asked)
        second = events_of(node, pair, asked)
        assert [e[:3] for e in second] == [
            ("CANCELLED", "08:00", 1),
            ("TENTATIVE", "09:00", 1),
            ("TENTATIVE", "10:00", 1),
        ]
        assert [e[3] for e in second[:2]] == [e[3] for e in first]
        body = body_to_wire(accept(slot(4)))
        posted = await node.talk(WATCH, pair.line_id, "TALK_ACCEPT", body, ref=countered)
        third = events_of(node, pair, posted.hash)
        assert [e[0] for e in third] == ["CANCELLED", "CANCELLED", "CONFIRMED"]
        assert {e[2] for e in third} == {2}
        await node.talk(WATCH, pair.line_id, "TALK_CANCEL", {"reason": "SETTLED"}, ref=posted.hash)
        assert {e[0] for e in events_of(node, pair, asked)} == {"CANCELLED"}
        with pytest.raises(NotFoundError):
            node.calendar(pair.line_id, "ab" * 32)

    run(test)


def test_a_calendar_names_neither_party_nor_person_nor_subject() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        content = node.calendar(pair.line_id, await ask(node, pair)).decode().lower()
        for word in ("blue", "red", "watch", "senior", "incident", "organizer", "attendee"):
            assert word not in content

    run(test)


def test_an_own_acceptance_shows_whether_the_peer_holds_it() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        asked = request(pair, party="red")
        now_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", now_ms)
        body = body_to_wire(accept(slot(2)))
        await node.talk(WATCH, pair.line_id, "TALK_ACCEPT", body, ref=asked)
        (talk,) = node.talks()
        assert (talk.state, talk.acceptance) == ("ARRANGED", "QUEUED")

    run(test)


def test_what_is_shown_of_calls_can_be_written_as_json() -> None:
    with node_pair() as pair:
        call = held(pair)
        say(pair, "blue", Kind.CALL_RECORD, record(20), call)
        say(pair, "red", Kind.CALL_RECORD, record(25), call)

        async def inside() -> None:
            async with runtime_of(pair) as runtime:
                node = Node(pair.blue.core, runtime, pair.blue.store)
                assert b"end_utc" in msgspec.json.encode(node.call_log("red"))
                assert b"ARRANGED" in msgspec.json.encode(node.talks("red"))
                assert node.talks(ahead_only=True) == ()

        asyncio.run(inside())


def test_what_is_shown_and_not_yet_on_the_disk_can_be_read_and_cited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        commit = pair.blue.store.commit

        def slowly(batch: Batch) -> None:
            time.sleep(0.2)
            commit(batch)

        monkeypatch.setattr(pair.blue.store, "commit", slowly)
        asking = asyncio.create_task(ask(node, pair))
        while not node.talks():
            await asyncio.sleep(0)
        (talk,) = node.talks()
        end = {"reason": "SETTLED"}
        read, ended = await asyncio.gather(
            node.message(talk.talk_id),
            node.talk(WATCH, pair.line_id, "TALK_CANCEL", end, ref=talk.talk_id),
        )
        assert read.hash == await asking
        assert ended.kind == "TALK_CANCEL"

    run(test)
