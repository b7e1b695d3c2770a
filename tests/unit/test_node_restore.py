"""A node put back from an old copy: mute, asking, in a fresh epoch, and nobody is convicted."""

import asyncio
from typing import NamedTuple

import apsw
import pytest
from test_node_runtime import runtime_of

from deconflict.errors import LineStateError
from deconflict.line.resync import MuteReason, Silence
from deconflict.messages.bodies import Body, LineCheck, body_to_wire
from deconflict.messages.kinds import Kind
from deconflict.node.actor import Actor, Role
from deconflict.node.chains import way_of
from deconflict.node.disclosure import disclose
from deconflict.node.proof_lines import Disclosure
from deconflict.node.service import Node
from deconflict.node.views import Posted
from deconflict.node.work import Work
from deconflict.replay.world import DESKS, Station
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import verify_store
from node_pair import LATAKIA, NodePair, cease, declaration, node_pair

STARTED = Silence(unasked=True, unheard=True)
MUTE = Silence(mute=True, deaf=True, reason=MuteReason.RECORD_BEHIND)
SOON_S = 8.0  # more than every repetition
WATCH = Actor("watch", frozenset({Role.WATCH_OFFICER}), DESKS[0])
STEP_S = 0.1  # of the world's time, while a running node waits
REAL_STEP_S = 0.03  # a turn of what waits, and some


class Backup(NamedTuple):
    pair: NodePair
    party: str
    copy: SqliteStore


def back_up(pair: NodePair, party: str) -> Backup:
    copy = apsw.Connection(":memory:")
    with copy.backup("main", pair.station(party).store._connection, "main") as backup:
        backup.step()
    return Backup(pair, party, SqliteStore(copy, ":memory:"))


def put_back(backup: Backup, silence: Silence = MUTE) -> None:
    backup.pair.world.restart(backup.party, store=backup.copy, silence=silence)


def require_whole(pair: NodePair) -> None:
    """Both hold the same on the way, both records verify, nobody is accused of anything."""
    for author in ("blue", "red"):
        there = pair.peer_of(author)
        said, logged = (
            [
                (stretch, pair.station(holder).store.entry_at(pair.line_id, author, *stretch).hash)  # type: ignore[union-attr]
                for stretch in way_of(pair.station(holder).store, pair.line_id, author)
            ]
            for holder in (author, there)
        )
        assert said == logged
    keys = {
        party: {key.key_id: key}
        for party in ("blue", "red")
        for key in (pair.station(party).core.key.verify_key,)
    }
    for party in ("blue", "red"):
        station, line = pair.station(party), pair.line(party)
        assert line.machine.resync.whole
        assert line.machine.own_head == line.machine.own_receipted
        verify_store(station.store, keys)
        assert not {"FORKED_CHAIN", "RECEIPT_CONTRADICTS", "OWN_RECORD_IN_DOUBT"} & set(
            pair.rules(party)
        )
        assert not [row for row in station.store.evidence(pair.line_id) if "Fork" in row.reason]


def declared(pair: NodePair, holder: str, author: str) -> set[str]:
    return {
        one.declaration.declaration_id
        for one in pair.line(holder).book.picture
        if one.party == author
    }


def test_what_was_said_after_the_backup_comes_back_and_a_fresh_epoch_follows_it() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(1), declaration(2))
        pair.declare("red", declaration(3))
        pair.run_for(SOON_S)
        before = pair.line("blue").machine.own_head
        put_back(backup)
        assert declared(pair, "blue", "blue") == set()
        pair.run_for(SOON_S)
        require_whole(pair)
        assert "OWN_UNKNOWN" not in pair.rules("blue")  # its guard had seen them signed
        head = pair.line("blue").machine.own_head
        assert before is not None
        assert head is not None
        assert head.epoch != before.epoch
        assert (
            declared(pair, "blue", "blue")
            == declared(pair, "red", "blue")
            == {
                declaration(1).declaration_id,
                declaration(2).declaration_id,
            }
        )
        assert declared(pair, "blue", "red") == {declaration(3).declaration_id}
        pair.declare("blue", declaration(4))
        pair.run_for(SOON_S)
        require_whole(pair)
        assert declaration(4).declaration_id in declared(pair, "red", "blue")


def test_what_the_peer_never_held_is_said_again_in_the_fresh_epoch() -> None:
    with node_pair() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 60_000)
        pair.declare("blue", declaration(1))
        pair.run_for(1)
        backup = back_up(pair, "blue")
        pair.run_for(1)
        put_back(backup)
        pair.run_for(70)
        require_whole(pair)
        assert declared(pair, "red", "blue") == {declaration(1).declaration_id}
        said = list(pair.blue.store.entries(pair.line_id, "blue"))
        again = pair.line("blue").machine.own_head
        assert again is not None
        assert again.seq == 2
        left = [row for row in said if pair.line("blue").machine.left_behind(row.epoch, row.seq)]
        assert [
            pair.line("blue").delivery(row.hash, (row.epoch, row.seq)).state for row in left
        ] == ["SAID_AGAIN"]


def test_the_record_is_read_in_pages_across_epochs_each_message_once() -> None:
    async def read(pair: NodePair, limit: int) -> list[int]:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store)
            found: list[int] = []
            while page := await node.messages(
                pair.line_id, after_seq=found[-1] if found else 0, limit=limit, outgoing=True
            ):
                found += [message.position for message in page]
            return found

    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("blue", *(declaration(number) for number in range(1, 6)))
        pair.run_for(SOON_S)
        put_back(backup)
        pair.run_for(SOON_S)
        require_whole(pair)
        # What came back and the entry that opens the epoch became durable at one instant.
        entries = pair.blue.store.count(pair.line_id, "blue")
        for limit in (2, 3, 200):
            assert asyncio.run(read(pair, limit)) == list(range(1, entries + 1))


def test_a_mute_node_says_so_and_refuses_to_sign() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(1))
        pair.run_for(1)
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 30_000)
        put_back(backup)
        pair.run_for(2)
        assert pair.alert("blue", "LINE_MUTE").urgency == "FLASH"
        assert "by voice" in pair.alert("blue", "LINE_MUTE").text
        with pytest.raises(LineStateError, match="mute"):
            pair.declare("blue", declaration(2))
        with pytest.raises(LineStateError, match="mute"):
            pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(60)
        assert "LINE_MUTE" not in pair.rules("blue")
        assert "LINE_DEAF" not in pair.rules("blue")
        require_whole(pair)


def test_both_restored_do_not_wait_for_each_other() -> None:
    with node_pair() as pair:
        backups = [back_up(pair, party) for party in ("blue", "red")]
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(SOON_S)
        for backup in backups:
            put_back(backup)
        pair.run_for(SOON_S)
        require_whole(pair)
        pair.declare("blue", declaration(3))
        pair.declare("red", declaration(4))
        pair.run_for(SOON_S)
        require_whole(pair)
        assert declaration(3).declaration_id in declared(pair, "red", "blue")
        assert declaration(4).declaration_id in declared(pair, "blue", "red")


def test_restored_again_and_again_every_record_still_verifies() -> None:
    with node_pair(seed=3) as pair:
        for round_ in range(4):
            party = ("blue", "red")[round_ % 2]
            backup = back_up(pair, party)
            pair.declare("blue", declaration(10 + round_))
            pair.declare("red", declaration(20 + round_))
            pair.run_for((0.3, 2, SOON_S, 0)[round_])
            put_back(backup)
            pair.run_for(SOON_S)
            pair.declare("blue", declaration(30 + round_))
            pair.run_for(SOON_S)
            require_whole(pair)


def test_a_flash_that_comes_while_deaf_is_shown_and_not_receipted() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "red")
        put_back(backup, Silence(deaf=True, reason=MuteReason.RECORD_BEHIND))
        line = pair.line("red")
        line.machine.resync._not_before_ms = 2**60  # as if its questions were lost
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(2)
        assert "HEARD_WHILE_MUTE" in pair.rules("red")
        assert pair.line("blue").machine.own_receipted != pair.line("blue").machine.own_head
        line.machine.resync._not_before_ms = 0
        pair.run_for(SOON_S)
        assert "HEARD_WHILE_MUTE" not in pair.rules("red")
        assert "CEASE_RECEIVED" in pair.rules("red")
        require_whole(pair)


def test_an_epoch_behind_an_entry_the_peer_has_passed_is_refused_and_another_opened() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(2))
        pair.run_for(SOON_S)
        put_back(backup)
        # Opened without the peer's word, behind what it receipted in the copy.
        work = pair.blue.core.reopen(pair.line_id, pair.world.now)
        pair.world.commit(pair.blue, work)
        pair.declare("blue", declaration(3))  # goes out with the epoch, in one body
        pair.run_for(SOON_S)
        require_whole(pair)
        assert len(pair.blue.store.epochs(pair.line_id, "blue")) == 3
        assert declared(pair, "blue", "blue") == declared(pair, "red", "blue")
        assert declared(pair, "red", "blue") == {
            declaration(number).declaration_id for number in (1, 2, 3)
        }


def test_what_is_on_its_way_to_the_disk_when_the_answer_comes_is_not_left_behind() -> None:
    with node_pair() as pair:
        world, commit = pair.world, pair.world.commit
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(2))
        pair.run_for(SOON_S)
        put_back(backup, Silence(mute=True, reason=MuteReason.RECORD_BEHIND))
        commit(pair.blue, pair.blue.core.reopen(pair.line_id, world.now))

        def slowly(station: Station, work: Work) -> None:
            # A flush takes longer than refusal, question and answer together.
            if station is pair.blue and not work.is_empty():
                world.at(world.now.utc_ms + 500, lambda: commit(station, work))
            else:
                commit(station, work)

        world.commit = slowly  # type: ignore[method-assign]
        pair.run_for(0.01)
        pair.declare("blue", declaration(3))
        pair.run_for(2 * SOON_S)
        world.commit = commit  # type: ignore[method-assign]
        pair.run_for(SOON_S)
        require_whole(pair)
        assert len(pair.blue.store.epochs(pair.line_id, "blue")) == 3
        assert declaration(3).declaration_id in declared(pair, "red", "blue")


def test_a_restored_witness_goes_on_where_its_author_was_cosigned() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "red")
        pair.declare("blue", declaration(1), declaration(2))
        pair.run_for(25)
        before = pair.line("blue").machine.checkpoints.own_cosigned.size
        assert before > 0
        put_back(backup)
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(3))
        pair.run_for(30)
        require_whole(pair)
        assert pair.line("blue").machine.checkpoints.own_cosigned.size > before


# ---- record and guard put back together, from one copy ---------------------------------------


def test_a_start_that_lacks_nothing_asks_and_goes_on_in_its_epoch() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        before = pair.line("blue").machine.own_head
        pair.world.restart("blue", silence=STARTED)
        with pytest.raises(LineStateError, match="just started"):
            pair.declare("blue", declaration(2))
        pair.run_for(2)
        assert pair.line("blue").machine.resync.silence == Silence()
        pair.declare("blue", declaration(2))
        pair.run_for(SOON_S)
        require_whole(pair)
        head = pair.line("blue").machine.own_head
        assert before is not None
        assert head is not None
        assert head.epoch == before.epoch
        assert pair.raised("blue", "LINE_MUTE") == 0


def test_record_and_guard_of_one_copy_are_found_before_anything_is_signed() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(1), declaration(2))
        pair.declare("red", declaration(3))
        pair.run_for(SOON_S)
        before = pair.line("blue").machine.own_head
        put_back(backup, STARTED)
        pair.run_for(SOON_S)
        require_whole(pair)
        head = pair.line("blue").machine.own_head
        assert before is not None
        assert head is not None
        assert head.epoch != before.epoch
        ids = {declaration(number).declaration_id for number in (1, 2)}
        assert declared(pair, "blue", "blue") == declared(pair, "red", "blue") == ids
        # A thief of the key would leave the same: neither record nor guard knows of it.
        told = pair.alert("blue", "OWN_UNKNOWN")
        assert {name: told.facts[name] for name in ("messages", "number")} == {
            "messages": 2,
            "number": before.seq,
        }
        assert "OWN_UNKNOWN" not in pair.rules("red")
        pair.world.restart("blue", silence=STARTED)
        pair.run_for(SOON_S)
        assert "OWN_UNKNOWN" in pair.rules("blue")  # the next watch has not read it yet
        assert declared(pair, "blue", "red") == {declaration(3).declaration_id}


def test_a_copy_that_lacks_only_what_it_receipted_is_found_too() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("red", declaration(3))
        pair.run_for(SOON_S)
        put_back(backup, STARTED)
        pair.run_for(SOON_S)
        require_whole(pair)
        assert declared(pair, "blue", "red") == {declaration(3).declaration_id}


def test_a_peer_that_cites_what_a_copy_forgot_is_not_accused() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        pair.world.cut("blue", "red", pair.world.now.utc_ms, pair.world.now.utc_ms + 5_000)
        pair.declare("red", declaration(3))  # cites it, and arrives at the copy
        put_back(backup, STARTED)
        pair.run_for(20)
        require_whole(pair)
        assert not list(pair.blue.store.evidence(pair.line_id))
        assert not list(pair.red.store.evidence(pair.line_id))


def test_a_peer_that_cannot_be_reached_silences_nobody_who_just_started() -> None:
    with node_pair() as pair:
        world = pair.world
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 60_000)
        put_back(backup, STARTED)
        pair.run_for(4)
        world.commit(pair.blue, pair.blue.core.reopen(pair.line_id, world.now))
        pair.declare("blue", declaration(2))  # signed in an epoch that was never used
        pair.run_for(90)
        require_whole(pair)
        ids = {declaration(number).declaration_id for number in (1, 2)}
        assert declared(pair, "red", "blue") == ids


def test_two_nodes_that_start_at_once_do_not_wait_for_each_other() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(SOON_S)
        for party in ("blue", "red"):
            pair.world.restart(party, silence=STARTED)
        pair.run_for(4)
        for party in ("blue", "red"):
            assert pair.line(party).machine.resync.silence == Silence()
        require_whole(pair)


async def said_meanwhile(pair: NodePair, kind: Kind, body: Body, *, seconds: float) -> Posted:
    """Let blue's watch say something by the running node while the world goes on."""
    async with runtime_of(pair) as runtime:
        node = Node(pair.blue.core, runtime, pair.blue.store)
        wire = body_to_wire(body)
        said = asyncio.create_task(node.send(WATCH, pair.line_id, kind.value, wire))
        for _ in range(round(seconds / STEP_S)):
            await asyncio.sleep(0)
            await runtime.settled()  # the world writes to the same record, and must not overtake
            if said.done():
                break
            pair.run_for(STEP_S)
            await asyncio.sleep(REAL_STEP_S)
        return await said


@pytest.mark.parametrize("kind", [Kind.CEASE, Kind.LINE_CHECK])
def test_what_is_said_while_a_mute_node_has_its_answer_waits_for_it(kind: Kind) -> None:
    body = cease(at=LATAKIA) if kind is Kind.CEASE else LineCheck(text="4821 0937")
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(1))
        pair.run_for(1)
        put_back(backup)
        posted = asyncio.run(said_meanwhile(pair, kind, body, seconds=5))
        assert posted.state == "QUEUED"
        assert len(pair.blue.store.epochs(pair.line_id, "blue")) == 2
        pair.run_for(SOON_S)
        require_whole(pair)


def test_a_mute_node_whose_peer_is_away_says_cease_in_a_fresh_epoch_and_nothing_else() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        pair.declare("blue", declaration(1))
        pair.run_for(1)
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 15_000)
        put_back(backup)
        check = LineCheck(text="4821 0937")
        with pytest.raises(LineStateError, match="mute"):
            asyncio.run(said_meanwhile(pair, Kind.LINE_CHECK, check, seconds=5))
        posted = asyncio.run(said_meanwhile(pair, Kind.CEASE, cease(at=LATAKIA), seconds=5))
        assert posted.state == "QUEUED"
        pair.run_for(15)
        assert "CEASE_RECEIVED" in pair.rules("red")
        assert declared(pair, "blue", "blue") == {declaration(1).declaration_id}
        require_whole(pair)


def shown_alone(pair: NodePair, holder: str, message: str) -> Disclosure:
    core = pair.station(holder).core
    peer_key = pair.station(pair.peer_of(holder)).core.key.verify_key
    store = pair.station(holder).store
    return disclose(store, pair.line_id, message, signer=core.key, peer_key=peer_key)


def test_the_last_messages_before_a_fresh_epoch_are_said_to_be_provable_by_the_record_alone() -> (
    None
):
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        (message,) = pair.declare("blue", declaration(1))
        pair.run_for(1)
        put_back(backup)  # before a checkpoint could cover it
        pair.run_for(4 * SOON_S)
        for holder in ("blue", "red"):
            with pytest.raises(LineStateError, match="none will follow") as refused:
                shown_alone(pair, holder, message)
            assert "deconflict export --out" in refused.value.remedy
        (later,) = pair.declare("blue", declaration(2))
        pair.run_for(1)
        with pytest.raises(LineStateError, match="try again later"):
            shown_alone(pair, "red", later)
        pair.run_for(4 * SOON_S)
        assert shown_alone(pair, "red", later).line == pair.line_id


def test_a_message_left_behind_is_said_to_have_been_said_again() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        pair.world.lost.add(message)
        pair.run_for(1)
        put_back(back_up(pair, "blue"))
        pair.run_for(4 * SOON_S)
        with pytest.raises(LineStateError, match="said it again in a fresh epoch"):
            shown_alone(pair, "blue", message)
