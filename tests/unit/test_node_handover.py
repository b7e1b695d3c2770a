"""Handing over the watch (R8): what the sheet holds, who may leave and take over, what is told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from test_node_runtime import runtime_of

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidInputError, LineStateError, NotPermittedError
from deconflict.messages.bodies import Standby, Suspend
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.words import LANGUAGES, find_banned
from deconflict.node.actor import Actor, Role
from deconflict.node.handover import (
    ArrangedView,
    CheckView,
    OpenView,
    Part,
    Sheet,
    hand_over_sheet,
)
from deconflict.node.service import Node
from deconflict.node.views import (
    AlertView,
    DeclarationView,
    HeldMessage,
    HeldView,
    LineView,
    SuspensionView,
)
from deconflict.replay.world import DESKS
from node_pair import HOUR_MS, MINUTE_MS, START_MS, NodePair, cease, circle, declaration, node_pair
from node_pair import query as query_body

LEAVES = Actor("olga", frozenset({Role.WATCH_OFFICER}), DESKS[0])
COMES = Actor("boris", frozenset({Role.WATCH_OFFICER, Role.RELEASING_OFFICER}), DESKS[0])
AUDITOR = Actor("auditor", frozenset({Role.AUDITOR}), DESKS[0])
ADMINISTRATOR = Actor("admin", frozenset({Role.ADMINISTRATOR}), DESKS[0])

Run = Callable[[NodePair, Node], Awaitable[None]]


def on_watch(test: Run, before: Callable[[NodePair], object] = lambda pair: None) -> None:
    async def inside(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            await test(pair, Node(pair.blue.core, runtime, pair.blue.store))

    with node_pair() as pair:
        before(pair)
        pair.run_for(1)
        asyncio.run(inside(pair))


# ---- the sheet, a pure function ----------------------------------------------------------


def opened(kind: str = "CEASE", **changes: Any) -> OpenView:
    fields: dict[str, Any] = {
        "message": "ab" * 32,
        "line_id": "0f" * 16,
        "peer": "red",
        "own": True,
        "kind": kind,
        "precedence": "FLASH",
        "sent_utc": format_utc(START_MS),
        "due_utc": format_utc(START_MS + 30_000),
        "seen": False,
        "answered_by": None,
        "declaration_id": None,
        "drill": False,
    }
    return OpenView(**fields | changes)


def cover(end_ms: int = START_MS + 10 * MINUTE_MS, **changes: Any) -> DeclarationView:
    fields: dict[str, Any] = {
        "declaration_id": "d1" * 16,
        "party": "blue",
        "own": True,
        "line_ids": ("0f" * 16,),
        "purpose": "OWN_PRESENCE",
        "label": None,
        "revision": 1,
        "state": "ACTIVE",
        "start_utc": format_utc(START_MS),
        "end_utc": format_utc(end_ms),
        "declared_utc": format_utc(START_MS),
        "message_hashes": (),
        "delivery": {},
        "readback": {},
        "loaded": {},
        "geometry": {},
    }
    return DeclarationView(**fields | changes)


ALERT = AlertView(
    alert_id="a1",
    rule="NO_ANSWER",
    urgency="FLASH",
    line_id="0f" * 16,
    subject="ab" * 32,
    object=None,
    desk=DESKS[0],
    raised_utc=format_utc(START_MS),
    updated_utc=format_utc(START_MS),
    deadline_utc=None,
    level=1,
    open=True,
    text="NO ANSWER from red. SECOND DESK.",
)
HELD = HeldView(
    "3f9a01cc",
    "boris",
    format_utc(START_MS),
    (HeldMessage("0f" * 16, "red", "NOTIFY", None, False, "text", {}),),
)
CHECK = CheckView("0f" * 16, "red", "blue", format_utc(START_MS), format_utc(START_MS))


def line_with(*suspensions: SuspensionView) -> LineView:
    return LineView(
        *("0f" * 16, "red", "UP", format_utc(START_MS), None, None, None, False, None, "AGREED"),
        *(None, None, 0, 0, None, 0, 0),
        suspensions=suspensions,
    )


def sheet(**changes: Any) -> Sheet:
    fields: dict[str, Any] = {
        "party": "blue",
        "desk": "watch",
        "language": "en",
        "now_ms": START_MS,
        "ahead_ms": 8 * HOUR_MS,
        "gap_ms": 30 * MINUTE_MS,
        "lines": (),
        "opened": (),
        "alerts": (),
        "declarations": (),
        "held": (),
        "checks": (),
    }
    return hand_over_sheet(**fields | changes)


def parts(made: Sheet) -> list[str]:
    return [item.part.value for item in made.items]


def test_arranged_calls_are_on_the_sheet_the_soonest_first() -> None:
    calls = [
        ArrangedView(
            f"{number:064x}",
            "red",
            format_utc(at_ms),
            format_utc(at_ms + HOUR_MS),
            "SENIOR_1",
            "PHONE",
            drill=False,
        )
        for number, at_ms in ((1, START_MS + 30 * HOUR_MS), (2, START_MS + HOUR_MS))
    ]
    made = sheet(calls=calls)
    assert parts(made) == ["UPCOMING", "UPCOMING"]
    assert [item.about for item in made.items] == [calls[1].call_id, calls[0].call_id]
    assert made.items[0].text.startswith("A call with red is arranged from 2015-09-30")


def test_what_is_open_ends_or_is_due_is_on_the_sheet_part_by_part() -> None:
    made = sheet(
        opened=(
            opened("CONCERN", message="03" * 32),
            opened("QUERY", message="02" * 32),
            opened(message="01" * 32, own=False),
        ),
        alerts=(ALERT,),
        declarations=(cover(START_MS + 2 * HOUR_MS), cover(START_MS + 9 * HOUR_MS)),
        held=(HELD,),
        checks=(CHECK,),
    )
    assert parts(made) == [
        *("WARNINGS", "CEASES", "QUERIES", "OTHERS", "ALERTS"),
        *("ENDING", "HELD", "CHECKS"),
    ]
    assert made.items[5].text.startswith("DECLARATION EXPIRING.")
    assert "in 2 h" in made.items[5].text


def test_an_alert_that_repeats_an_open_message_is_not_listed_twice() -> None:
    same = replace(ALERT, rule="CEASE_OPEN")
    assert parts(sheet(opened=(opened(),), alerts=(same,))) == ["WARNINGS", "CEASES"]
    assert parts(sheet(alerts=(same,))) == ["ALERTS"]
    # What an answer lacks has a ladder of its own, and stays.
    assert "ALERTS" in parts(sheet(opened=(opened(),), alerts=(ALERT,)))


def test_what_was_done_about_a_message_stands_beside_it() -> None:
    (_, item) = sheet(opened=(opened(seen=True, answered_by="ACK"),)).items
    assert item.done == ("notice of being seen", "acknowledgement")


def test_own_cover_that_ends_before_the_next_watch_is_warned_of() -> None:
    (warning,) = sheet(declarations=(cover(),)).warnings
    assert warning.text.startswith("COVER ENDS.")
    assert sheet(declarations=(cover(),), gap_ms=5 * MINUTE_MS).warnings == ()
    assert sheet(declarations=(cover(own=False),)).items == ()


def test_cover_that_leaves_with_a_cease_open_is_said_to_do_so() -> None:
    """R8."""
    texts = [w.text for w in sheet(opened=(opened(),), declarations=(cover(),)).warnings]
    assert texts[0].startswith("COVER LEAVING.")
    assert sheet(opened=(opened(),)).warnings[0].text.startswith("CEASE OPEN.")


def test_what_begins_within_the_watch_is_on_the_sheet() -> None:
    later = cover(START_MS + 9 * HOUR_MS, start_utc=format_utc(START_MS + HOUR_MS))
    after = cover(START_MS + 20 * HOUR_MS, start_utc=format_utc(START_MS + 9 * HOUR_MS))
    at = format_utc(START_MS + HOUR_MS)
    line = line_with(
        SuspensionView("ALL", "red", at, None, in_effect=False, drill=False),
        SuspensionView("DECLARATIONS", "red", at, None, in_effect=True, drill=False),
    )
    made = sheet(declarations=(later, after), lines=(line,))
    assert parts(made) == ["UPCOMING", "UPCOMING"]
    assert made.items[0].text.endswith("begins at 2015-09-30 07:00:00Z: own presence.")
    assert (
        "red declared it suspended, scope ALL, from 2015-09-30 07:00:00Z on" in made.items[1].text
    )


def test_an_exercise_stands_on_the_sheet_and_holds_nobody_back() -> None:
    made = sheet(opened=(opened(drill=True),), declarations=(cover(drill=True),))
    assert made.warnings == ()
    assert [item.drill for item in made.items] == [True, True]


def test_what_came_since_the_signing_off_is_new() -> None:
    before = sheet(opened=(opened("QUERY"),))
    after = sheet(
        opened=(opened("QUERY"), opened("QUERY", message="cd" * 32)),
        known=frozenset(item.key for item in before.items),
    )
    assert [item.new for item in after.items] == [False, True]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet_says_the_same_in_every_language_and_no_banned_word(language: str) -> None:
    facts: dict[str, Any] = {
        "opened": (opened(), opened("QUERY", message="cd" * 32, own=False)),
        "declarations": (cover(),),
        "held": (HELD,),
        "checks": (CHECK,),
    }
    made = sheet(language=language, **facts)
    assert [item.key for item in made.items] == [item.key for item in sheet(**facts).items]
    assert [find for item in made.items for find in find_banned(item.text)] == []


# ---- leaving, and coming -------------------------------------------------------------------


def test_the_watch_is_not_left_with_a_cease_open_unless_that_is_said() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(LineStateError, match="left open") as refused:
            await node.sign_off(LEAVES)
        assert "CEASE OPEN." in refused.value.given
        made = await node.sign_off(LEAVES, with_open=True)
        assert made.warnings
        assert node.handover(DESKS[0]).signed_off_utc is not None

    on_watch(test, lambda pair: pair.say("blue", Kind.CEASE, cease(at=circle().outline.center)))  # type: ignore[union-attr]


def test_the_watch_is_not_left_when_own_cover_ends_in_the_gap() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(LineStateError, match="COVER ENDS"):
            await node.sign_off(LEAVES)
        await node.sign_off(LEAVES, gap_ms=MINUTE_MS)

    short = declaration(
        1, Purpose.OWN_PRESENCE, circle(start_ms=START_MS, end_ms=START_MS + 600_000)
    )
    on_watch(test, lambda pair: pair.declare("blue", short))


def test_a_query_of_the_peer_is_on_the_sheet_until_it_is_answered() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (item,) = (i for i in node.handover(DESKS[0]).items if i.part is Part.QUERIES)
        assert item.text.startswith("Open: query from red")
        body = {"said": "NOT_OURS", "desk": DESKS[0], "at_utc": format_utc(START_MS)}
        await node.send(LEAVES, "red", "ANSWER", body, ref=item.about)
        assert not [i for i in node.handover(DESKS[0]).items if i.part is Part.QUERIES]

    on_watch(test, lambda pair: pair.say("red", Kind.QUERY, query_body()))


def test_a_suspension_declared_for_later_is_on_the_sheet() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (item,) = (i for i in node.handover(DESKS[0]).items if i.part is Part.UPCOMING)
        assert item.due_utc == later

    later = "2100-01-01T00:00:00.000Z"
    on_watch(
        test,
        lambda pair: pair.say("red", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=later)),
    )


def test_another_account_takes_over_and_the_peers_are_told_a_role_and_never_a_name() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        await node.sign_off(LEAVES)
        with pytest.raises(LineStateError, match="from themselves"):
            await node.take_over(LEAVES)
        with pytest.raises(LineStateError, match="signed off already"):
            await node.sign_off(COMES)
        await node.take_over(COMES, ["en", "ru"])
        with pytest.raises(LineStateError, match="has the watch"):
            await node.take_over(COMES)
        (said,) = [m for m in await node.messages("red") if m.kind == "WATCH_CHANGE"]
        assert said.body["languages"] == ["en", "ru"]
        assert set(said.body) == {"desk", "at_utc", "languages"}
        events = [e.data for e in pair.blue.core.stored_events(0, 1_000) if e.kind == "watch"]
        assert events == [
            {"desk": "watch", "state": "SIGNED_OFF", "roles": ["watch_officer"]},
            {
                "desk": "watch",
                "state": "TAKEN_OVER",
                "roles": ["releasing_officer", "watch_officer"],
            },
        ]
        row = pair.blue.store.entry(said.hash)
        assert row is not None
        assert b"olga" not in row.data
        assert b"boris" not in row.data

    on_watch(test)


def test_a_watch_may_begin_where_nobody_signed_off() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        made = await node.take_over(COMES)
        assert made.signed_off_utc is None
        await node.take_over(LEAVES)  # the officer before fell ill

    on_watch(test)


def test_languages_that_are_none_take_nothing_over() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(InvalidInputError):
            await node.take_over(COMES, ["Russian"])
        assert pair.blue.core.watch.shift(DESKS[0]) is None
        assert not [m for m in await node.messages("red") if m.kind == "WATCH_CHANGE"]

    on_watch(test)


def test_a_change_of_watch_passes_a_suspended_line() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        await node.take_over(COMES)
        assert [m.kind for m in await node.messages("red")][-1] == "WATCH_CHANGE"

    suspend = Suspend(scope="ALL", effective_utc=format_utc(START_MS))
    on_watch(test, lambda pair: pair.say("blue", Kind.SUSPEND, suspend))


@pytest.mark.parametrize("who", [AUDITOR, ADMINISTRATOR])
def test_only_who_speaks_on_a_line_keeps_its_watch(who: Actor) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotPermittedError):
            await node.sign_off(who)
        with pytest.raises(NotPermittedError):
            await node.take_over(who)
        with pytest.raises(NotPermittedError):
            await node.tally(who, "red", format_utc(START_MS), format_utc(START_MS + 1))
        with pytest.raises(NotPermittedError):
            await node.outside_account(who, "1c" * 16, "newspaper", {"time": "x"})

    on_watch(test)


@pytest.mark.parametrize("kind", ["WATCH_CHANGE", "TALLY"])
def test_what_the_node_counts_or_keeps_is_not_sent_by_hand(kind: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "WATCH_CHANGE": {"desk": "watch", "at_utc": format_utc(START_MS), "languages": ["en"]},
        "TALLY": {
            "start_utc": format_utc(START_MS),
            "end_utc": format_utc(START_MS + 1),
            "incidents": {},
            "breaches": {},
        },
    }

    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(InvalidInputError, match="not sent one by one"):
            await node.send(LEAVES, "red", kind, bodies[kind])

    on_watch(test)


# ---- nobody comes --------------------------------------------------------------------------


def sign_off(pair: NodePair, gap_ms: int = 30 * MINUTE_MS) -> None:
    core, now = pair.blue.core, pair.world.now
    pair.world.commit(pair.blue, core.watch.sign_off(LEAVES, (), now.utc_ms + gap_ms, now))


def test_a_watch_that_nobody_takes_over_is_told_when_the_gap_is_over() -> None:
    with node_pair() as pair:
        sign_off(pair)
        pair.run_for(29 * 60)
        assert "WATCH_NOT_TAKEN" not in pair.rules("blue")
        pair.run_for(2 * 60)
        assert pair.alert("blue", "WATCH_NOT_TAKEN").object is None
        assert "desk watch" in pair.alert("blue", "WATCH_NOT_TAKEN").text
        assert pair.raised("blue", "WATCH_NOT_TAKEN") == 1
        pair.world.commit(pair.blue, pair.blue.core.watch.take_over(COMES, pair.world.now))
        assert "WATCH_NOT_TAKEN" not in pair.rules("blue")


def test_a_restart_forgets_neither_who_left_nor_that_nobody_came() -> None:
    with node_pair() as pair:
        sign_off(pair)
        pair.world.restart("blue")
        with pytest.raises(LineStateError, match="from themselves"):
            pair.blue.core.watch.require_takeable(LEAVES)
        pair.run_for(31 * 60)
        assert "WATCH_NOT_TAKEN" in pair.rules("blue")


def test_sheet_shows_the_time_that_a_standby_gave_and_that_it_was_given() -> None:
    def stood_by(pair: NodePair) -> None:
        asked = pair.say("red", Kind.QUERY, query_body())
        pair.run_for(20)
        body = Standby(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("blue", Kind.STANDBY, body, ref=asked)

    async def inside(pair: NodePair, node: Node) -> None:
        (thread,) = pair.line("blue").book.threads
        assert thread.standby_ms is not None
        due = format_utc(thread.standby_ms + 60_000)
        (each,) = node.open_messages()
        assert each.due_utc == due
        assert each.seen
        (item,) = (one for one in node.handover(DESKS[0]).items if one.about == thread.hash)
        assert item.due_utc == due
        assert "STANDBY was given at 2015-09-30 06:00:2" in item.text
        assert "the time for the answer runs to 2015-09-30 06:01:2" in item.text

    on_watch(inside, stood_by)
