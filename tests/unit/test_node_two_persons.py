"""What else needs two persons (R38, R43): the end of a FLASH, what is taken away, a site.

And what never waits: SAFETY, CEASE, ACK and QUERY.
"""

import msgspec
import pytest
from test_node_release import AUDITOR, SECOND, WATCH, WRITER, run, said

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.errors import (
    InvalidDocumentError,
    InvalidInputError,
    LineStateError,
    NotFoundError,
    NotPermittedError,
    NotReleasedError,
)
from deconflict.line.envelope import Envelope, read_envelope
from deconflict.messages.bodies import (
    Ack,
    AnswerWord,
    CeaseReport,
    SafetyOfFlight,
    body_to_wire,
    parse_body,
)
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import KINDS, SAID_ALONE, Kind, ends_flash
from deconflict.node.actor import Actor, Role
from deconflict.node.core import NodeCore
from deconflict.node.exports import ASKED_MS, RELEASED_MS, Export, parcel_waits
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from messages_samples import bodies
from node_pair import (
    FAR,
    LATAKIA,
    START_MS,
    NodePair,
    cease,
    circle,
    declaration,
    node_pair,
    query,
)

SECOND_WATCH = Actor("second-watch", frozenset({Role.WATCH_OFFICER}), DESKS[0])
ADMINISTRATOR = Actor("admin", frozenset({Role.ADMINISTRATOR}), DESKS[0])
NOTIFIER = Actor("notifier", frozenset({Role.HUMANITARIAN_NOTIFIER}), DESKS[0])
SAFETY = SafetyOfFlight(
    phrase=208,
    values={
        "where": {"lat_e7": 354_000_000, "lon_e7": 359_000_000},
        "reach": 2_000_000,
        "since": format_utc(START_MS),
    },
)
EXPORTS = (Export.RECORD, Export.FORK, Export.PARCEL)


def held_events(pair: NodePair) -> list[dict[str, object]]:
    found = [event for event in pair.blue.store.events(0) if event.kind == "held"]
    return [msgspec.json.decode(event.data) for event in found]


async def ceased(node: Node, line: str, message: str, who: Actor = WATCH) -> object:
    at = node.node().now_utc
    body = body_to_wire(CeaseReport(desk=who.desk, at_utc=at))
    return await node.send(who, line, "CEASED", body, ref=message)


# ---- what never waits ------------------------------------------------------------------------


def test_safety_cease_ack_and_query_never_wait_for_a_second_person_where_two_are_wanted() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        asked = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        said_alone = {
            Kind.SAFETY: (SAFETY, None),
            Kind.CEASE: (cease(at=LATAKIA), None),
            Kind.ACK: (Ack(answer=AnswerWord.ROGER), asked),
            Kind.QUERY: (query(), None),
        }
        assert set(said_alone) == SAID_ALONE
        for kind, (body, ref) in said_alone.items():
            posted = await node.send(WATCH, pair.line_id, kind, body_to_wire(body), ref=ref)
            assert (posted.held_id, len(posted.hash)) == (None, 64), kind
        assert node.held() == ()

    run(test)


def test_a_notifier_warns_alone_and_says_nothing_else() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        posted = await node.send(NOTIFIER, pair.line_id, "CEASE", body_to_wire(cease(at=LATAKIA)))
        assert posted.hash
        for kind in set(Kind) - {Kind.CEASE, Kind.SAFETY}:
            with pytest.raises(NotPermittedError):
                await node.send(NOTIFIER, pair.line_id, kind, {})

    run(test)


# ---- the end of a FLASH ----------------------------------------------------------------------


def test_only_what_ends_a_flash_on_both_desks_waits_beside_what_is_declared() -> None:
    assert [kind for kind in Kind if ends_flash(kind)] == [Kind.CEASED]
    assert not any(KINDS[kind].two_persons or ends_flash(kind) for kind in SAID_ALONE)


def test_ceased_waits_for_a_second_watch_officer_and_the_alarm_goes_on_until_then() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        posted = await ceased(node, pair.line_id, message)
        assert posted.state == "HELD"  # type: ignore[attr-defined]
        (held,) = node.held()
        assert "CEASE_RECEIVED" in pair.rules("blue")
        for who in (WATCH, AUDITOR, ADMINISTRATOR):
            with pytest.raises(NotPermittedError):
                await node.release(who, held.held_id)
        (released,) = await node.release(SECOND_WATCH, held.held_id)
        assert released.kind == "CEASED"
        assert "CEASE_RECEIVED" not in pair.rules("blue")

    run(test)


def test_ceased_that_lost_its_request_is_not_said_any_more() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        await ceased(node, pair.line_id, message)
        at = node.node().now_utc
        noted = CeaseReport(desk=WATCH.desk, at_utc=at, not_binding="all units")
        await node.send(WATCH, pair.line_id, "CEASED", body_to_wire(noted), ref=message)
        first, second = node.held()
        await node.release(SECOND_WATCH, first.held_id)
        with pytest.raises(LineStateError, match=f"already reported ceased, at {at}"):
            await node.release(SECOND_WATCH, second.held_id)
        await node.withdraw(SECOND_WATCH, second.held_id)
        again = await ceased(node, pair.line_id, message)
        assert again.said_already  # type: ignore[attr-defined]
        assert node.held() == ()
        goes_on = body_to_wire(CeaseReport(desk=WATCH.desk, at_utc=at))
        await node.send(WATCH, pair.line_id, "CONTINUING", goes_on, ref=message)
        await ceased(node, pair.line_id, message)
        (third,) = node.held()
        (posted,) = await node.release(SECOND_WATCH, third.held_id)
        assert posted.kind == "CEASED"

    run(test)


def test_ceased_that_was_written_before_the_report_that_it_goes_on_is_not_released() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        await ceased(node, pair.line_id, message)
        pair.run_for(60)
        goes_on = body_to_wire(CeaseReport(desk=WATCH.desk, at_utc=node.node().now_utc))
        await node.send(WATCH, pair.line_id, "CONTINUING", goes_on, ref=message)
        pair.run_for(5)
        (held,) = node.held()
        with pytest.raises(LineStateError, match="since then this side reported CONTINUING"):
            await node.release(SECOND_WATCH, held.held_id)
        assert node.held() == (held,)
        await node.withdraw(SECOND_WATCH, held.held_id)
        await ceased(node, pair.line_id, message)
        (anew,) = node.held()
        (posted,) = await node.release(SECOND_WATCH, anew.held_id)
        assert posted.kind == "CEASED"

    run(test)


def test_where_one_person_is_enough_ceased_goes_at_once() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        message = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        posted = await ceased(node, pair.line_id, message)
        assert posted.hash  # type: ignore[attr-defined]

    run(test, persons=1)


@pytest.mark.parametrize("kind", [Kind.CEASE, Kind.SAFETY])
def test_nothing_that_a_party_says_ends_its_own_flash(kind: Kind) -> None:
    with node_pair() as pair:
        body = SAFETY if kind is Kind.SAFETY else cease(at=LATAKIA)
        message = pair.say("blue", kind, body)
        pair.run_for(5)
        tried = 0
        for other, wire in bodies().items():
            try:
                pair.say("blue", Kind(other), parse_body(other, wire), ref=message)
                tried += 1
            except (InvalidDocumentError, LineStateError, NotFoundError, InvalidInputError):
                continue  # it cannot be said of a message like this at all
        pair.run_for(40)
        assert tried > 3
        assert pair.line("blue").book.threads.is_open(message)
        alarm = "NO_ANSWER" if kind is Kind.SAFETY else "CEASE_OPEN"
        assert alarm in pair.rules("blue")


def test_a_flash_outlives_the_pin_of_its_peer() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(40)
        blue = pair.blue.core
        # As a node that starts after its peer was removed: the record is there, the line is not.
        again = NodeCore(
            party="blue",
            desks=DESKS,
            language="en",
            key=blue.key,
            store=pair.blue.store,
            random_bytes=blue.random_bytes,
        )
        again.advance(pair.world.now)
        assert "CEASE_OPEN" in [alert.rule for alert in again.alerts]


# ---- what is taken away ----------------------------------------------------------------------


@pytest.mark.parametrize("what", EXPORTS)
def test_what_is_taken_away_waits_for_a_second_person_and_lapses(what: Export) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotReleasedError, match="two persons"):
            node.require_exportable(WRITER, pair.line_id, what)
        asked = await node.ask_export(WRITER, pair.line_id, what)
        assert asked.state == "HELD"
        assert await node.ask_export(WRITER, pair.line_id, what) == asked
        (held,) = node.held()
        assert (held.what, held.held_id) == (what.value, asked.held_id)
        assert "Waits for a second person" in held.text
        with pytest.raises(NotPermittedError, match="cannot release"):
            await node.release(WRITER, held.held_id)
        assert await node.release(SECOND, held.held_id) == ()
        assert node.held() == ()
        assert (await node.ask_export(WRITER, pair.line_id, what)).state == "RELEASED"
        node.require_exportable(WRITER, pair.line_id, what)
        with pytest.raises(NotReleasedError):  # released to who asked, and to nobody else
            node.require_exportable(SECOND, pair.line_id, what)
        pair.run_for(RELEASED_MS / 1000)
        with pytest.raises(NotReleasedError):
            node.require_exportable(WRITER, pair.line_id, what)

    run(test)


def test_what_was_asked_for_and_not_released_lapses_after_a_day_and_the_journal_says_so() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        asked = await node.ask_export(WRITER, pair.line_id, "RECORD")
        pair.run_for(ASKED_MS / 1000)
        assert node.held() == ()
        with pytest.raises(NotFoundError):
            await node.release(SECOND, str(asked.held_id))
        await node.ask_export(WRITER, pair.line_id, "FORK")
        told = [(each["state"], each["what"]) for each in held_events(pair)]
        assert told == [("HELD", "RECORD"), ("EXPIRED", "RECORD"), ("HELD", "FORK")]

    run(test)


def test_the_journal_says_who_asked_who_released_and_who_took_it_away() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        asked = await node.ask_export(WRITER, pair.line_id, "RECORD")
        await node.release(SECOND, str(asked.held_id))
        taken = b"".join([part async for part in node.export(WRITER, pair.line_id)])
        assert taken
        released = held_events(pair)[-1]
        assert (released["state"], released["asked_by"], released["by"]) == (
            *("RELEASED", "writer"),
            "second",
        )
        (event,) = [each for each in pair.blue.store.events(0) if each.kind == "export"]
        assert msgspec.json.decode(event.data)["account"] == "writer"

    run(test)


def test_a_record_is_not_given_out_by_any_way_before_it_is_released() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (message,) = await node.messages(pair.line_id, limit=1)
        with pytest.raises(NotReleasedError):
            [part async for part in node.export(WRITER, pair.line_id)]
        with pytest.raises(NotReleasedError):
            await node.disclose(WRITER, pair.line_id, message.hash)
        with pytest.raises(NotReleasedError):
            await node.fork(WRITER, pair.line_id)
        asked = await node.ask_export(WRITER, pair.line_id, "MESSAGE", message.hash)
        await node.release(SECOND, str(asked.held_id))
        with pytest.raises(NotReleasedError):  # one message is not the record
            [part async for part in node.export(WRITER, pair.line_id)]

    run(test)


@pytest.mark.parametrize("who", [WATCH, ADMINISTRATOR, NOTIFIER])
def test_who_may_not_export_may_not_ask_or_release_it(who: Actor) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotPermittedError):
            await node.ask_export(who, pair.line_id, "RECORD")
        asked = await node.ask_export(WRITER, pair.line_id, "RECORD")
        for act in (node.release, node.withdraw):
            with pytest.raises(NotPermittedError):
                await act(who, str(asked.held_id))  # type: ignore[operator]

    run(test)


def test_what_may_be_taken_away_outlives_the_node() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        asked = await node.ask_export(WRITER, pair.line_id, "RECORD")
        await node.release(SECOND, str(asked.held_id))
        again = Node(pair.blue.core, node._runtime, pair.blue.store, release_persons=2)
        again.require_exportable(WRITER, pair.line_id, "RECORD")

    run(test)


def test_one_person_takes_away_where_one_is_enough_and_it_is_written_down() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotFoundError):  # nothing is taken away, and nothing written down
            await node.disclose(AUDITOR, pair.line_id, "ab" * 32)
        assert (await node.ask_export(AUDITOR, pair.line_id, "RECORD")).state == "FREE"
        assert b"".join([part async for part in node.export(AUDITOR, pair.line_id)])
        assert [event.kind for event in pair.blue.store.events(0)].count("export") == 1

    run(test, persons=1)


# ---- protected sites -------------------------------------------------------------------------


def site(number: int = 1, at: Position = LATAKIA) -> Declaration:
    return declaration(number, Purpose.PROTECTED_SITE, circle(at=at, radius_m=300))


@pytest.mark.parametrize(
    "places", [(), (FAR,), (Position.from_degrees(35.9, 35.4),)], ids=["none", "far", "exchanged"]
)
def test_a_site_is_released_only_by_who_finds_it_on_a_map_of_their_own(
    places: tuple[Position, ...],
) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (posted,) = await node.declare(WRITER, [site()], lines=[pair.line_id])
        with pytest.raises(NotReleasedError, match="map of your own"):
            await node.release(SECOND, str(posted.held_id), places=places)
        assert len(node.held()) == 1
        near = Position.from_degrees(35.402, 35.9)  # 222 m
        (released,) = await node.release(SECOND, str(posted.held_id), places=(near,))
        assert released.kind == "NOTIFY"

    run(test)


def test_every_site_that_is_released_together_is_found() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        sites = [site(1), site(2, FAR)]
        posted = await node.declare(WRITER, sites, lines=[pair.line_id])
        with pytest.raises(NotReleasedError):
            await node.release(SECOND, str(posted[0].held_id), places=(LATAKIA,))
        assert len(await node.release(SECOND, str(posted[0].held_id), places=(LATAKIA, FAR))) == 2

    run(test)


def test_a_notifier_declares_sites_and_no_flight_and_releases_none() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotPermittedError):
            await node.declare(NOTIFIER, [declaration(3)], lines=[pair.line_id])
        (flight,) = await node.declare(WRITER, [declaration(3)], lines=None)
        await node.release(SECOND, str(flight.held_id))
        for act in (
            node.cancel(NOTIFIER, declaration(3).declaration_id),
            node.tell(NOTIFIER, declaration(3).declaration_id, lines=[pair.line_id]),
            node.update(NOTIFIER, site(3), lines=None),
        ):
            with pytest.raises(NotPermittedError):
                await act
        (posted,) = await node.declare(NOTIFIER, [site()], lines=[pair.line_id])
        other = Actor("other-notifier", NOTIFIER.roles, NOTIFIER.desk)
        with pytest.raises(NotPermittedError):
            await node.release(other, str(posted.held_id), places=(LATAKIA,))
        await node.release(SECOND, str(posted.held_id), places=(LATAKIA,))
        (gone,) = await node.cancel(NOTIFIER, site().declaration_id)
        assert gone.state == "HELD"

    run(test)


# ---- parcels ---------------------------------------------------------------------------------


def envelopes(*kinds: Kind) -> list[Envelope]:
    with node_pair() as pair:
        row = next(iter(pair.blue.store.entries(pair.line_id, "blue")))
        one = read_envelope(row.data)
        return [
            msgspec.structs.replace(one, kind=kind.value, prec=KINDS[kind].rule.precedence)
            for kind in kinds
        ]


@pytest.mark.parametrize(
    ("kinds", "waits"),
    [
        ((), False),
        ((Kind.LINE_CHECK,), False),
        ((Kind.NOTIFY,), True),
        ((Kind.LINE_CHECK, Kind.TERMS_PROPOSE), True),
        *(((Kind.NOTIFY, alone), False) for alone in sorted(SAID_ALONE)),
        ((Kind.NOTIFY, Kind.CEASED), False),
    ],
)
def test_a_parcel_waits_for_what_took_two_and_never_with_a_warning_in_it(
    kinds: tuple[Kind, ...], waits: bool
) -> None:
    assert parcel_waits(envelopes(*kinds)) is waits


def test_a_parcel_with_a_declaration_waits_and_with_a_cease_behind_it_goes_at_once() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        pair.world.cut("blue", "red", pair.world.now.utc_ms, pair.world.now.utc_ms + 10**9)
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        await node.release(SECOND, str(posted.held_id))
        before = said(pair)
        with pytest.raises(NotReleasedError):
            await node.make_parcel(WATCH, pair.line_id, since_seq=before)
        await node.send(WATCH, pair.line_id, "CEASE", body_to_wire(cease(at=LATAKIA)))
        parcel = await node.make_parcel(WATCH, pair.line_id, since_seq=before)
        assert [message.kind for message in parcel.messages] == ["NOTIFY", "CEASE"]

    run(test)
