"""What each side knew at an instant: what is signed proves it, and nothing else does."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from deconflict.airspace.instant import format_utc
from deconflict.errors import ForkedChainError, InvalidDocumentError, WrongLineError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.statement import ChainPoint
from deconflict.messages.bodies import (
    Ack,
    Answer,
    AnswerWord,
    CeaseReport,
    SaidWord,
    Standby,
    Suspend,
)
from deconflict.messages.kinds import Kind
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_lines import CONTEXT_BUNDLE
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.knowledge.apart import Apart, apart
from deconflict.node.knowledge.reading import Missing, read_record
from deconflict.replay.world import DESKS
from deconflict.store.base import Batch, EntryRow
from deconflict.store.sqlite import SqliteStore
from node_pair import MINUTE_MS, START_MS, NodePair, cease, declaration, node_pair, query
from record_samples import KEYS, LINE, LINE_ROW, SECRETS, Chain, conversation, receipt_for
from record_samples import START_MS as SAMPLES_MS
from told_records import Files, Replayed, replayed

END_MS = START_MS + 24 * 60 * MINUTE_MS


def sampled(folder: Path, said: Batch, name: str = "record") -> Path:
    """What blue exports of rows that were made by hand."""
    with SqliteStore.open(":memory:") as store:
        store.commit(said)
        lines = export_bundle(
            store, LINE, signer=SECRETS["blue"], peer_key=KEYS["red"], exported_utc_ms=SAMPLES_MS
        )
        (folder / name).write_bytes(b"".join(lines))
    return folder / name


def resealed(file: Path, change: Callable[[list[dict]], object], secret: str = "blue") -> Path:
    """The bundle with its lines changed and a right seal of its exporter: a lying exporter."""
    items = [json.loads(line) for line in file.read_bytes().splitlines()]
    seal = items.pop()
    change(items)
    body = b"".join(canonical_bytes(item) + b"\n" for item in items)
    digest = hashlib.sha256(body)
    seal["sha256"] = digest.hexdigest()
    signature = SECRETS[secret].sign(CONTEXT_BUNDLE, digest.digest())
    seal["signature"] = base64.b64encode(signature).decode()
    changed = file.with_name("changed")
    changed.write_bytes(body + canonical_bytes(seal) + b"\n")
    return changed


def cut_for_minutes(pair: NodePair, minutes: int) -> None:
    now_ms = pair.world.now.utc_ms
    pair.world.cut("blue", "red", now_ms, now_ms + minutes * MINUTE_MS)


def files_of(pair: NodePair, folder: Path) -> Files:
    return Files.of(pair.world, folder, "blue", "red")


# ---- said and held ---------------------------------------------------------------------------


@pytest.mark.parametrize("exporters", [("blue",), ("red",), ("blue", "red")])
def test_a_message_that_did_not_come_through_is_said_and_not_provably_held(
    tmp_path: Path, exporters: tuple[str, ...]
) -> None:
    with node_pair() as pair:
        pair.run_for(60)
        cut_for_minutes(pair, 27)
        asked = pair.say("red", Kind.CEASE, cease(at=None, declaration_id="1" * 32))
        pair.run_for(60)
        then = pair.world.now.utc_ms
        pair.run_for(30 * 60)
        read = files_of(pair, tmp_path).read(*exporters)
    blue = read.side("blue", then)
    assert [each.hash for each in blue.unproven] == [asked]
    assert (blue.held, blue.not_proven) == (1, 1)  # the acceptance of the terms came before
    assert blue.questions == ()
    red = read.side("red", then)
    # Without its own record nobody knows what red may have had back.
    state = "OVERDUE" if "red" in exporters else "NOT_KNOWN"
    assert (red.said, red.questions[0].state) == (2, state)
    later = read.side("blue", END_MS)
    assert (later.held, later.not_proven) == (2, 0)
    held = read.message(asked).held
    assert held is not None
    assert held.by_utc > format_utc(then)


def test_the_others_record_proves_earlier_what_a_side_held(tmp_path: Path) -> None:
    with node_pair() as pair:
        asked = pair.say("red", Kind.QUERY, query())
        pair.run_for(60)
        files = files_of(pair, tmp_path)
        alone, both = files.read("blue"), files.read("blue", "red")
    own, other = alone.message(asked).held, both.message(asked).held
    assert own is not None
    assert other is not None
    assert (own.proof, other.proof) == ("COSIGNED", "RECEIPT")
    assert other.by_utc < own.by_utc
    # When its node wrote it down is known as well, and nobody signed that.
    assert alone.message(asked).holder_says_utc == other.at_utc


def test_a_message_within_the_error_of_the_clock_is_only_perhaps_said(tmp_path: Path) -> None:
    with node_pair() as pair:
        pair.run_for(60)
        at_ms = pair.world.now.utc_ms
        pair.say("blue", Kind.QUERY, query())
        pair.run_for(60)
        read = files_of(pair, tmp_path).read("blue")
    told = [
        (side.said, side.perhaps_said)
        for ms in (-1_001, -1_000, 999, 1_000)
        for side in [read.side("blue", at_ms + ms)]
    ]
    assert told == [(1, 0), (1, 1), (1, 1), (2, 0)]


def test_an_answer_is_the_first_proof_where_no_receipt_is_left(tmp_path: Path) -> None:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    first, second = blue.say(), blue.say()
    answer = red.say(kind="ACK", heard=ChainPoint(second.epoch, 2, second.hash), ref=second.hash)
    read = replayed([sampled(tmp_path, batch(first, second, answer))], KEYS)
    one, other = (read.message(each.hash).held for each in (first, second))
    assert one is not None
    assert other is not None
    assert (one.proof, other.proof) == ("ENTRY", "REPLY")
    assert (other.message, other.message_kind, other.seq) == (answer.hash, "ACK", 1)


def test_who_cites_a_message_proves_nothing_of_those_before_it(tmp_path: Path) -> None:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    said = [blue.say(), blue.say(), red.say(kind="ACK")]
    said[2] = Chain("red", "d" * 32).say(kind="ACK", ref=said[1].hash)
    read = replayed([sampled(tmp_path, batch(*said))], KEYS)
    assert read.message(said[0].hash).held is None
    held = read.message(said[1].hash).held
    assert held is not None
    assert held.proof == "REPLY"
    assert read.side("red", END_MS).held == 1


def test_a_proof_counts_with_the_error_of_its_signers_clock(tmp_path: Path) -> None:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    said = blue.say()
    rows = batch(said, red.say(after_ms=50), receipts=[receipt_for(said)])
    read = replayed([sampled(tmp_path, rows)], KEYS)
    held = read.message(said.hash).held
    assert held is not None
    assert (held.at_utc, held.clock_error_ms) == (format_utc(SAMPLES_MS + 1), 100)
    assert read.side("red", SAMPLES_MS + 100).held == 0
    assert read.side("red", SAMPLES_MS + 101).held == 1


def test_steps_of_private_checks_are_counted_beside_the_latest_messages(tmp_path: Path) -> None:
    blue = Chain("blue")
    said = blue.say()
    steps = [blue.say(kind=kind) for kind in ("PRIVATE_STEP", "PRIVATE_COIN") * 40]
    read = replayed([sampled(tmp_path, batch(said, *steps))], KEYS)
    side = read.side("blue", END_MS)
    assert ([each.hash for each in side.messages], side.steps) == ([said.hash], 80)
    assert side.said == 81


def test_the_last_instant_has_the_counts_of_the_proof(tmp_path: Path) -> None:
    read = replayed([sampled(tmp_path, conversation(6))], KEYS)
    for chain in read.proven[0].chains:
        peer = read.record.other(chain.party)
        assert read.side(chain.party, END_MS).said == chain.length == 6
        assert read.side(peer, END_MS).held == chain.length - chain.unreceipted == 5


def test_what_a_fresh_epoch_left_behind_was_never_held(tmp_path: Path) -> None:
    old, fresh = list(Chain("blue").say_many(3)), Chain("blue", "a" * 32)
    new = [fresh.open(old[1]), fresh.say(after_ms=9)]
    rows = batch(*old, *new, receipts=[receipt_for(old[1]), receipt_for(new[1])])
    read = replayed([sampled(tmp_path, rows)], KEYS)
    left = read.message(old[2].hash)
    assert (left.left_behind, left.held) == (True, None)
    red = read.side("red", END_MS)
    assert (red.held, red.not_proven) == (4, 1)
    key = read.side("red", END_MS).keys[1]
    assert (key.party, key.epoch, key.key_number) == ("blue", "a" * 32, 0)


def test_the_old_time_of_what_a_fresh_epoch_says_again_proves_nothing_before_it(
    tmp_path: Path,
) -> None:
    asked = Chain("red").say(kind="QUERY", after_ms=30_000)
    heard = ChainPoint(asked.epoch, asked.seq, asked.hash)
    old, fresh = list(Chain("blue").say_many(2)), Chain("blue", "a" * 32)
    opening = fresh.open(old[1], after_ms=60_000)
    again = fresh.say(after_ms=1_000, heard=heard)  # first written before red asked anything
    new = fresh.say(after_ms=61_000, heard=heard)
    rows = batch(*old, asked, opening, again, new)
    read = replayed([sampled(tmp_path, rows)], KEYS)
    assert apart(read.record) == ()
    held = read.message(asked.hash).held
    assert held is not None
    assert (held.message, held.by_utc) == (again.hash, format_utc(SAMPLES_MS + 60_100))
    assert read.message(again.hash).said_utc == format_utc(SAMPLES_MS + 1_000)
    # What goes back behind it is told as ever.
    back = batch(*old, asked, opening, again, new, fresh.say(after_ms=2_000))
    told = apart(replayed([sampled(tmp_path, back, "back")], KEYS).record)
    assert (told[0].party, told[0].by) == ("blue", "blue")


# ---- a lying exporter, clocks that do not agree ----------------------------------------------


def test_times_that_the_exporter_writes_beside_the_messages_prove_nothing(tmp_path: Path) -> None:
    file = sampled(tmp_path, conversation(6))

    def earlier(items: list[dict]) -> None:
        for item in items:
            for name in ("logged_utc", "stored_utc"):
                if name in item:
                    item[name] = "2015-09-29T00:00:00.000Z"
            if item.get("type") == "entry":
                item["delayed"] = False

    honest, lying = (replayed([each], KEYS) for each in (file, resealed(file, earlier)))
    assert [each.held for each in honest.told()] == [each.held for each in lying.told()]
    said = {each.holder_says_utc for each in lying.told() if each.party == "red"}
    assert said == {"2015-09-29T00:00:00.000Z"}  # told as its word
    assert {each.holder_says_utc for each in lying.told() if each.party == "blue"} == {None}


def test_an_exporter_that_leaves_proofs_out_makes_less_proven_and_nothing_earlier(
    tmp_path: Path,
) -> None:
    file = sampled(tmp_path, conversation(6))

    def shorter(items: list[dict]) -> None:
        items[:] = [item for item in items if item["type"] not in ("receipt", "checkpoint")]

    less = replayed([resealed(file, shorter)], KEYS)
    assert {each.held for each in less.told()} == {None}
    assert less.side("red", END_MS).not_proven == 6


def test_two_clocks_that_cannot_both_be_right_are_told(tmp_path: Path) -> None:
    said = Chain("blue").say(after_ms=60_000)
    early = receipt_for(replace(said, logged_utc_ms=SAMPLES_MS))
    read = replayed([sampled(tmp_path, batch(said, receipts=[early]))], KEYS)
    assert apart(read.record) == (Apart("blue", "red", 1, said.hash, 1, 59_900),)
    # It is red's own word that it held it then, and counts against red.
    assert read.side("red", SAMPLES_MS).held == 1
    assert read.side("blue", SAMPLES_MS).said == 0


def test_stamps_that_go_back_are_told(tmp_path: Path) -> None:
    blue = Chain("blue")
    late, back = blue.say(after_ms=60_000), blue.say(after_ms=1_000)
    read = replayed([sampled(tmp_path, batch(late, back))], KEYS)
    assert apart(read.record)[0] == Apart("blue", "blue", 2, late.hash, 1, 58_800)
    # Both were said by the earlier of the two times, or a stamp is not true: no more is said.
    assert read.side("blue", SAMPLES_MS + 1_100).said == 2


def test_a_file_that_changed_after_it_was_proven_is_not_read(tmp_path: Path) -> None:
    file = sampled(tmp_path, conversation(6))
    proven = verify_bundle([file.read_bytes()], KEYS)
    other = sampled(tmp_path, conversation(5), "other")
    with pytest.raises(InvalidDocumentError, match="changed while it was read"):
        read_record([other.read_bytes()], proven, KEYS, {})


# ---- two records -----------------------------------------------------------------------------


def test_what_one_record_lacks_is_told_with_what_its_side_had_signed_for(tmp_path: Path) -> None:
    with node_pair() as pair:
        pair.run_for(60)
        early = files_of(pair, tmp_path).path("red").read_bytes()
        pair.say("blue", Kind.QUERY, query())
        pair.run_for(60)
        files = files_of(pair, tmp_path)
        files.path("red").write_bytes(early)
        read = files.read("blue", "red")
    assert read.record.missing == (Missing("blue", "red", 1, 2, 1),)


def test_two_records_that_differ_in_one_slot_are_not_told_together(tmp_path: Path) -> None:
    one = sampled(tmp_path, batch(Chain("blue").say("as told to red")), "one")
    other = sampled(tmp_path, batch(Chain("blue").say("as told to others")), "other")
    with pytest.raises(ForkedChainError, match="one holds another message there"):
        replayed([one, other], KEYS)


def test_records_of_two_lines_are_not_told_together(tmp_path: Path) -> None:
    with node_pair() as pair:
        files = files_of(pair, tmp_path)
        one = files.read("blue")
    other = replayed([sampled(tmp_path, conversation(2))], KEYS)
    assert one.record.line_id != other.record.line_id
    proven = [*one.proven, *other.proven]
    paths = [files.path("blue"), *other.files]
    trusts = [files.keys, KEYS]
    from deconflict.node.knowledge.reading import join_records

    records = [
        read_record([path.read_bytes()], each, keys, {})
        for path, each, keys in zip(paths, proven, trusts, strict=True)
    ]
    with pytest.raises(WrongLineError):
        join_records(records)


# ---- what was in force, open, overdue --------------------------------------------------------


def test_a_declaration_is_in_force_for_the_other_side_from_the_proof_on(tmp_path: Path) -> None:
    with node_pair() as pair:
        pair.run_for(60)
        declared = declaration(1)
        said_ms = pair.world.now.utc_ms
        (message,) = pair.declare("blue", declared)
        pair.run_for(60)
        pair.read_back("red", declared, message)
        pair.run_for(60)
        read = files_of(pair, tmp_path).read("blue", "red")
    assert read.side("red", said_ms + 1_000).declarations == ()
    (held,) = read.side("red", said_ms + 10_000).declarations
    assert (held.party, held.read_back, held.begun) == ("blue", None, False)
    (after,) = read.side("blue", said_ms + 2 * MINUTE_MS).declarations
    assert after.read_back is True
    assert read.side("blue", END_MS).declarations == ()  # it is over


def test_an_answer_on_its_way_is_known_to_who_gave_it_alone(tmp_path: Path) -> None:
    with node_pair() as pair:
        pair.run_for(60)
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(20)
        cut_for_minutes(pair, 10)
        body = Answer(said=SaidWord.OURS, desk="watch", at_utc=pair.now_utc)
        pair.say("red", Kind.ANSWER, body, ref=asked)
        pair.run_for(120)
        then = pair.world.now.utc_ms
        pair.run_for(20 * 60)
        read = files_of(pair, tmp_path).read("blue", "red")
    assert read.side("red", then).questions == ()
    (open_,) = read.side("blue", then).questions
    assert (open_.message, open_.state, open_.answered_by) == (asked, "OVERDUE", None)
    assert read.side("blue", END_MS).questions == ()
    answered = read.message(asked).answered
    assert answered is not None
    assert answered.kind == "ANSWER"
    assert answered.held is not None


def test_a_standby_that_came_back_sets_the_time_anew(tmp_path: Path) -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(50)
        pair.say("red", Kind.STANDBY, Standby(desk="watch", at_utc=pair.now_utc), ref=asked)
        stood_ms = pair.world.now.utc_ms
        pair.run_for(30)
        then = pair.world.now.utc_ms
        pair.run_for(120)
        end_ms = pair.world.now.utc_ms
        read = files_of(pair, tmp_path).read("blue", "red")
    (open_,) = read.side("blue", then).questions
    assert (open_.state, open_.stood_by) == ("OPEN", True)
    assert open_.due_utc == format_utc(stood_ms + MINUTE_MS)
    assert read.side("blue", end_ms).questions[0].state == "OVERDUE"
    assert read.side("blue", END_MS).questions[0].state == "NOT_KNOWN"  # behind the record's end


def test_a_cease_that_was_acknowledged_is_not_over(tmp_path: Path) -> None:
    with node_pair() as pair:
        asked = pair.say("red", Kind.CEASE, cease("1" * 32))
        pair.run_for(5)
        pair.say("blue", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=asked)
        pair.run_for(300)
        read = files_of(pair, tmp_path).read("blue", "red")
    (open_,) = read.side("red", END_MS).questions
    assert (open_.kind, open_.state, open_.answered_by) == ("CEASE", "ANSWERED", "ACK")


def test_suspensions_exercises_and_terms_are_told_as_a_side_knew_them(tmp_path: Path) -> None:
    with node_pair() as pair:
        pair.run_for(60)
        cut_for_minutes(pair, 10)
        body = Suspend(scope="ALL", effective_utc=pair.now_utc, reason=301)
        pair.say("red", Kind.SUSPEND, body)
        pair.begin_drill("red", announced=True)
        pair.run_for(60)
        then = pair.world.now.utc_ms
        pair.run_for(20 * 60)
        after = pair.world.now.utc_ms
        read = files_of(pair, tmp_path).read("blue", "red")
    red, blue = read.side("red", then), read.side("blue", then)
    assert [(each.by, each.in_effect) for each in red.suspensions] == [("red", True)]
    assert [each.party for each in red.exercises] == ["red"]
    assert (blue.suspensions, blue.exercises) == ((), ())
    assert [each.scope for each in read.side("blue", after).suspensions] == ["ALL"]
    assert blue.terms is not None
    assert blue.terms.version == 1
    assert read.side("blue", START_MS).terms is None


def batch(*entries: EntryRow, receipts: list | None = None) -> Batch:
    return Batch(lines=[LINE_ROW], entries=list(entries), receipts=receipts or [])


def test_an_empty_record_says_that_nobody_knew_anything(tmp_path: Path) -> None:
    read: Replayed = replayed([sampled(tmp_path, Batch(lines=[LINE_ROW]))], KEYS)
    for side in read.at(END_MS).sides:
        assert (side.said, side.held, side.not_proven, side.knew_held) == (0, 0, 0, 0)
        assert [key.epoch for key in side.keys] == [None, None]
    assert read.told() == []


def test_ceased_that_is_taken_back_is_no_open_question_and_is_told(tmp_path: Path) -> None:
    with node_pair() as pair:
        asked = pair.say("red", Kind.CEASE, cease("1" * 32))
        pair.run_for(5)
        for kind in (Kind.CEASED, Kind.CONTINUING):
            report = CeaseReport(desk=DESKS[0], at_utc=pair.now_utc)
            pair.say("blue", kind, report, ref=asked)
            pair.run_for(5)
        pair.run_for(300)
        read = files_of(pair, tmp_path).read("blue", "red")
    side = read.side("red", END_MS)
    assert side.questions == ()
    (back,) = side.taken_back
    told = (back.message, back.asked_by, back.reported_by, back.then)
    assert told == (asked, "red", "blue", "CONTINUING")
