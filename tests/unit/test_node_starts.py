"""A start that asks first, beside copies, changes of key, exercises and slow disks."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from test_node_key_change import SOON_S, change, rooted
from test_node_key_change import require_whole as whole_under_keys
from test_node_restore import MUTE, STARTED, back_up, declared, put_back, require_whole

from deconflict.line.envelope import read_envelope
from deconflict.line.resync import MuteReason, Silence
from deconflict.messages.kinds import Kind
from deconflict.node.rows import sealed_again
from deconflict.node.work import Work
from deconflict.replay.world import Station
from node_pair import LATAKIA, NodePair, cease, declaration, node_pair

DEAF = Silence(deaf=True, reason=MuteReason.RECORD_BEHIND)


@contextmanager
def slow_disk(pair: NodePair, party: str, ms: int) -> Iterator[None]:
    """Let what one party writes be durable only so much later."""
    world, commit, slow = pair.world, pair.world.commit, pair.station(party)

    def slowly(station: Station, work: Work) -> None:
        if station is slow and not work.is_empty():
            world.at(world.now.utc_ms + ms, lambda: commit(station, work))
        else:
            commit(station, work)

    world.commit = slowly  # type: ignore[method-assign]
    try:
        yield
    finally:
        world.commit = commit  # type: ignore[method-assign]


def ask_later(pair: NodePair, party: str, ms: int) -> None:
    """Let a start ask its peer only so much later, as where the first questions are lost."""
    resync = pair.line(party).machine.resync
    resync._not_before_ms = pair.world.now.monotonic_ms + ms


def epochs(pair: NodePair, party: str) -> int:
    return len(pair.station(party).store.epochs(pair.line_id, party))


def test_no_slot_is_signed_twice_where_the_peer_that_was_asked_is_deaf() -> None:
    with node_pair() as pair:
        backups = [back_up(pair, party) for party in ("blue", "red")]
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        said = pair.line("blue").machine.own_head
        assert said is not None
        put_back(backups[0], STARTED)  # its guard is of the same copy, and shows nothing
        put_back(backups[1], MUTE)
        pair.run_for(2 * SOON_S)
        pair.declare("blue", declaration(2))
        pair.run_for(SOON_S)
        row = pair.blue.store.entry_at(pair.line_id, "blue", said.epoch, said.seq)
        assert row is None or row.hash == said.hash


def test_a_copy_is_found_while_an_entry_of_the_peer_is_on_its_way_to_the_disk() -> None:
    with node_pair() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 3_000)
        backup = back_up(pair, "blue")
        pair.declare("red", declaration(3))  # before it heard what the copy forgets
        pair.run_for(1)
        pair.declare("blue", declaration(1))
        head = pair.line("red").machine.own_head
        assert head is not None
        world.lost.add(head.hash)
        pair.run_for(4)
        assert declared(pair, "red", "blue")
        world.lost.discard(head.hash)
        put_back(backup, STARTED)
        with slow_disk(pair, "blue", 30):
            pair.line("red").machine.hurry(world.now)
            pair.run_for(SOON_S)
        pair.run_for(SOON_S)
        require_whole(pair)


def test_a_copy_is_found_as_a_listener_while_a_late_duplicate_is_on_its_way_to_the_disk() -> None:
    with node_pair() as pair:
        world = pair.world
        pair.declare("blue", declaration(9))
        pair.run_for(SOON_S)
        backup = back_up(pair, "blue")
        pair.declare("red", declaration(3))
        pair.run_for(SOON_S)
        row = list(pair.red.store.entries(pair.line_id, "red"))[-1]
        put_back(backup, STARTED)
        with slow_disk(pair, "blue", 100):
            for _ in range(3):
                pair.run_for(0.03)
                sealed = sealed_again(row, pair.red.core.keys)
                heard = pair.blue.core.hear("red", pair.line_id, [sealed], world.now)
                world.commit(pair.blue, heard.work)
            pair.run_for(SOON_S)
        pair.run_for(SOON_S)
        require_whole(pair)


@pytest.mark.parametrize("revoked", [False, True], ids=["rotated", "revoked"])
def test_a_key_that_waits_opens_no_epoch_before_the_peer_was_asked(revoked: bool) -> None:
    with rooted() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(2))
        pair.run_for(SOON_S)
        change(pair, "blue", revoked=revoked)
        put_back(backup, STARTED)
        pair.run_for(2 * SOON_S)
        whole_under_keys(pair, blue=1)
        assert pair.raised("blue", "LINE_MUTE") == 0
        assert not list(pair.red.store.evidence(pair.line_id))


def test_a_revocation_at_a_start_opens_one_epoch_on_a_slow_disk() -> None:
    with rooted() as pair:
        world = pair.world
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(2))
        head = pair.line("blue").machine.own_head
        assert head is not None
        world.lost.add(head.hash)
        pair.run_for(2)
        world.restart("blue", silence=STARTED)
        before = epochs(pair, "blue")
        ask_later(pair, "blue", 1_500)
        pair.run_for(1)
        change(pair, "blue", revoked=True)
        with slow_disk(pair, "blue", 100):
            pair.run_for(3)
        world.lost.clear()
        pair.run_for(SOON_S)
        whole_under_keys(pair, blue=1)
        assert epochs(pair, "blue") == before + 1


def test_a_receipt_made_under_a_key_that_a_copy_forgot_does_not_stop_it() -> None:
    with rooted() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(11))
        pair.run_for(SOON_S)
        backup = back_up(pair, "blue")
        change(pair, "blue", 1)
        pair.run_for(SOON_S)
        pair.declare("red", declaration(12))
        pair.run_for(SOON_S)
        change(pair, "blue", 2, revoked=True)
        put_back(backup, STARTED)
        pair.run_for(2 * SOON_S)
        whole_under_keys(pair, blue=2)
        assert pair.raised("blue", "RESYNC_STUCK") == 0


def test_the_result_of_a_readback_outlasts_a_change_of_key_that_got_no_answer() -> None:
    with rooted() as pair:
        world, machine = pair.world, pair.line("blue").machine
        (message,) = pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        changing = pair.blue.core._key_changing
        look = changing.look

        def just_then(line: object, work: Work, now: object) -> None:
            if pair.blue.core._hearing._owed and not machine.resync.changing_key:
                changing._since_ms[pair.line_id] = world.now.monotonic_ms - 10_000
                look(line, work, now)  # type: ignore[arg-type]
                assert machine.resync.changing_key
                world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 15_000)
            elif machine.resync.changing_key:
                look(line, work, now)  # type: ignore[arg-type]

        pair.read_back("red", declaration(1), message)
        change(pair, "blue")
        pair.declare("blue", declaration(2))
        head = machine.own_head
        assert head is not None
        world.lost.add(head.hash)
        changing.look = just_then  # type: ignore[method-assign,assignment]
        pair.run_for(12)
        assert not machine.resync.changing_key
        changing.look = look  # type: ignore[method-assign]
        world.lost.clear()
        rows = pair.blue.store.entries(pair.line_id, "blue")
        assert "READBACK_RESULT" in {read_envelope(row.data).kind for row in rows}


def test_a_real_flash_that_is_said_again_ends_an_exercise_too() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        pair.world.restart("blue", silence=DEAF)
        ask_later(pair, "blue", 500)
        pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(SOON_S)
        assert "CEASE_RECEIVED" in pair.rules("blue")
        assert pair.blue.core.drills.on(pair.line_id, pair.world.now) is None


def test_a_flash_that_a_start_puts_off_stays_on_the_screen_until_it_is_logged() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        put_back(backup, STARTED)
        ask_later(pair, "blue", 5_000)
        pair.say("red", Kind.CEASE, cease(at=LATAKIA))  # cites what the copy forgot
        pair.run_for(0.5)
        for _ in range(30):
            pair.run_for(0.1)
            assert "HEARD_WHILE_MUTE" in pair.rules("blue")
        pair.run_for(SOON_S)
        assert "HEARD_WHILE_MUTE" not in pair.rules("blue")
        assert "CEASE_RECEIVED" in pair.rules("blue")
