"""A node has its chain cosigned by a third witness: what is kept, shown, and found out by it."""

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import msgspec
import pytest
from witness_door import WitnessDoor

from deconflict.errors import BadSignatureError
from deconflict.line.keys import SigningKey
from deconflict.line.moment import Now
from deconflict.line.note import NoteKey, NoteKind, read_note
from deconflict.messages.phrases import render_named
from deconflict.messages.words import LANGUAGES
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_lines import CheckpointItem, decoded
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_verified import VerifiedBundle, VerifiedChain
from deconflict.node.settings import ThirdWitness
from deconflict.node.show import line_view
from deconflict.node.views import WitnessView
from deconflict.node.witness.asking import Asking
from deconflict.node.work import Work
from deconflict.replay.world import Station, World
from deconflict.store.base import Batch, NoteRow
from deconflict.store.sqlite import SqliteStore
from node_pair import NodePair, declaration, node_pair

SOON_S = 12  # both sides have fixed what was said
HOUR_S = 3_600


@dataclass(slots=True)
class Driver:
    """Commits what the core makes of a witness's answers, in the world's time."""

    world: World
    station: Station

    def now(self) -> Now:
        return self.world.now

    def commit(self, work: Work) -> Awaitable[None]:
        async def done() -> None:
            self.world.commit(self.station, work)

        return done()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[WitnessDoor]:
    with WitnessDoor(tmp_path / "agency") as opened:
        yield opened


@pytest.fixture
def pair(door: WitnessDoor) -> Iterator[NodePair]:
    with node_pair() as made:
        for party in ("blue", "red"):
            door.knows(made.line_id, party, made.station(party).core.key.verify_key)
        yield made


def asking(
    pair: NodePair, door: WitnessDoor, party: str = "blue", *, url: str = "", vkey: str = ""
) -> Asking:
    witness = ThirdWitness(
        vkey or door.folder.note_key.to_text(), url or door.url, str(door.folder.root_path)
    )
    station = pair.station(party)
    driver = Driver(pair.world, station)
    return Asking(witness, Path(), core=station.core, store=station.store, driver=driver)


def ask(asking: Asking, pair: NodePair) -> bool:
    return asyncio.run(asking.ask(pair.line_id))


def say(pair: NodePair, *numbers: int, party: str = "blue") -> None:
    for number in numbers:
        pair.declare(party, declaration(number))
    pair.run_for(SOON_S)


def view(pair: NodePair, party: str = "blue") -> WitnessView:
    (seen,) = line_view(pair.line(party), 0, pair.world.now).witnesses
    return seen


def bundle(pair: NodePair, party: str = "blue") -> list[bytes]:
    station = pair.station(party)
    peer = pair.station(pair.peer_of(party)).core.key.verify_key
    return list(
        export_bundle(
            station.store,
            pair.line_id,
            signer=station.core.key,
            peer_key=peer,
            exported_utc_ms=pair.world.now.utc_ms,
        )
    )


def verified(pair: NodePair, lines: list[bytes], *witnesses: NoteKey) -> VerifiedBundle:
    trusted = {party: pair.station(party).core.key.verify_key for party in ("blue", "red")}
    return verify_bundle(lines, trusted, witnesses=witnesses)


def chain_of(proven: VerifiedBundle, party: str) -> VerifiedChain:
    (chain,) = (one for one in proven.chains if one.party == party)
    return chain


def old_copy(station: Station) -> SqliteStore:
    copy = apsw.Connection(":memory:")
    with copy.backup("main", station.store._connection, "main") as backup:
        backup.step()
    return SqliteStore(copy, ":memory:")


# ---- what is kept and shown --------------------------------------------------------------------


def test_what_both_sides_have_fixed_is_shown_to_the_witness_and_seen(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1, 2)
    one = asking(pair, door)
    assert (view(pair).messages, view(pair).seen_utc) == (0, None)
    assert view(pair).waiting == 3  # the terms, and two declarations
    assert ask(one, pair)
    assert (view(pair).messages, view(pair).waiting, view(pair).problem) == (3, 0, None)
    say(pair, 3)
    assert view(pair).waiting > 0
    assert ask(one, pair)
    said = pair.blue.store.count(pair.line_id, "blue")
    assert view(pair).messages == said
    (state,) = door.ledger.chains()
    assert state.head.size == said


def test_the_witness_is_shown_the_own_signature_alone(pair: NodePair, door: WitnessDoor) -> None:
    say(pair, 1)
    ask(asking(pair, door), pair)
    (state,) = door.ledger.chains()
    (line,) = read_note(state.note).signatures
    assert line.name == state.checkpoint.origin.name
    assert b"red" not in state.note


def test_a_restart_goes_on_from_where_the_witness_stood(pair: NodePair, door: WitnessDoor) -> None:
    say(pair, 1)
    ask(asking(pair, door), pair)
    seen = view(pair)
    pair.world.restart("blue")
    one = asking(pair, door)
    assert (view(pair).messages, view(pair).seen_utc) == (seen.messages, seen.seen_utc)
    say(pair, 2)
    assert ask(one, pair)
    assert view(pair).messages > seen.messages


def test_a_bundle_shows_what_the_witness_saw_to_who_has_its_key(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    ask(asking(pair, door), pair)
    say(pair, 2)
    lines = bundle(pair)
    assert all(not chain.seen_by for chain in verified(pair, lines).chains)
    stranger = NoteKey("other.example", NoteKind.WITNESS, SigningKey(bytes(32)).verify_key)
    proven = verified(pair, lines, door.folder.note_key, stranger)
    (seen,) = chain_of(proven, "blue").seen_by
    assert seen.witness == "agency.example/w1"
    assert seen.messages < chain_of(proven, "blue").length
    assert seen.seen_utc == view(pair).seen_utc
    assert not chain_of(proven, "red").seen_by  # red asked nobody


def test_a_line_under_the_name_of_the_witness_that_does_not_hold_is_refused(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    ask(asking(pair, door), pair)
    ((row,),) = [pair.blue.store.notes("witnessed/")]
    assert row.value is not None
    (item,) = (
        found
        for found in map(decoded, bundle(pair))
        if isinstance(found, CheckpointItem) and b"agency" in found.exact
    )
    torn = bytearray(row.value)
    place = torn.rindex(b'"') - 20
    torn[place] = ord("A") if torn[place] != ord("A") else ord("B")
    pair.blue.store.commit(Batch(notes=[NoteRow(row.key, bytes(torn))]))
    lines = bundle(pair)
    verified(pair, lines)  # who does not know the witness looks at none of its lines
    with pytest.raises(BadSignatureError):
        verified(pair, lines, door.folder.note_key)
    assert item.exact.count("—".encode()) == 3


# ---- what the witness finds out ----------------------------------------------------------------


def test_a_record_and_guard_put_back_together_are_found_out_by_the_witness(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    copy = old_copy(pair.blue)
    say(pair, 2, 3)
    ask(asking(pair, door), pair)
    seen = view(pair).messages
    pair.world.cut("blue", "red", pair.world.now.utc_ms)
    pair.world.restart("blue", store=copy)  # with its guard: nothing tells it that it is old
    assert not ask(asking(pair, door), pair)
    assert view(pair).contradicts
    alert = pair.alert("blue", "WITNESS_CONTRADICTS")
    assert alert.urgency == "IMMEDIATE"
    assert alert.facts["theirs"] == seen
    assert alert.text.startswith("OWN RECORD IN DOUBT. The witness agency.example/w1")


def test_a_node_that_was_set_back_learns_it_a_moment_after_its_start(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    ask(asking(pair, door), pair)
    copy = old_copy(pair.blue)
    say(pair, 2, 3)
    ask(asking(pair, door), pair)
    pair.world.cut("blue", "red", pair.world.now.utc_ms)
    pair.world.restart("blue", store=copy)
    one = asking(pair, door)
    assert view(pair).waiting == 0  # as far as it knows, all is seen

    async def started() -> None:
        running = asyncio.create_task(one.run())
        for _ in range(100):
            await asyncio.sleep(0.05)
            if view(pair).contradicts:
                break
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(started())
    assert pair.alert("blue", "WITNESS_CONTRADICTS")


def test_asked_again_about_the_same_it_keeps_the_earlier_time(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    one = asking(pair, door)
    ask(one, pair)
    kept = pair.blue.store.notes("witness")
    assert ask(one, pair)
    assert pair.blue.store.notes("witness") == kept


def test_two_parties_that_rewrite_their_common_record_are_found_out_by_the_witness(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    copies = {party: old_copy(pair.station(party)) for party in ("blue", "red")}
    say(pair, 2, 3)
    say(pair, 4, party="red")
    for party in ("blue", "red"):
        assert ask(asking(pair, door, party), pair)
    honest = bundle(pair)
    for party, copy in copies.items():
        pair.world.restart(party, store=copy)
    say(pair, 7, 8, 9, 10, party="blue")  # another common history, longer than the first
    say(pair, 7, 8, 9, 10, party="red")
    forged = bundle(pair)
    # Between the two of them everything holds: both signed all of it.
    for party in ("blue", "red"):
        assert chain_of(verified(pair, forged), party).cosigned > 0
    for party in ("blue", "red"):
        assert not ask(asking(pair, door, party), pair)
        assert pair.alert(party, "WITNESS_CONTRADICTS")
    # And nobody who has the witness's key takes the forged record for the one it saw.
    key = door.folder.note_key
    length = chain_of(verified(pair, honest), "blue").length
    assert chain_of(verified(pair, honest, key), "blue").seen_by[0].messages == length
    assert not chain_of(verified(pair, forged, key), "blue").seen_by
    refused = door.ledger.contradictions()
    assert {one.reason for one in refused} == {"BrokenProofError"}
    assert {one.origin.split("/")[3] for one in refused} == {"blue", "red"}


def test_an_honest_line_goes_on_past_a_witness_that_contradicts(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    copies = {party: old_copy(pair.station(party)) for party in ("blue", "red")}
    say(pair, 2, 3)
    ask(asking(pair, door), pair)
    for party, copy in copies.items():
        pair.world.restart(party, store=copy)
    say(pair, 7, 8, 9)
    assert not ask(asking(pair, door), pair)
    before = pair.red.store.count(pair.line_id, "blue")
    say(pair, 11)
    assert pair.red.store.count(pair.line_id, "blue") == before + 1
    line = pair.line("blue").machine
    assert line.own_receipted == line.own_head


def test_a_witness_put_back_from_a_copy_is_proven_again_what_it_forgot(
    pair: NodePair, tmp_path: Path
) -> None:
    with WitnessDoor(tmp_path / "w") as door:
        for party in ("blue", "red"):
            door.knows(pair.line_id, party, pair.station(party).core.key.verify_key)
        say(pair, 1)
        ask(asking(pair, door), pair)
    copy = {file: file.read_bytes() for file in (tmp_path / "w").glob("ledger.sqlite*")}
    with WitnessDoor(tmp_path / "w") as door:
        say(pair, 2, 3)
        ask(asking(pair, door), pair)
    for file in (tmp_path / "w").glob("ledger.sqlite*"):
        file.unlink()
    for file, content in copy.items():
        file.write_bytes(content)
    with WitnessDoor(tmp_path / "w") as door:
        say(pair, 4)
        assert ask(asking(pair, door), pair)  # it says where it stands, and is shown that it grew
        assert (view(pair).problem, view(pair).contradicts) == (None, False)
        assert view(pair).messages == pair.blue.store.count(pair.line_id, "blue")


# ---- what is lost or damaged at home -----------------------------------------------------------


@pytest.mark.parametrize("damage", ["lost", "other subtrees", "no subtrees"])
def test_what_is_lost_of_where_the_witness_stands_is_worked_out_again(
    pair: NodePair, door: WitnessDoor, damage: str
) -> None:
    say(pair, 1, 2)
    ask(asking(pair, door), pair)
    (row,) = pair.blue.store.notes("witness/")
    standing = msgspec.json.decode(row.value or b"")
    if damage == "other subtrees":
        standing["peaks"][0] = "AAAA" + standing["peaks"][0][4:]
    else:
        standing["peaks"] = []
    value = None if damage == "lost" else msgspec.json.encode(standing)
    pair.blue.store.commit(Batch(notes=[NoteRow(row.key, value)]))
    pair.world.restart("blue")
    one = asking(pair, door)
    say(pair, 3)
    assert ask(one, pair)
    assert view(pair).messages == pair.blue.store.count(pair.line_id, "blue")


def test_an_answer_that_was_lost_is_had_again_to_the_byte(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    ask(asking(pair, door), pair)
    kept = pair.blue.store.notes("witness")
    pair.blue.store.commit(Batch(notes=[NoteRow(row.key, None) for row in kept]))
    pair.world.restart("blue")
    assert ask(asking(pair, door), pair)
    assert pair.blue.store.notes("witness") == kept


# ---- a witness that is not what it should be ---------------------------------------------------


def test_a_signature_of_another_key_is_not_kept(pair: NodePair, door: WitnessDoor) -> None:
    say(pair, 1)
    other = NoteKey("agency.example/w1", NoteKind.WITNESS, SigningKey(bytes(32)).verify_key)
    assert not ask(asking(pair, door, vkey=other.to_text()), pair)
    assert not pair.blue.store.notes("witness")
    assert view(pair).messages == 0
    assert "not signed by agency.example/w1" in str(view(pair).problem)


def test_a_witness_that_does_not_know_the_line_is_said_to_a_person(
    door: WitnessDoor,
) -> None:
    with node_pair() as pair:
        say(pair, 1)
        assert not ask(asking(pair, door), pair)
        assert "does not know this line" in str(view(pair).problem)


def test_a_witness_that_signs_nothing_for_an_hour_is_told_and_over_once_it_signs(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    station = pair.station("blue")
    nowhere = asking(pair, door, url="https://127.0.0.1:1")
    assert not ask(nowhere, pair)
    pair.run_for(HOUR_S / 2)
    assert not ask(nowhere, pair)
    assert "WITNESS_SILENT" not in pair.rules("blue")
    pair.run_for(HOUR_S / 2 + 60)
    assert not ask(nowhere, pair)
    alert = pair.alert("blue", "WITNESS_SILENT")
    assert (alert.urgency, alert.drill) == ("ROUTINE", False)
    assert alert.text.startswith("WITNESS SILENT. agency.example/w1 has signed for nothing")
    assert ask(asking(pair, door), pair)
    assert "WITNESS_SILENT" not in [one.rule for one in station.core.alerts]


def test_what_is_open_about_a_witness_is_over_when_it_is_asked_no_longer(
    pair: NodePair, door: WitnessDoor
) -> None:
    say(pair, 1)
    nowhere = asking(pair, door, url="https://127.0.0.1:1")
    ask(nowhere, pair)
    pair.run_for(2 * HOUR_S)
    ask(nowhere, pair)
    pair.world.restart("blue")
    pair.blue.core.asks_witnesses(["agency.example/w1"], pair.world.now)
    pair.run_for(5)
    assert "WITNESS_SILENT" in pair.rules("blue")
    pair.blue.core.asks_witnesses([], pair.world.now)
    pair.run_for(5)
    assert "WITNESS_SILENT" not in pair.rules("blue")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_reads_it_in_every_language(language: str) -> None:
    values = {"witness": "agency.example/w1", "peer": "red", "theirs": 9, "ours": 7}
    said = render_named("WITNESS_CONTRADICTS", values, language)
    assert "agency.example/w1" in said
    assert "9" in said
