"""What the record of a line holds of private checks, on both sides and after a restart."""

from collections.abc import Iterator

import pytest

from deconflict.airspace.instant import format_utc
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import (
    PrivateAccept,
    PrivateDecline,
    PrivateEndReason,
    PrivateStep,
    Refines,
    StepWord,
)
from deconflict.node.chains import StoredChain
from deconflict.node.core import Say
from deconflict.node.logged import logged_envelope, read_body
from deconflict.node.private import checks as folded
from deconflict.node.private.checks import Check, CheckFault, CheckState, PrivateChecks
from deconflict.node.private.run import MOST_STEPS
from deconflict.node.reading import before_last
from deconflict.replay.world import DESKS
from deconflict.sealed.coin import picked
from deconflict.sealed.hello import Hello
from kept_folds import require_any_cut, whole_of
from node_pair import node_pair
from private_samples import (
    FIRST_MS,
    MINUTE_MS,
    PERIOD_MS,
    CheckedPair,
    bytes_of,
    coin_of,
    document,
    proposal,
)

_W = StepWord
_SHORT = (_W.HELLO, _W.POINTS, _W.EVALUATED, _W.ROOT, _W.DONE)  # no session would; the fold does


@pytest.fixture
def checked() -> Iterator[CheckedPair]:
    with node_pair(private_check=document()) as pair:
        yield CheckedPair(pair)
        # Whatever was said: both sides hold the same, a start finds it again, and so does one
        # that goes on from what was kept.
        both = {party: known(pair.line(party).book.private_checks) for party in ("blue", "red")}
        assert both["blue"] == both["red"]
        for party in ("blue", "red"):
            station, line = pair.station(party), pair.line(party)
            again = whole_of(station.store, line).book.private_checks
            assert known(again) == both[party]
            assert again.kept() == line.book.private_checks.kept()
            require_any_cut(station.store, line)


def known(checks: PrivateChecks) -> dict[str, object]:
    """What both sides know alike: by party, and without the times at which each logged it."""
    return {
        check.proposal: (
            check.by,
            check.state,
            check.fault,
            [
                {
                    party: (side.hello, side.done, side.coin and side.coin.coin, len(side.steps))
                    for party, side in (
                        (check.by, run.side(own=check.own)),
                        ("other", run.side(own=not check.own)),
                    )
                }
                for run in checks.runs(check.proposal)
            ],
        )
        for check in checks
    }


def checks_of(checked: CheckedPair, party: str = "blue") -> PrivateChecks:
    return checked.pair.line(party).book.private_checks


def check_of(checked: CheckedPair, party: str = "blue") -> Check:
    found = checks_of(checked, party).get(checked.proposal)
    assert found is not None
    return found


def test_a_check_is_proposed_accepted_and_run(checked: CheckedPair) -> None:
    checked.propose()
    assert check_of(checked, "red").state is CheckState.PROPOSED
    checked.accept()
    assert check_of(checked).state is CheckState.ACCEPTED
    assert check_of(checked).own
    assert not check_of(checked, "red").own
    checks = checks_of(checked)
    checked.steps(_W.HELLO)
    assert [run.number for _, run in checks.underway()] == [0]
    checked.steps(_W.POINTS, _W.EVALUATED, _W.ROOT, _W.CHUNK, _W.DONE)
    run = checks.run(checked.proposal, 0)
    assert run.is_whole
    assert checks.is_over(check_of(checked), 0)
    assert not list(checks.underway())
    assert [each.step for each in run.peer.steps[:4]] == [
        _W.HELLO,
        _W.POINTS,
        _W.EVALUATED,
        _W.ROOT,
    ]
    assert len(run.own.steps) == len(run.peer.steps) == MOST_STEPS - 1
    said = run.peer.step(_W.CHUNK, 63)
    assert said is not None
    row = checked.pair.blue.store.entry(said.message)
    assert row is not None
    body = read_body(logged_envelope(row))
    assert isinstance(body, PrivateStep)
    assert body.inline == bytes_of(_W.CHUNK, "red", 0, 63)
    assert checks.start_ms(check_of(checked), 1) == FIRST_MS + PERIOD_MS


def test_both_coins_pick_a_run(checked: CheckedPair) -> None:
    checked.propose()
    checked.accept()
    checked.say("blue", Kind.PRIVATE_COIN, coin_of("blue", 0))  # too soon: nothing is done yet
    checked.steps(*_SHORT)
    run = checks_of(checked).run(checked.proposal, 0)
    assert run.own.coin is None
    assert run.is_picked(1_000) is None
    for party in ("red", "blue"):
        checked.say(party, Kind.PRIVATE_COIN, coin_of(party, 0))
    run = checks_of(checked).run(checked.proposal, 0)
    assert run.own.hello
    assert run.peer.hello
    halves = {
        bytes.fromhex(run.own.hello): bytes.fromhex(coin_of("blue", 0).coin),
        bytes.fromhex(run.peer.hello): bytes.fromhex(coin_of("red", 0).coin),
    }
    for per_mille in (0, 500, 1_000):
        assert run.is_picked(per_mille) is picked(halves, per_mille)
    assert run.is_picked(0) is False
    assert run.is_picked(1_000) is True


def test_nothing_is_run_before_it_is_accepted_nor_after_it_is_declined(
    checked: CheckedPair,
) -> None:
    checked.propose()
    checked.step("red", _W.HELLO)
    checked.say("red", Kind.PRIVATE_DECLINE, PrivateDecline())
    checked.step("red", _W.HELLO)
    checked.accept()  # the first answer counts
    assert check_of(checked).state is CheckState.DECLINED
    assert checks_of(checked).runs(checked.proposal) == ()


def test_a_run_that_is_not_there_is_not_begun(checked: CheckedPair) -> None:
    checked.propose(proposal(runs=1))
    checked.accept()
    checked.step("red", _W.HELLO, run=1)
    assert checks_of(checked).runs(checked.proposal) == ()


def test_who_proposed_cannot_accept() -> None:
    checks = PrivateChecks("blue", "red")
    body = proposal()
    checks.take(body, "a" * 64, ref=None, own=True, drill=False, logged_ms=1)
    checks.take(PrivateAccept(), "b" * 64, ref="a" * 64, own=True, drill=False, logged_ms=2)
    held = checks.get("a" * 64)
    assert held is not None
    assert held.state is CheckState.PROPOSED


def test_an_end_of_all_ends_the_run_that_lasts_and_those_to_come(checked: CheckedPair) -> None:
    checked.propose()
    checked.accept()
    checked.steps(*_SHORT)
    checked.steps(_W.HELLO, run=1)
    checked.end("red", None)
    checks, check = checks_of(checked), check_of(checked)
    assert check.state is CheckState.ENDED
    assert check.ends[0].by == "red"
    assert checks.run(checked.proposal, 0).is_whole  # what is whole stays so
    checked.step("blue", _W.POINTS, run=1)
    run = checks.run(checked.proposal, 1)
    assert checks.is_over(check, 1)
    assert len(run.own.steps) == 1


def test_an_end_of_one_run_leaves_the_others(checked: CheckedPair) -> None:
    checked.propose()
    checked.accept()
    checked.steps(_W.HELLO)
    checked.end("blue", 0, PrivateEndReason.EXPIRED)
    checked.end("red", 0, PrivateEndReason.CANARY_LOST)
    checked.steps(_W.HELLO, run=1)
    checks = checks_of(checked)
    ends = checks.run(checked.proposal, 0).ends
    assert [(end.by, end.reason.value) for end in ends] == [
        ("blue", "EXPIRED"),
        ("red", "CANARY_LOST"),
    ]
    assert [run.number for _, run in checks.underway()] == [1]


def test_a_proposal_that_is_withdrawn_waits_for_no_answer(checked: CheckedPair) -> None:
    checked.propose()
    assert checked.pair.line("red").book.threads.get(checked.proposal) is not None
    checked.end("blue", None)
    for party in ("blue", "red"):
        assert checked.pair.line(party).book.threads.get(checked.proposal) is None
    checked.accept()  # it may have crossed
    assert check_of(checked).state is CheckState.ENDED


def test_a_hello_serves_once(checked: CheckedPair) -> None:
    checked.propose()
    checked.accept()
    checked.step("red", _W.HELLO)
    stolen = PrivateStep.of(1, _W.HELLO, 0, bytes_of(_W.HELLO, "red", 0))
    checked.say("red", Kind.PRIVATE_STEP, stolen)
    checks = checks_of(checked)
    name = bytes.fromhex(stolen.sha256)
    assert name in checks.seen_besides(checked.proposal, 1)
    assert name not in checks.seen_besides(checked.proposal, 0)


def test_a_key_that_served_is_known_in_every_other_run(checked: CheckedPair) -> None:
    checked.propose()
    checked.accept()
    hello = Hello(
        v=1,
        party="red",
        shape=document().shape(FIRST_MS),
        expires_utc=format_utc(FIRST_MS),
        **dict.fromkeys(("nonce", "key", "plan", "seed", "coin", "cells"), "5a" * 32),
    )
    for run, data in ((0, hello.data), (1, b"no HELLO")):
        checked.say("red", Kind.PRIVATE_STEP, PrivateStep.of(run, _W.HELLO, 0, data))
    checks = checks_of(checked)
    assert checks.keys_besides(checked.proposal, 1) == {"5a" * 32}
    assert checks.keys_besides(checked.proposal, 0) == frozenset()


def test_a_step_said_twice_is_one_and_another_one_is_kept_as_said(checked: CheckedPair) -> None:
    checked.propose()
    checked.accept()
    checked.step("red", _W.HELLO)
    again = checked.step("red", _W.HELLO)
    other = PrivateStep.of(0, _W.HELLO, 0, b"another HELLO")
    checked.say("red", Kind.PRIVATE_STEP, other)
    steps = checks_of(checked).run(checked.proposal, 0).peer.steps
    assert next(step.message for step in steps) == again
    assert [step.sha256 for step in steps][1:] == [other.sha256]


def test_who_says_too_much_is_kept_one_step_beyond_what_is_whole(checked: CheckedPair) -> None:
    checked.propose()
    checked.accept()
    for number in range(MOST_STEPS + 5):
        body = PrivateStep.of(0, _W.ROOT, 0, b"%d" % number)
        checked.pair.say("red", Kind.PRIVATE_STEP, body, ref=checked.proposal)
    checked.pair.run_for(30)
    assert len(checks_of(checked).run(checked.proposal, 0).peer.steps) == MOST_STEPS


def test_a_proposal_under_another_document_cannot_be_run(checked: CheckedPair) -> None:
    checked.propose(proposal(document(points=9)))
    checked.accept()
    check = check_of(checked)
    assert check.fault is CheckFault.OTHER_DOCUMENT
    assert checks_of(checked).start_ms(check, 0) is None
    checked.step("red", _W.HELLO)
    assert checks_of(checked).runs(checked.proposal) == ()


def test_a_proposal_beside_the_cadence_cannot_be_run(checked: CheckedPair) -> None:
    checked.propose(proposal(start_ms=FIRST_MS + MINUTE_MS))
    assert check_of(checked).fault is CheckFault.NO_PERIOD


@pytest.mark.parametrize(
    ("parts", "slots", "run", "start_ms", "fault"),
    [
        (2, (1, 2, 9), 0, FIRST_MS, None),
        (4, (0,), 1, FIRST_MS + PERIOD_MS, None),
        (8, (1,), 0, FIRST_MS, CheckFault.NOT_REFINABLE),
        (2, (10,), 0, FIRST_MS, CheckFault.NOT_REFINABLE),
        (2, (1,), 2, FIRST_MS, CheckFault.NOTHING_TO_REFINE),
        (2, (1,), 1, FIRST_MS, CheckFault.NOTHING_TO_REFINE),  # another period
    ],
)
def test_a_closer_look_is_at_slots_of_a_run_that_was_agreed(
    checked: CheckedPair,
    parts: int,
    slots: tuple[int, ...],
    run: int,
    start_ms: int,
    fault: CheckFault | None,
) -> None:
    coarse = checked.propose()
    refines = Refines(of=coarse, run=run, parts=parts, slots=slots)
    body = proposal(start_ms=start_ms, runs=1, refines=refines)
    assert checks_of(checked).fault_of(body) is CheckFault.NOTHING_TO_REFINE  # not accepted yet
    checked.accept()
    checked.propose(body, by="red")
    assert check_of(checked).fault is fault
    closer = Refines(of=checked.proposal, run=0, parts=2, slots=(1,))
    finer = proposal(start_ms=start_ms, runs=1, refines=closer)
    assert checks_of(checked).fault_of(finer) is CheckFault.NOTHING_TO_REFINE  # itself refines


def test_a_slot_is_counted_each_time_it_was_asked_about(checked: CheckedPair) -> None:
    coarse = checked.propose()
    checked.accept()
    first = check_of(checked)
    checks = checks_of(checked)
    assert checks.times_asked(first, 0) == 0
    checked.steps(*_SHORT)
    assert checks.times_asked(first, 0) == 0  # other runs than itself
    assert checks.times_asked(first, 1) == 0  # another period
    checked.propose(proposal(runs=1))
    checked.accept()
    again = check_of(checked)
    assert checks.times_asked(again, 0) == 1
    checked.steps(_W.HELLO)
    for slots, expected in (((3, 4), 2), ((9,), 2)):
        refines = Refines(of=coarse, run=0, parts=2, slots=slots)
        checked.propose(proposal(runs=1, refines=refines))
        checked.accept()
        assert checks.times_asked(check_of(checked), 0) == expected
    # One that ended before we showed anything did not ask; one that ended later did.
    checked.proposal = again.proposal
    checked.end("red", 0)
    assert checks.times_asked(first, 0) == 0
    assert checks.times_asked(check_of(checked), 0) == 1


def test_a_closer_look_asks_about_its_slots_alone(checked: CheckedPair) -> None:
    coarse = checked.propose()
    checked.accept()
    looks = []
    for slots in ((1, 2, 5), (2, 3), (4,), (5,)):
        refines = Refines(of=coarse, run=0, parts=2, slots=slots)
        checked.propose(proposal(runs=1, refines=refines))
        checked.accept()
        checked.steps(_W.HELLO, _W.POINTS, _W.EVALUATED)
        looks.append(check_of(checked))
    checks = checks_of(checked)
    assert [checks.times_asked(look, 0) for look in looks] == [1, 1, 0, 1]
    held = checks.get(coarse)
    assert held is not None
    assert checks.times_asked(held, 0) == 2


def test_the_steps_of_the_latest_periods_are_named(
    monkeypatch: pytest.MonkeyPatch, checked: CheckedPair
) -> None:
    monkeypatch.setattr(folded, "_STEPS_KEPT", 2)
    checked.propose(proposal(runs=4))
    checked.accept()
    for run in (2, 0, 3, 1):
        checked.steps(*_SHORT, run=run)
    runs = checks_of(checked).runs(checked.proposal)
    assert [bool(run.own.steps) for run in runs] == [False, False, True, True]
    assert all(run.is_whole and run.own.hello for run in runs)
    assert len(checks_of(checked).seen_besides("", 0)) == 4


def test_of_too_many_proposals_those_that_were_accepted_stay(
    monkeypatch: pytest.MonkeyPatch, checked: CheckedPair
) -> None:
    monkeypatch.setattr(folded, "_CHECKS_KEPT", 2)
    accepted = checked.propose()
    checked.accept()
    forgotten, last = checked.propose(), checked.propose()
    assert [check.proposal for check in checks_of(checked)] == [accepted, last]
    assert checked.pair.line("red").book.threads.get(forgotten) is None


def test_an_exercise_of_a_check_is_run_by_exercises_alone(checked: CheckedPair) -> None:
    checked.pair.begin_drill("blue")
    checked.propose()
    checked.accept()
    assert check_of(checked).drill
    assert check_of(checked).state is CheckState.ACCEPTED
    checks = checks_of(checked)
    body = PrivateStep.of(0, _W.HELLO, 0, b"in earnest")
    checks.take(body, "c" * 64, ref=checked.proposal, own=False, drill=False, logged_ms=1)
    assert checks.runs(checked.proposal) == ()


def test_steps_are_told_to_nobody_one_by_one(checked: CheckedPair) -> None:
    checked.propose()
    checked.accept()
    checked.steps(*_SHORT)
    checked.say("red", Kind.PRIVATE_COIN, coin_of("red", 0))
    for party in ("blue", "red"):
        station = checked.pair.station(party)
        steps = {
            step.message
            for run in checks_of(checked, party).runs(checked.proposal)
            for step in (*run.own.steps, *run.peer.steps)
        }
        assert steps
        told = [event for event in station.events if event.kind in ("message", "delivery")]
        assert told
        assert steps.isdisjoint(event.data["hash"] for event in told)
        assert not any("STEP" in event.data.get("kind", "") for event in told)
    assert "PRIVATE_PROPOSE_RECEIVED" not in checked.pair.rules("red")  # it was answered


def test_a_step_that_comes_late_is_known_and_raises_no_alert() -> None:
    with node_pair(private_check=document()) as pair:
        checked = CheckedPair(pair)
        checked.propose()
        checked.accept()
        say = Say(
            kind=Kind.PRIVATE_STEP,
            body=PrivateStep.of(0, _W.HELLO, 0, b"late"),
            desk=DESKS[0],
            ref=checked.proposal,
            expires_after_ms=1_000,
        )
        now_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", now_ms, now_ms + 5 * MINUTE_MS)
        (said,) = pair.world.say("red", "blue", [say])
        pair.run_for(8 * 60)
        row = pair.blue.store.entry(said.hash)
        assert row is not None
        assert row.delayed
        assert checks_of(checked).runs(checked.proposal) == ()
        assert "DELAYED" not in pair.rules("blue")


@pytest.mark.parametrize("runs", [0, 1, 3])
def test_the_latest_messages_are_found_behind_all_steps(runs: int) -> None:
    with node_pair(private_check=document()) as pair:
        checked = CheckedPair(pair)
        checked.propose(proposal(runs=3))
        checked.accept()
        for run in range(runs):
            for number in range(20):
                body = PrivateStep.of(run, _W.CHUNK, number, b"%d" % number)
                pair.say("red", Kind.PRIVATE_STEP, body, ref=checked.proposal)
        pair.run_for(60)
        own_keys = pair.line("blue").machine.identity.own_keys
        chain = StoredChain(pair.blue.store, pair.line_id, "red", own_keys)
        rows = list(chain.rows_behind(0))
        assert len(rows) == chain.length == 2 + 20 * runs
        shown = [n for n, row in enumerate(rows) if logged_envelope(row).kind != "PRIVATE_STEP"]
        for last in range(1, len(shown) + 3):
            begin = before_last(chain, last)
            found = [n for n in shown if n >= begin]
            assert found == shown[-last:]
