"""The order of calls, what a restart keeps, what is sent when."""

import pytest
from tests.whole_alerts import alerts_of_whole, folded_alerts

from deconflict.errors import BrokenChainError, InvalidDocumentError, LineStateError, NotFoundError
from deconflict.line.delivery import DeliveryState
from deconflict.line.envelope import GENESIS, read_envelope
from deconflict.line.incoming import REORDER_WINDOW, Outcome
from deconflict.line.machine import Restored
from deconflict.line.outgoing import MAX_BATCH_ENTRIES, SEND_WINDOW
from deconflict.line.packets import Want
from deconflict.line.precedence import DEFAULT_TIMERS
from deconflict.line.receipt import RefusalReason, read_receipt
from line_talk import BLUE, LINE, RED, RULES, at, draft, end, identity, restored, talk


def test_a_message_goes_from_queued_to_closed() -> None:
    blue, red = talk()
    entry = blue.prepare("QUERY")
    seen_states = [blue.machine.state_of(entry.hash).state]
    sealed = blue.machine.seal(entry)
    blue.machine.mark_sent([sealed.hash], at(0))
    seen_states.append(blue.machine.state_of(entry.hash).state)
    blue.machine.hear_receipt(red.take(sealed), at(10))
    seen_states.append(blue.machine.state_of(entry.hash).state)
    for kind in ("SEEN", "LOADED", "ANSWER"):
        blue.take(red.say(kind, ref=entry.hash))
        seen_states.append(blue.machine.state_of(entry.hash).state)
    assert seen_states == ["QUEUED", "SENT", "LACKED", "SEEN", "LOADED", "CLOSED"]
    assert blue.machine.changes()[entry.hash].state is DeliveryState.CLOSED
    assert blue.machine.changes() == {}
    assert [alert.kind for alert in blue.machine.open_alerts()] == []


def test_first_entry_begins_the_chain_and_each_cites_the_one_before() -> None:
    blue, _ = talk()
    first, second = (blue.prepare() for _ in range(2))
    assert (first.seq, first.envelope.prev) == (1, GENESIS)
    assert (second.seq, second.envelope.prev) == (2, first.hash)
    assert first.epoch == second.epoch == b"b".hex() * 16


def test_several_slots_are_prepared_before_any_is_sealed() -> None:
    blue, red = talk()
    entries = [blue.prepare() for _ in range(3)]
    assert blue.machine.transmittable(at(0)) == []
    for entry in entries:
        red.take(blue.machine.seal(entry))
    assert red.machine.peer_logged is not None
    assert red.machine.peer_logged.seq == 3


def test_slots_are_sealed_in_their_order_alone() -> None:
    blue, _ = talk()
    first, second = (blue.prepare() for _ in range(2))
    with pytest.raises(LineStateError):
        blue.machine.seal(second)
    assert blue.machine.seal(first) == blue.machine.seal(first)


def test_refused_draft_takes_no_slot() -> None:
    blue, _ = talk()
    for bad in (
        draft("SHOUT"),
        draft(to_desk="Col. A. Smith"),
        draft(body={"x": float("nan")}),
        draft(body="a" * 80_000),
        draft(answer_within_ms=-1),
        draft(ref="not a hash"),
    ):
        with pytest.raises(InvalidDocumentError):
            blue.machine.fitted(bad, at(0))
    assert blue.machine.own_head is None
    assert blue.prepare().seq == 1


def test_answer_carries_the_receipt_of_what_it_answers() -> None:
    blue, red = talk()
    query = blue.say("QUERY")
    red.take(query)
    answer = red.say("ANSWER", ref=query.hash)
    heard = read_envelope(answer.data).heard
    assert heard is not None
    assert heard.hash == query.hash
    blue.take(answer)
    assert blue.machine.own_receipted == heard
    assert blue.machine.transmittable(at(10_000)) == []


def test_duplicates_are_receipted_again_with_the_same_bytes() -> None:
    blue, red = talk()
    sealed = blue.say()
    receipt = red.take(sealed, 5)
    again = red.hear(sealed, 9_000)
    assert again.outcome is Outcome.DUPLICATE
    assert again.entries == ()
    assert again.receipt == receipt


def test_duplicate_of_what_is_not_durable_yet_gets_no_receipt() -> None:
    blue, red = talk()
    sealed = blue.say()
    red.hear(sealed)
    assert red.hear(sealed).receipt is None


def test_receipt_has_the_same_bytes_after_a_restart() -> None:
    blue, red = talk()
    receipt = red.take(blue.say(), 5)
    again = end("red", restored(red), ms=77_000)
    assert again.machine.receipt_now() == receipt


def test_gap_is_asked_for_at_once_and_filled_in_order() -> None:
    blue, red = talk()
    sealed = [blue.say() for _ in range(4)]
    heard = red.hear(sealed[2])
    assert heard.outcome is Outcome.HELD
    assert heard.want == Want(LINE, read_envelope(sealed[0].data).epoch, 1, 2)
    assert red.hear(sealed[3]).want is None  # just asked
    assert [e.envelope.seq for e in red.hear(sealed[0]).entries] == [1]
    assert [e.envelope.seq for e in red.hear(sealed[1]).entries] == [2, 3, 4]


def test_wanted_slots_are_due_at_once() -> None:
    blue, _ = talk()
    sealed = [blue.say() for _ in range(4)]
    blue.machine.mark_sent([one.hash for one in sealed], at(0))
    assert blue.machine.transmittable(at(300)) == []
    blue.machine.hear_want(Want(LINE, read_envelope(sealed[0].data).epoch, 2, 3), at(300))
    assert blue.machine.transmittable(at(300)) == sealed[1:3]


def test_repetition_pauses_half_a_second_then_one_two_five() -> None:
    blue, _ = talk()
    sealed = blue.say()
    sent_at = []
    for ms in range(0, 20_000, 100):
        if blue.machine.transmittable(at(ms)):
            sent_at.append(ms)
            blue.machine.mark_sent([sealed.hash], at(ms))
    assert sent_at == [0, 500, 1_500, 3_500, 8_500, 13_500, 18_500]


def test_everything_is_due_when_the_connection_comes_back() -> None:
    blue, _ = talk()
    sealed = blue.say()
    for ms in (0, 500, 1_500, 3_500):
        blue.machine.mark_sent([sealed.hash], at(ms))
    assert blue.machine.transmittable(at(4_000)) == []
    blue.machine.hurry(at(4_000))
    assert blue.machine.transmittable(at(4_000)) == [sealed]


def test_flash_takes_everything_before_it_along_in_chain_order() -> None:
    blue, _ = talk()
    routine = [blue.say("READOUT") for _ in range(3)]
    blue.machine.mark_sent([one.hash for one in routine], at(0))
    flash = blue.say("CEASE", 100)
    later = blue.say("READOUT", 100)
    blue.machine.mark_sent([later.hash], at(100))
    assert blue.machine.transmittable(at(100)) == [*routine, flash]


def test_batches_and_the_window_are_bounded() -> None:
    blue, red = talk()
    for _ in range(SEND_WINDOW + 10):
        blue.say("READOUT")
    sent = 0
    receipt = None
    while batch := blue.machine.transmittable(at(0)):
        assert len(batch) <= MAX_BATCH_ENTRIES
        blue.machine.mark_sent([one.hash for one in batch], at(0))
        sent += len(batch)
        for one in batch:
            receipt = red.take(one)
    assert sent == SEND_WINDOW
    assert receipt is not None
    blue.machine.hear_receipt(receipt, at(0))
    assert len(blue.machine.transmittable(at(0))) == 10


def test_the_farthest_slot_of_the_window_is_held() -> None:
    blue, red = talk()
    sealed = [blue.say("READOUT") for _ in range(REORDER_WINDOW + 1)]
    assert red.hear(sealed[REORDER_WINDOW]).outcome is Outcome.BEYOND_WINDOW
    assert red.hear(sealed[REORDER_WINDOW - 1]).outcome is Outcome.HELD


def test_stale_and_repeated_receipts_do_no_harm() -> None:
    blue, red = talk()
    early = red.take(blue.say())
    late = red.take(blue.say())
    assert len(blue.machine.hear_receipt(late, at(0))) == 2
    assert blue.machine.hear_receipt(late, at(0)) == ()
    assert blue.machine.hear_receipt(early, at(0)) == ()
    assert blue.machine.own_receipted == read_receipt(late.data).point


def test_refused_message_is_told_at_once_and_still_repeated() -> None:
    blue, red = talk()
    sealed = blue.say()
    refusal = red.machine.refuse(sealed.hash, RefusalReason.NO_ROOM)
    assert blue.machine.hear_refusal(refusal, at(10)).hash == sealed.hash
    assert blue.machine.state_of(sealed.hash).state is DeliveryState.REFUSED
    assert blue.machine.state_of(sealed.hash).reason == "NO_ROOM"
    assert [alarm.kind for alarm in blue.machine.alarms(at(10))] == ["REFUSED"]
    assert blue.machine.transmittable(at(1_010)) == [sealed]
    blue.machine.hear_receipt(red.take(sealed), at(1_020))
    assert blue.machine.state_of(sealed.hash).state is DeliveryState.LACKED


def test_restart_says_unreceipted_entries_again_with_the_same_bytes() -> None:
    blue, red = talk()
    sealed = [blue.say() for _ in range(3)]
    receipt = red.take(sealed[0])
    again = end("blue", restored(blue, receipt), ms=5)
    assert again.machine.transmittable(at(5)) == sealed[1:]
    assert again.machine.own_receipted == read_receipt(receipt.data).point
    assert again.prepare(ms=5).seq == 4


def test_slot_made_durable_but_never_signed_is_signed_after_the_restart() -> None:
    blue, red = talk()
    blue.said.append(blue.prepare())
    again = end("blue", restored(blue))
    (sealed,) = again.machine.transmittable(at(0))
    assert sealed.data == blue.said[0].data
    assert red.hear(sealed).outcome is Outcome.LOGGABLE


def test_receipt_inside_the_peers_last_entry_counts_after_a_restart() -> None:
    blue, red = talk()
    red.take(blue.say())
    blue.take(red.say())
    again = end("blue", restored(blue))
    assert again.machine.own_receipted is not None
    assert again.machine.own_receipted.seq == 1


def test_old_copy_of_the_database_does_not_speak() -> None:
    blue, red = talk()
    blue.say()
    old = restored(blue)
    receipts = [red.take(blue.said and blue.machine.seal(entry)) for entry in blue.said]
    newer = blue.say()
    receipts.append(red.take(newer))
    with pytest.raises(BrokenChainError):
        end("blue", Restored(old.own_head, old.own_entries, last_receipt=receipts[-1]))


def test_restored_entries_with_a_hole_are_refused() -> None:
    blue, _ = talk()
    for _ in range(3):
        blue.say()
    whole = restored(blue)
    for entries in (whole.own_entries[:2], whole.own_entries[1:], whole.own_entries[::2]):
        with pytest.raises(BrokenChainError):
            end("blue", Restored(whole.own_head, entries))


def test_unknown_message_has_no_delivery() -> None:
    blue, _ = talk()
    with pytest.raises(NotFoundError):
        blue.machine.state_of("0" * 64)


@pytest.mark.parametrize(
    ("age_ms", "offset_ms", "delayed"),
    [
        (1_000, 0, False),
        (60_000, 0, False),
        (61_999, 0, False),  # within the clocks' tolerance of 2 s
        (62_001, 0, True),
        (288_000, 0, True),
        (288_000 + 1_000, -288_000, False),  # the peer's clock is known to be 288 s behind
        (1_000 - 288_000, 288_000, False),
        (63_000 - 288_000, 288_000, True),
    ],
)
def test_message_past_its_expiry_is_delayed_and_acts_on_nothing(
    age_ms: int, offset_ms: int, delayed: bool
) -> None:
    blue, red = talk()
    query = red.say("QUERY")
    blue.take(query)
    sealed = blue.say("ANSWER", 0, ref=query.hash, expires_after_ms=60_000)
    heard = red.hear(sealed, age_ms, offset_ms)
    assert [entry.delayed for entry in heard.entries] == [delayed]
    red.machine.logged(heard.entries, at(age_ms))
    closed = red.machine.state_of(query.hash).state is DeliveryState.CLOSED
    assert closed is not delayed


@pytest.mark.parametrize(
    ("stamp_ms", "offset_ms", "acts"),
    [
        (1_000, 0, True),
        (2_999, 0, True),  # ahead by no more than the clocks' tolerance of 2 s
        (3_001, 0, False),
        (600_000, 0, False),
        (601_000, 600_000, True),  # the peer's clock is known to be ten minutes ahead
        (1_000, -600_000, False),  # and here it was set back since
    ],
)
def test_a_stamp_ahead_of_its_arrival_is_taken_for_no_age(
    stamp_ms: int, offset_ms: int, acts: bool
) -> None:
    blue, red = talk()
    sealed = blue.say("CEASE", stamp_ms, expires_after_ms=60_000)
    (entry,) = red.hear(sealed, 1_000, offset_ms).entries
    assert (entry.delayed, entry.suspect_clock) == (not acts, not acts)
    red.machine.logged([entry], at(1_000))
    assert bool(red.machine.open_alerts()) is acts


def test_a_held_packet_of_a_clock_that_ran_ahead_is_never_now() -> None:
    blue, red = talk()
    sealed = blue.say("CEASE", 3_600_000, expires_after_ms=60_000)  # written at 0 by a wrong clock
    (entry,) = red.hear(sealed, 1_800_000).entries  # held on the way for half an hour
    assert entry.delayed


def test_what_cites_a_fresh_message_of_ours_is_no_older_whatever_its_stamp() -> None:
    blue, red = talk()
    query = red.say("QUERY", 10_000)
    blue.take(query)
    sealed = blue.say("ANSWER", 900_000, ref=query.hash, expires_after_ms=60_000)
    (entry,) = red.hear(sealed, 30_000).entries
    assert not entry.delayed
    assert entry.acts_until_ms == 10_000 + 60_000  # by our own clock, from what it cites


def test_what_cites_an_old_message_of_ours_may_be_as_old_as_that() -> None:
    blue, red = talk()
    query = red.say("QUERY", 10_000)
    blue.take(query)
    sealed = blue.say("ANSWER", 900_000, ref=query.hash, expires_after_ms=60_000)
    (entry,) = red.hear(sealed, 70_001).entries
    assert entry.suspect_clock
    again = end("red", restored(red))  # and nothing is known of what was said before a start
    sealed = blue.say("ANSWER", 900_000, ref=query.hash, expires_after_ms=60_000)
    assert again.hear(sealed, 30_000).entries == ()  # its chain begins before this one


def test_what_seems_late_waits_until_the_clocks_are_compared() -> None:
    blue, red = talk()
    ahead = blue.say("CEASE", 600_000, expires_after_ms=60_000)

    def heard(compared: bool) -> Outcome:
        return red.machine.hear(
            ahead,
            at(0),
            stored=red.stored,
            clock_offset_ms=600_000 if compared else 0,
            clocks_compared=compared,
        ).outcome

    assert [heard(False), heard(False), heard(True)] == ["NOT_NOW", "NOT_NOW", "LOGGABLE"]


def test_message_held_past_its_expiry_is_delayed() -> None:
    blue, red = talk()
    first = blue.say("READOUT")
    second = blue.say("NOTIFY", expires_after_ms=5_000)
    red.hear(second, 100)
    entries = red.hear(first, 9_000).entries
    assert [(entry.envelope.seq, entry.delayed) for entry in entries] == [(1, False), (2, True)]


@pytest.mark.parametrize(
    ("arrived_ms", "durable_ms", "acts"),
    [
        (1_000, 61_000, True),
        (1_000, 62_001, False),  # past its expiry of 60 s and the clocks' tolerance of 2 s
        (61_900, 62_800, True),  # a flush of under a second is no stall
        (61_900, 62_901, False),
    ],
)
def test_a_disk_that_stalls_makes_a_message_late(
    arrived_ms: int, durable_ms: int, acts: bool
) -> None:
    blue, red = talk()
    query = red.say("QUERY")
    blue.take(query)
    sealed = blue.say("ANSWER", 0, ref=query.hash, expires_after_ms=60_000)
    heard = red.hear(sealed, arrived_ms)
    assert [entry.delayed for entry in heard.entries] == [False]
    receipt = red.machine.logged(heard.entries, at(durable_ms))
    assert read_receipt(receipt.data).hash == sealed.hash  # late or not, it is held
    closed = red.machine.state_of(query.hash).state is DeliveryState.CLOSED
    assert closed is acts
    ran_out = red.machine.take_ran_out()
    assert [entry.hash for entry in ran_out] == ([] if acts else [sealed.hash])
    assert red.machine.take_ran_out() == ()


def test_a_line_about_to_begin_anew_takes_nothing_that_would_be_lost_to_it() -> None:
    blue, red = talk()
    receipt = blue.take(red.say())
    red.machine.resync.close()
    assert red.hear(blue.say()).outcome is Outcome.NOT_NOW
    assert red.machine.hear_receipt(receipt, at(0)) == ()
    with pytest.raises(LineStateError):
        red.prepare()


def test_what_is_not_receipted_past_its_expiry_is_shown_expired() -> None:
    blue, red = talk()
    sealed = blue.say("NOTIFY", expires_after_ms=5_000)
    alarms = blue.machine.alarms(at(5_000))
    assert [alarm.kind for alarm in alarms] == ["EXPIRED"]
    assert blue.machine.state_of(sealed.hash).state is DeliveryState.EXPIRED
    blue.machine.hear_receipt(red.take(sealed, 9_000), at(9_000))
    assert blue.machine.state_of(sealed.hash).state is DeliveryState.EXPIRED


def test_next_deadline_is_never_later_than_the_next_thing_to_do() -> None:
    blue, _ = talk()
    sealed = blue.say("CEASE")
    done: list[tuple[int, str]] = []
    ms = 0
    while ms < 130_000:
        deadline = blue.machine.next_deadline_ms()
        assert deadline is not None
        ms = max(ms + 1, deadline)
        done += [(ms, alarm.kind) for alarm in blue.machine.alarms(at(ms))]
        if blue.machine.transmittable(at(ms)):
            blue.machine.mark_sent([sealed.hash], at(ms))
    assert [time for time, _ in done] == [2_000, 30_000, 60_000, 120_000]


def test_alerts_folded_from_both_logs_are_those_that_were_open() -> None:
    blue, red = talk()
    answered = blue.say("QUERY")
    open_query = blue.say("QUERY")
    for sealed in (answered, open_query):
        red.take(sealed)
    blue.take(red.say("SEEN", ref=open_query.hash))
    blue.take(red.say("ANSWER", ref=answered.hash))
    blue.take(red.say("CEASE"))
    unreceipted = blue.say("READOUT")
    own = [(entry.hash, entry.envelope, False) for entry in blue.said]
    peer = [(entry.hash, entry.envelope, entry.delayed) for entry in blue.logged]
    folded = {
        (order, fold): fold(
            both,
            own_party="blue",
            rules=RULES,
            timers=DEFAULT_TIMERS,
            is_receipted=lambda _, said: said.seq <= 2,
        )
        for order, both in (("own first", own + peer), ("peer first", peer + own))
        for fold in (folded_alerts, alerts_of_whole)
    }
    for alerts in folded.values():
        assert set(alerts) == set(blue.machine.open_alerts())
    assert {alert.hash for alert in alerts} == {
        open_query.hash,
        unreceipted.hash,
        blue.logged[-1].hash,
    }


def test_identities_of_both_ends_name_one_line() -> None:
    assert identity("blue").line_id == identity("red").line_id
    assert BLUE.key_id != RED.key_id
