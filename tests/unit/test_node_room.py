"""Two nodes, one of them short of room: what is said, shown, kept and taken along."""

import pytest

from deconflict.errors import NoRoomError
from deconflict.line.envelope import read_envelope
from deconflict.line.precedence import Precedence
from deconflict.line.room import ENOUGH, FIRST_REFUSED, shortage_that_refuses
from deconflict.messages.bodies import LineCheck, Seen
from deconflict.messages.kinds import Kind
from deconflict.node.core import Say
from deconflict.replay.world import DESKS
from node_pair import NodePair, cease, declaration, node_pair

NO_ROUTINE = shortage_that_refuses(Precedence.ROUTINE)
NOTHING_BUT_FLASH = shortage_that_refuses(Precedence.IMMEDIATE)


def check(pair: NodePair, precedence: Precedence, party: str = "blue") -> str:
    say = Say(
        kind=Kind.LINE_CHECK,
        body=LineCheck(text="4821 0937"),
        desk=DESKS[0],
        precedence=precedence,
    )
    peer = pair.peer_of(party)
    return pair.world.say(party, peer, [say])[0].hash


def results(pair: NodePair, readback: str) -> int:
    said = [read_envelope(row.data) for row in pair.red.store.entries(pair.line_id, "blue")]
    return sum(each.kind == Kind.READBACK_RESULT and each.ref == readback for each in said)


def state(pair: NodePair, message: str) -> str:
    return pair.line("blue").machine.state_of(message).state.value


def test_a_refused_message_is_shown_with_its_reason_kept_and_delivered_when_there_is_room() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        pair.red.core.shortage = NO_ROUTINE
        message = check(pair, Precedence.ROUTINE)
        pair.run_for(1)
        assert state(pair, message) == "REFUSED"
        alert = pair.alert("blue", "REFUSED")
        assert alert.text.startswith("REFUSED, NO ROOM. red signed that its disk has no room for")
        assert alert.urgency == "ROUTINE"
        (kept,) = pair.blue.store.evidence(pair.line_id)
        assert kept.reason == "Refused"
        assert message.encode() in kept.data
        assert pair.line("red").machine.peer_logged == pair.line("blue").machine.own_receipted
        pair.red.core.shortage = ENOUGH
        pair.run_for(31)
        assert state(pair, message) == "LACKED"
        assert "REFUSED" not in pair.rules("blue")


def test_the_result_of_a_readback_is_said_once_the_reader_has_room_for_it() -> None:
    with node_pair() as pair:
        pair.red.core.shortage = NOTHING_BUT_FLASH
        noticed = declaration(1)
        (message,) = pair.declare("blue", noticed)
        pair.run_for(1)
        pair.red.core.shortage = ENOUGH
        check(pair, Precedence.FLASH)  # behind it, so red takes the declaration along
        pair.run_for(1)
        readback = pair.read_back("red", noticed, message)
        pair.run_for(1)
        assert results(pair, readback) == 0  # red signed that it has no room for so long
        pair.run_for(60)
        assert results(pair, readback) == 1


def test_the_desk_without_room_is_told_once_for_each_class_and_when_it_is_over() -> None:
    with node_pair() as pair:
        for level in (1, 2, 3, 1, 0):
            pair.red.core.shortage = frozenset(FIRST_REFUSED[:level])
            pair.run_for(2)
            told = [rule for rule in pair.rules("red") if rule == "NO_ROOM_HERE"]
            assert len(told) == level
        assert pair.raised("red", "NO_ROOM_HERE") == 3
        assert pair.raised("blue", "NO_ROOM_HERE") == 0


def test_what_has_no_room_here_is_not_said_and_takes_no_slot() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        pair.blue.core.shortage = NOTHING_BUT_FLASH
        head = pair.line("blue").machine.own_head
        with pytest.raises(NoRoomError, match="disk of this node is nearly full"):
            check(pair, Precedence.IMMEDIATE)
        with pytest.raises(NoRoomError, match="PRIORITY"):
            pair.declare("blue", declaration(1))
        assert pair.line("blue").machine.own_head == head
        pair.say("blue", Kind.CEASE, cease(at=None, declaration_id=f"{1:032x}"))


def test_after_a_refusal_nothing_as_little_urgent_is_put_before_the_next_alert() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        pair.red.core.shortage = NO_ROUTINE
        refused = check(pair, Precedence.ROUTINE)
        pair.run_for(1)
        with pytest.raises(NoRoomError, match="red signed that it has no room for ROUTINE"):
            check(pair, Precedence.ROUTINE)
        urgent = check(pair, Precedence.IMMEDIATE)
        pair.run_for(1)
        # The chain has one order: what stands before an urgent message goes with it.
        assert (state(pair, refused), state(pair, urgent)) == ("LACKED", "LACKED")
        pair.run_for(30)
        pair.red.core.shortage = ENOUGH
        check(pair, Precedence.ROUTINE)


@pytest.mark.parametrize("level", range(4))
def test_a_cease_and_its_answer_pass_at_every_level_on_both_sides(level: int) -> None:
    with node_pair() as pair:
        pair.declare("red", declaration(1))
        pair.run_for(1)
        for station in (pair.blue, pair.red):
            station.core.shortage = frozenset(FIRST_REFUSED[:level])
        message = pair.say("blue", Kind.CEASE, cease(f"{1:032x}"))
        pair.run_for(1)
        assert "CEASE_RECEIVED" in pair.rules("red")
        seen = Seen(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("red", Kind.SEEN, seen, ref=message)
        pair.run_for(1)
        assert state(pair, message) == "SEEN"


def test_a_node_that_starts_again_short_of_room_refuses_again_and_loses_nothing() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        pair.red.core.shortage = NO_ROUTINE
        message = check(pair, Precedence.ROUTINE)
        pair.run_for(1)
        pair.world.restart("red").core.shortage = NO_ROUTINE
        pair.world.restart("blue")
        pair.run_for(2)
        assert state(pair, message) == "REFUSED"
        pair.red.core.shortage = ENOUGH
        pair.run_for(31)
        assert state(pair, message) == "LACKED"
