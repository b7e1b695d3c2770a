"""Whatever both sides say of calls at once, they come to the same, also after a restart."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deconflict.airspace.instant import format_utc
from deconflict.errors import DeconflictError
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import (
    CallLanguage,
    CallRecord,
    CallRole,
    Medium,
    Readout,
    ReadoutText,
    ReadoutWithheld,
    Slot,
    Subject,
    TalkAccept,
    TalkEnd,
    TalkOffer,
    TalkReason,
    Tier,
)
from deconflict.node.call_views import call_view, talk_view
from node_pair import HOUR_MS, START_MS, NodePair, node_pair

TURNS = st.lists(st.sampled_from(("blue", "red", "deliver")), min_size=4, max_size=16)


def slot(number: int) -> Slot:
    start_ms = START_MS + (24 + number) * HOUR_MS
    return Slot(format_utc(start_ms), format_utc(start_ms + HOUR_MS))


def body(pair: NodePair, party: str, kind: Kind, ref: str | None, choice: int) -> Any:
    call = pair.line(party).book.calls.call_of(ref) or "ab" * 32
    match kind:
        case Kind.TALK_REQUEST | Kind.TALK_PROPOSE:
            return TalkOffer(
                tier=Tier.WATCH,
                subject=Subject.OTHER,
                slots=(slot(choice), slot(2)),
                languages=(CallLanguage.ENGLISH,),
                media=(Medium.PHONE,),
            )
        case Kind.TALK_ACCEPT:
            return TalkAccept(slot=slot(choice), medium=Medium.PHONE)
        case Kind.TALK_DECLINE | Kind.TALK_CANCEL:
            return TalkEnd(reason=(TalkReason.TIME, TalkReason.SETTLED)[choice])
        case Kind.CALL_RECORD:
            return CallRecord(
                start_utc=format_utc(START_MS - HOUR_MS),
                end_utc=format_utc(START_MS - (choice + 1) * 60_000),
                tier=Tier.WATCH,
                medium=Medium.PHONE,
                languages=(CallLanguage.ENGLISH,),
                participants={"blue": (CallRole.WATCH_OFFICER,)},
            )
        case Kind.READOUT_WITHHELD:
            return ReadoutWithheld(call=call)
    return ReadoutText(
        readout=Readout(call=call, texts={CallLanguage.ENGLISH: (f"Text {choice}.",)})
    )


def shown(pair: NodePair, party: str) -> tuple[Any, ...]:
    """Everything of calls that does not name whose screen it is."""
    line = pair.line(party)
    talks = [talk_view(line, talk, pair.world.now, "en") for talk in line.book.talks]
    calls = [call_view(line, call) for call in line.book.calls]
    return (
        sorted(
            (
                (t.talk_id, t.state, t.message, t.call_id, t.start_utc, t.ended_by, t.reason)
                for t in talks
            ),
            key=str,
        ),
        sorted(
            (
                c.call_id,
                sorted((r.party, r.message) for r in c.records),
                [each.field for each in c.differing],
                sorted((r.state, str(r.by), str(r.readout_hash)) for r in c.readouts),
            )
            for c in calls
        ),
        {thread.hash for thread in line.book.threads},
    )


def moves(pair: NodePair, party: str) -> list[tuple[Kind, str | None]]:
    """What a party could say next, by what it holds: kinds with what they cite."""
    book = pair.line(party).book
    found: list[tuple[Kind, str | None]] = [(Kind.TALK_REQUEST, None), (Kind.CALL_RECORD, None)]
    for talk in book.talks:
        answers = (Kind.TALK_PROPOSE, Kind.TALK_ACCEPT, Kind.TALK_ACCEPT, Kind.TALK_DECLINE)
        found += [(kind, talk.standing.hash) for kind in answers]
        found += [(Kind.TALK_CANCEL, name) for name in talk.messages()[-2:]]
    for call in book.calls:
        of_a_call = (Kind.CALL_RECORD, Kind.READOUT_PROPOSE, Kind.READOUT_OWN)
        found += [(kind, call.call_id) for kind in (*of_a_call, Kind.READOUT_WITHHELD)]
        for name in call.proposals:
            found += [(Kind.READOUT_AGREE, name), (Kind.READOUT_PROPOSE, name)]
    return found


@pytest.mark.parametrize("seed", [0, 1])
@settings(max_examples=40, deadline=None)
@given(TURNS, st.data())
def test_both_sides_come_to_the_same(seed: int, turns: list[str], data: st.DataObject) -> None:
    with node_pair(seed=seed) as pair:
        pair.say("blue", Kind.TALK_REQUEST, body(pair, "blue", Kind.TALK_REQUEST, None, 0))
        pair.run_for(1)
        for turn in turns:
            if turn == "deliver":
                pair.run_for(1)
                continue
            kind, ref = data.draw(st.sampled_from(moves(pair, turn)))
            said = body(pair, turn, kind, ref, data.draw(st.integers(0, 1)))
            with suppress(DeconflictError):  # refused at its sender: nothing was said
                pair.say(turn, kind, said, ref=ref)
        pair.run_for(3)
        blue = shown(pair, "blue")
        assert shown(pair, "red") == blue
        for party in ("blue", "red"):
            pair.world.restart(party)
            assert shown(pair, party) == blue
