"""Two nodes cosign each other's chains: when, what is kept, and what a fork leads to."""

from deconflict.errors import ForkedChainError, InvalidDocumentError, VerificationError
from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosign_checkpoint,
    cosignature_time_s,
    open_checkpoint,
    seal_checkpoint,
)
from deconflict.line.tree import TreeHead
from deconflict.line.witness import Cosigned, Submission
from deconflict.messages.bodies import Declared
from deconflict.messages.kinds import Kind
from deconflict.node.core import Say
from deconflict.node.hearing import FORKED_CHECKPOINT
from deconflict.node.line import Line
from deconflict.node.line_keys import LineKeys
from deconflict.replay.world import DESKS
from deconflict.store.base import CheckpointRow
from deconflict.store.verify import RecordProof, verify_store
from node_pair import NodePair, declaration, node_pair

SOON_S = 12


def kept(pair: NodePair, at: str, author: str) -> list[CheckpointRow]:
    return list(pair.station(at).store.checkpoints(pair.line_id, author))


def keys(pair: NodePair) -> dict:
    own = {p: pair.station(p).core.key.verify_key for p in ("blue", "red")}
    return {party: {key.key_id: key} for party, key in own.items()}


def test_what_was_said_is_cosigned_ten_seconds_after_its_receipt_and_kept_at_both_ends() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1), declaration(2))
        pair.run_for(8)
        assert not kept(pair, "blue", "blue")
        pair.run_for(SOON_S)
        for author, peer in (("blue", "red"), ("red", "blue")):
            said = pair.station(author).store.count(pair.line_id, author)
            (own,) = kept(pair, author, author)
            (witnessed,) = kept(pair, peer, author)
            assert own.size == witnessed.size == said
            assert (own.root, own.cosigned_utc_s) == (witnessed.root, witnessed.cosigned_utc_s)
            found, note = open_checkpoint(own.note, keys(pair)[author])
            assert found.head == TreeHead(own.size, own.root)
            assert cosignature_time_s(note, peer, keys(pair)[peer]) == own.cosigned_utc_s
        pair.run_for(60)
        assert len(kept(pair, "blue", "blue")) == 1  # nothing new was said


def test_a_hundred_messages_are_cosigned_without_waiting() -> None:
    with node_pair() as pair:
        body = [Declared.of(declaration(number)) for number in range(1, 121)]
        says = [Say(kind=Kind.NOTIFY, body=one, desk=DESKS[0]) for one in body]
        pair.world.say("blue", "red", says)
        pair.run_for(3)
        (own,) = kept(pair, "blue", "blue")
        assert own.size >= 100
        pair.run_for(60)
        said = pair.station("blue").store.count(pair.line_id, "blue")
        assert kept(pair, "blue", "blue")[-1].size == said


def test_a_restart_goes_on_from_what_was_cosigned_and_the_record_verifies() -> None:
    with node_pair() as pair:
        for number in range(1, 4):
            pair.declare("blue", declaration(number))
            pair.run_for(SOON_S + 3)
            for party in ("blue", "red"):
                pair.world.restart(party)
        pair.run_for(SOON_S)
        rows = kept(pair, "blue", "blue")
        assert len(rows) >= 3
        assert [row.previous_size for row in rows] == [0, *(row.size for row in rows[:-1])]
        for party in ("blue", "red"):
            assert verify_store(pair.station(party).store, keys(pair)).checkpoints >= 3


def test_a_cosignature_that_was_lost_is_given_again() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(9)
        line, now = pair.line("blue"), pair.world.now
        pair.run_for(SOON_S)
        (own,) = kept(pair, "blue", "blue")
        again = Submission(line.line_id, 0, (), own.note)
        heard = pair.red.core.hear("blue", pair.line_id, [again], now)
        pair.world.commit(pair.red, heard.work)
        (answer,) = heard.answer()
        assert getattr(answer, "note", b"") == own.note
        assert len(kept(pair, "red", "blue")) == 1
        told = pair.blue.core.hear("red", pair.line_id, [answer], now)
        assert told.error is None
        assert not told.work.checkpoints


def test_a_checkpoint_of_other_entries_is_kept_and_a_person_told() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S + 8)
        (honest,) = kept(pair, "red", "blue")
        pair.declare("blue", declaration(2))
        pair.run_for(2)
        origin = Origin(pair.line_id, "blue", honest.epoch)
        size = pair.station("blue").store.count(pair.line_id, "blue")
        for head in (TreeHead(honest.size, b"x" * 32), TreeHead(size, b"y" * 32)):
            note = seal_checkpoint(Checkpoint(origin, head), pair.blue.core.key).to_bytes()
            forged = Submission(pair.line_id, honest.size, (), note)
            heard = pair.red.core.hear("blue", pair.line_id, [forged], pair.world.now)
            assert isinstance(heard.error, ForkedChainError)
            pair.world.commit(pair.red, heard.work)
            evidence = list(pair.red.store.evidence(pair.line_id))
            assert evidence[-1].reason == FORKED_CHECKPOINT
            assert evidence[-1].data == note
        assert pair.alert("red", "FORKED_CHECKPOINT").text.startswith("TWO SIGNED RECORDS. blue")
        assert len(kept(pair, "red", "blue")) == 1
        pair.run_for(SOON_S + 8)
        assert kept(pair, "red", "blue")[-1].size >= size  # and what is true is cosigned later


def test_signatures_are_stored_before_the_checkpoint_that_covers_them() -> None:
    with node_pair() as pair:
        body = [Declared.of(declaration(number)) for number in range(1, 121)]
        says = [Say(kind=Kind.NOTIFY, body=one, desk=DESKS[0]) for one in body]
        pair.world.say("blue", "red", says)
        for _ in range(60):
            pair.run_for(0.1)
            rows = kept(pair, "blue", "blue")
            if rows:
                unsigned = pair.station("blue").store.unsigned(pair.line_id, "blue")
                assert all(row.seq > rows[-1].size for row in unsigned)
                verify_store(pair.station("blue").store, keys(pair))
                return
        raise AssertionError("nothing was cosigned")


def test_a_start_that_proves_the_record_finds_the_same_trees() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S + 8)
        pair.declare("blue", *(declaration(number) for number in range(2, 9)))  # not cosigned yet
        station = pair.station("blue")
        assert station.store.unsigned(pair.line_id, "blue")
        red = pair.red.core.key.verify_key

        def restored(proof: RecordProof | None) -> Line:
            return Line.restore(
                station.store,
                proof=proof,
                line_id=pair.line_id,
                own="blue",
                peer="red",
                keys=LineKeys(station.core.keys, red),
                peer_desk=DESKS[0],
                random_bytes=station.core.random_bytes,
                now=pair.world.now,
            )

        with RecordProof(station.store, keys(pair)) as proof:
            proven = restored(proof)
            assert proof.finish().unsigned > 0
        read = restored(None)
        (cosigned,) = kept(pair, "blue", "blue")
        for line in (proven, read):
            checkpoints = line.machine.checkpoints
            assert checkpoints.own_cosigned == TreeHead(cosigned.size, cosigned.root)
            head = line.machine.own_head
            assert head is not None
            assert checkpoints._own_tree.size == head.seq
            assert checkpoints._own_tree.head_at(head.seq) == (
                read.machine.checkpoints._own_tree.head_at(head.seq)
            )
            assert checkpoints._witness.kept is not None


def test_a_peer_cannot_have_us_keep_or_cosign_what_it_made_up() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S + 8)
        (own,) = kept(pair, "blue", "blue")
        red, now = pair.red.core.key, pair.world.now
        further = TreeHead(own.size + 1, b"z" * 32)
        ours = Checkpoint(Origin(pair.line_id, "blue", own.epoch), further)
        forged = cosign_checkpoint(seal_checkpoint(ours, red), "red", red, time_s=1).to_bytes()
        uncosigned = seal_checkpoint(ours, pair.blue.core.key).to_bytes()
        elsewhere = Checkpoint(Origin("0" * 32, "red", own.epoch), further)
        for packet in (
            Cosigned(pair.line_id, forged),  # our chain, not signed by us
            Cosigned(pair.line_id, uncosigned),  # not signed by the peer
            Cosigned(pair.line_id, b"noise"),
            Submission(pair.line_id, 0, (), own.note),  # our own chain, to be cosigned by us
            Submission(pair.line_id, 0, (), seal_checkpoint(elsewhere, red).to_bytes()),
        ):
            heard = pair.blue.core.hear("red", pair.line_id, [packet], now)
            assert isinstance(heard.error, VerificationError | InvalidDocumentError), packet
            assert not heard.work.checkpoints
            assert not heard.work.evidence
        # A checkpoint of ours beyond what we hold, signed with our own key: an old copy of us.
        both = cosign_checkpoint(
            seal_checkpoint(ours, pair.blue.core.key), "red", red, time_s=1
        ).to_bytes()
        heard = pair.blue.core.hear("red", pair.line_id, [Cosigned(pair.line_id, both)], now)
        assert isinstance(heard.error, ForkedChainError)
        assert [row.data for row in heard.work.evidence] == [both]
        assert "OWN_RECORD_IN_DOUBT" in pair.rules("blue")
        assert "FORKED_CHECKPOINT" not in pair.rules("blue")  # nobody else is accused


def test_a_peer_that_cosigns_twice_in_one_note_keeps_no_node_from_starting() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(1)
        line = pair.line("blue")
        head = line.machine.own_head
        assert head is not None
        tree = line.machine.checkpoints._own_tree
        origin = Origin(pair.line_id, "blue", head.epoch)
        note = seal_checkpoint(Checkpoint(origin, tree.head_at(head.seq)), pair.blue.core.key)
        for time_s in (1_443_571_000, 1_443_571_999):
            note = cosign_checkpoint(note, "red", pair.red.core.key, time_s=time_s)
        cosigned = Cosigned(pair.line_id, note.to_bytes())
        heard = pair.blue.core.hear("red", pair.line_id, [cosigned], pair.world.now)
        assert heard.error is None
        pair.world.commit(pair.blue, heard.work)
        (row,) = kept(pair, "blue", "blue")
        assert row.cosigned_utc_s == 1_443_571_000
        verify_store(pair.blue.store, keys(pair))
        pair.world.restart("blue")
        pair.run_for(1)
        assert pair.line("blue").machine.own_head == head


def test_what_stands_below_a_forked_checkpoint_is_no_evidence() -> None:
    with node_pair() as pair:
        pair.declare("red", declaration(1))
        pair.run_for(1)
        head = pair.line("red").machine.own_head
        assert head is not None
        origin = Origin(pair.line_id, "red", head.epoch)
        false = Checkpoint(origin, TreeHead(head.seq, b"\x07" * 32))
        note = seal_checkpoint(false, pair.red.core.key)
        rows = set()
        for stranger in ("noise", "more"):
            with_noise = cosign_checkpoint(note, stranger, pair.red.core.key, time_s=1)
            submission = Submission(pair.line_id, 0, (), with_noise.to_bytes())
            heard = pair.blue.core.hear("red", pair.line_id, [submission], pair.world.now)
            assert isinstance(heard.error, ForkedChainError)
            rows |= {row.data for row in heard.work.evidence}
        assert rows == {note.to_bytes()}
