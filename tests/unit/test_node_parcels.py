"""What goes into a parcel is what the network would carry, and does there what it would do (R6)."""

import pytest

from deconflict.errors import InvalidInputError, NotFoundError
from deconflict.line.delivery import DeliveryState
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.packets import MAX_BODY_BYTES, Packet, encode_packets
from deconflict.line.receipt import SealedReceipt
from deconflict.line.witness import Cosigned, Submission
from deconflict.messages.bodies import LineCheck
from deconflict.messages.kinds import Kind
from deconflict.node.core import Heard
from deconflict.node.parcels import Chosen, choose, standing
from node_pair import NodePair, node_pair

DAY_S = 86_400


def parcel(
    pair: NodePair,
    party: str,
    *,
    since_seq: int | None = None,
    message: str | None = None,
    max_bytes: int = MAX_BODY_BYTES,
) -> Chosen:
    station, line = pair.station(party), pair.line(party)
    return choose(
        station.store,
        line,
        station.core.key,
        standing(line, pair.world.now),
        since_seq=since_seq,
        message=message,
        max_bytes=max_bytes,
    )


def bring(pair: NodePair, to: str, packets: tuple[Packet, ...]) -> Heard:
    station = pair.station(to)
    heard = station.core.hear(pair.peer_of(to), pair.line_id, packets, pair.world.now)
    pair.world.commit(station, heard.work)
    return heard


def cut(pair: NodePair) -> None:
    pair.world.cut("blue", "red", pair.world.now.utc_ms, pair.world.now.utc_ms + 1_000 * DAY_S)


def check(pair: NodePair, text: str = "4711 0815") -> str:
    return pair.say("blue", Kind.LINE_CHECK, LineCheck(text=text))


def kinds(chosen: Chosen) -> list[type]:
    return [type(packet) for packet in chosen.packets]


def state(pair: NodePair, message: str) -> DeliveryState:
    envelope = pair.station("blue").core.envelope_of(message)
    assert envelope is not None
    return pair.line("blue").delivery(message, envelope.seq).state


def test_messages_receipts_checkpoints_and_cosignatures_go_without_a_network() -> None:
    with node_pair() as pair:
        cut(pair)
        message = check(pair)
        pair.run_for(1)
        first = parcel(pair, "blue")
        assert kinds(first) == [SealedReceipt, SealedEnvelope, Submission]
        assert bring(pair, "red", first.packets).error is None
        back = parcel(pair, "red")
        assert kinds(back)[0] is SealedReceipt
        assert Cosigned in kinds(back)
        assert bring(pair, "blue", back.packets).receipted == 1
        assert state(pair, message) is DeliveryState.LACKED
        cosigned = pair.line("blue").machine.checkpoints.own_cosigned
        assert cosigned.size == 1  # what red had receipted when the checkpoint was made
        bring(pair, "red", parcel(pair, "blue").packets)
        bring(pair, "blue", parcel(pair, "red").packets)
        assert pair.line("blue").machine.checkpoints.own_cosigned.size == 2


def test_carrying_counts_nothing_as_sent_and_puts_nothing_off() -> None:
    with node_pair() as pair:
        cut(pair)
        check(pair)
        pair.run_for(1)
        line = pair.line("blue")
        before = line.machine.next_deadline_ms(), line.machine.own_receipted
        parcel(pair, "blue")
        assert (line.machine.next_deadline_ms(), line.machine.own_receipted) == before


def test_what_was_carried_and_comes_again_is_in_the_record_once() -> None:
    with node_pair() as pair:
        pair.world.cut("blue", "red", pair.world.now.utc_ms, pair.world.now.utc_ms + 30_000)
        messages = [check(pair, f"{number:04d}") for number in range(5)]
        pair.run_for(1)
        packets = parcel(pair, "blue").packets
        for _ in range(2):
            bring(pair, "red", packets)
        pair.run_for(60)
        assert [state(pair, message) for message in messages] == [DeliveryState.LACKED] * 5
        rows = list(pair.station("red").store.entries(pair.line_id, "blue"))
        assert len({row.hash for row in rows}) == len(rows)
        assert not list(pair.station("red").store.evidence(pair.line_id))
        assert not [rule for rule in pair.rules("red") if "FORK" in rule]


def test_what_does_not_fit_is_counted_and_goes_next() -> None:
    with node_pair() as pair:
        cut(pair)
        for number in range(6):
            check(pair, f"{number:04d}")
        pair.run_for(1)
        whole = parcel(pair, "blue")
        sizes = [len(encode_packets([packet])) for packet in whole.packets]
        part = parcel(pair, "blue", max_bytes=sum(sizes[:4]))
        assert len(part.rows) == 3
        assert (part.left_out, part.left_out_bytes) == (3, sizes[4])
        assert not part.checkpoint  # no proof goes where a message stays
        rest = parcel(pair, "blue", since_seq=part.rows[-1].seq + 1)
        assert [row.hash for row in (*part.rows, *rest.rows)] == [row.hash for row in whole.rows]


def test_what_was_receipted_can_be_carried_again() -> None:
    with node_pair() as pair:
        message = check(pair)
        pair.run_for(2)
        assert not parcel(pair, "blue").rows
        again = parcel(pair, "blue", since_seq=1)
        assert [row.hash for row in again.rows][-1] == message
        heard = bring(pair, "red", again.packets)
        assert heard.error is None
        assert not heard.entries


def test_one_message_goes_alone_with_the_receipt() -> None:
    with node_pair() as pair:
        cut(pair)
        first, second = check(pair, "1"), check(pair, "2")
        pair.run_for(1)
        assert kinds(parcel(pair, "blue", message=second)) == [SealedReceipt, SealedEnvelope]
        assert not bring(pair, "red", parcel(pair, "blue", message=second).packets).entries
        assert pair.line("red").machine.missing_from_peer() == (2, 2)
        heard = bring(pair, "red", parcel(pair, "blue", message=first).packets)
        assert [entry.hash for entry in heard.entries] == [first, second]


def test_what_is_not_there_is_not_carried() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        theirs = next(iter(pair.station("blue").store.entries(pair.line_id, "red"))).hash
        for unknown in (theirs, "0" * 64):
            with pytest.raises(NotFoundError):
                parcel(pair, "blue", message=unknown)
        for number in (0, 99):
            with pytest.raises(InvalidInputError, match="no message of ours"):
                parcel(pair, "blue", since_seq=number)
        with pytest.raises(InvalidInputError, match="so small"):
            parcel(pair, "blue", max_bytes=10)


def test_a_message_not_durable_yet_is_not_carried() -> None:
    with node_pair() as pair:
        station, line = pair.station("blue"), pair.line("blue")
        before = standing(line, pair.world.now)
        check(pair)
        stale = choose(
            station.store,
            line,
            station.core.key,
            before,  # read before the slot was durable and sealed
            since_seq=None,
            message=None,
            max_bytes=MAX_BODY_BYTES,
        )
        assert not stale.rows
