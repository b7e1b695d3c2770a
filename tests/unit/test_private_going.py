"""A run of a private check between two nodes in memory: honest, and against a hostile peer."""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import (
    PrivateCoin,
    PrivateEnd,
    PrivateEndReason,
    PrivateStep,
    StepWord,
)
from deconflict.node.saying import Say
from deconflict.sealed.session import Outcome
from node_pair import node_pair
from private_samples import CheckedPair, document, proposal
from private_talk import RunPair, as_said, sortie

_TERMS = document(bucket=2_048)
_NEAR, _FAR = (5.0, 5.0), (150.0, 150.0)


@pytest.fixture
def checked() -> Iterator[CheckedPair]:
    with node_pair(private_check=_TERMS) as pair:
        checked = CheckedPair(pair)
        checked.propose(proposal(_TERMS))
        checked.accept()
        yield checked


def flown(checked: CheckedPair, folder: Path, **more: object) -> RunPair:
    pair = RunPair(checked, folder, **more)  # type: ignore[arg-type]
    pair.fly("blue", sortie("viper", *_NEAR), sortie("cobra", *_FAR, number=2))
    pair.fly("red", sortie("falcon", 12.0, 5.0))
    return pair


def test_both_find_their_own_sortie_and_are_told(checked: CheckedPair, tmp_path: Path) -> None:
    pair = flown(checked, tmp_path)
    pair.run()
    for party, own in (("blue", "viper"), ("red", "falcon")):
        found = pair.finding(party)
        assert (found.outcome, found.whole, found.reason) == (Outcome.HIT, True, None)
        assert {name for met in found.met for name in met.sorties} == {own}
        alert = checked.pair.alert(party, "PRIVATE_HIT")
        assert own in alert.text
        assert alert.urgency == "PRIORITY"
    run = checked.pair.line("blue").book.private_checks.run(checked.proposal, 0)
    assert run.is_whole
    assert len(run.own.steps) == len(run.peer.steps) == 69


def test_a_hit_is_more_urgent_as_it_comes_near_and_ends_with_its_time(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = flown(checked, tmp_path)
    pair.run()
    left_s = 3_600 - (checked.pair.world.now.utc_ms % 3_600_000) / 1_000
    checked.pair.run_for(left_s - 300)
    assert checked.pair.alert("blue", "PRIVATE_HIT").urgency == "IMMEDIATE"
    checked.pair.run_for(240)
    assert checked.pair.alert("blue", "PRIVATE_HIT").urgency == "FLASH"
    checked.pair.run_for(60 + 600 + 2)
    assert "PRIVATE_HIT" not in checked.pair.rules("blue")


def test_an_empty_plan_runs_like_any_other_and_finds_nothing(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = flown(checked, tmp_path)
    pair.fly("red")
    pair.run()
    for party in ("blue", "red"):
        found = pair.finding(party)
        assert (found.outcome, found.whole) == (Outcome.NO_HIT, True)
        assert not [rule for rule in checked.pair.rules(party) if rule.startswith("PRIVATE")]
    sizes = {
        party: [(said.step, said.size) for said in side.steps[1:]]
        for run in [checked.pair.line("blue").book.private_checks.run(checked.proposal, 0)]
        for party, side in (("blue", run.own), ("red", run.peer))
    }
    assert sizes["blue"] == sizes["red"]  # nothing is said by how much is said


def test_what_is_in_no_part_of_the_record_is_what_was_flown(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = flown(checked, tmp_path)
    pair.run()
    for party in ("blue", "red"):
        store = checked.pair.station(party).store
        other = {"blue": b"falcon", "red": b"viper"}[party]
        for row in store.entries(pair.line_id, "blue"):
            assert b"viper" not in row.data
        for row in store.entries(pair.line_id, "red"):
            assert b"falcon" not in row.data
        assert not [note for note in store.notes() if note.value and other in note.value]


# ---- hostile peers -----------------------------------------------------------------------------


def altered(word: StepWord, change: "Change") -> object:
    """Let red say another thing for its first step of a kind."""

    def alter(say: Say) -> Iterable[Say]:
        body = say.body
        if not isinstance(body, PrivateStep) or body.step is not word or body.number:
            return (say,)
        data = body.inline
        assert data is not None
        return [
            dataclasses.replace(say, body=PrivateStep.of(body.run, word, 0, each))
            for each in change(data)
        ]

    return alter


class Change:
    def __call__(self, data: bytes) -> Iterable[bytes]: ...  # type: ignore[empty-body]


def flipped(data: bytes) -> Iterable[bytes]:
    return (bytes([data[0] ^ 1]) + data[1:],)


def shorter(data: bytes) -> Iterable[bytes]:
    return (data[:-32],)


def twice(data: bytes) -> Iterable[bytes]:
    return (data, data[::-1])


def doubled_point(data: bytes) -> Iterable[bytes]:
    return (data[:32] + data[:32] + data[64:],)


def neutral_point(data: bytes) -> Iterable[bytes]:
    return (bytes(32) + data[32:],)


def other_bucket(data: bytes) -> Iterable[bytes]:
    return (data.replace(b'"bucket":2048', b'"bucket":4096'),)


@pytest.mark.parametrize(
    ("word", "change", "reasons"),
    [
        (StepWord.HELLO, other_bucket, {"OTHER_SHAPE"}),
        (StepWord.HELLO, flipped, {"MALFORMED"}),
        (StepWord.POINTS, shorter, {"WRONG_LENGTH"}),
        (StepWord.POINTS, doubled_point, {"DUPLICATE"}),
        (StepWord.POINTS, neutral_point, {"IDENTITY"}),
        (StepWord.POINTS, twice, {"OUT_OF_TURN"}),
        (StepWord.EVALUATED, flipped, {"NOT_CANONICAL", "BAD_PROOF"}),
        (StepWord.ROOT, flipped, {"BAD_PATH"}),
        (StepWord.CHUNK, flipped, {"BAD_PATH", "UNSORTED_TAGS"}),
        (StepWord.DONE, flipped, {"OTHER_TRANSCRIPT"}),
    ],
    ids=lambda each: getattr(each, "__name__", None) or getattr(each, "value", None),
)
def test_whoever_says_another_thing_ends_the_run_and_is_named(
    checked: CheckedPair, tmp_path: Path, word: StepWord, change: Change, reasons: set[str]
) -> None:
    pair = flown(checked, tmp_path, red_says=altered(word, change))
    pair.run()
    blue = pair.finding("blue")
    assert blue.reason in reasons
    assert (blue.ended_by, blue.whole) == ("blue", False)
    assert blue.outcome in (Outcome.NOT_CHECKED, Outcome.HIT)
    ends = [say for say in pair.driven["blue"].said if say.kind is Kind.PRIVATE_END]
    assert [end.body.reason.value for end in ends if isinstance(end.body, PrivateEnd)] == [
        blue.reason
    ]
    assert "PRIVATE_NOT_CHECKED" in checked.pair.rules("blue")


def test_a_step_whose_parts_are_not_there_ends_the_run(
    checked: CheckedPair, tmp_path: Path
) -> None:
    def unpushed(say: Say) -> Iterable[Say]:
        if not isinstance(say.body, PrivateStep) or say.body.step is not StepWord.POINTS:
            return (say,)
        return (
            dataclasses.replace(say, body=PrivateStep.of(0, StepWord.POINTS, 0, bytes(20_000))),
        )

    pair = flown(checked, tmp_path, red_says=unpushed)
    pair.run()
    assert pair.finding("blue").reason == "PART_MISSING"


def test_a_hello_that_served_before_is_refused(checked: CheckedPair, tmp_path: Path) -> None:
    before: list[Say] = []

    def replayed(say: Say) -> Iterable[Say]:
        if not isinstance(say.body, PrivateStep) or say.body.step is not StepWord.HELLO:
            return (say,)
        before.append(say)
        return (before[0] if len(before) > 1 else say,)

    def again(say: Say) -> Iterable[Say]:
        for each in replayed(say):
            body = each.body
            assert isinstance(say.body, PrivateStep) or body is say.body
            run = getattr(say.body, "run", 0)
            yield (
                each
                if body is say.body
                else dataclasses.replace(
                    each,
                    body=msgspec.structs.replace(body, run=run),
                )
            )

    pair = flown(checked, tmp_path, red_says=again)
    pair.run(0)
    pair.run(1)
    assert pair.finding("blue", 0).whole
    # Another run has another grid, so that is what is refused first; a nonce alone is not enough.
    assert pair.finding("blue", 1).reason in ("OTHER_GRID", "REPLAYED_HELLO")


def test_a_key_that_served_before_is_refused(checked: CheckedPair, tmp_path: Path) -> None:
    keys: list[str] = []

    def with_the_first_key(data: bytes) -> Iterable[bytes]:
        keys.append(json.loads(data)["key"])
        return (data.replace(keys[-1].encode(), keys[0].encode()),)

    pair = flown(checked, tmp_path, red_says=altered(StepWord.HELLO, with_the_first_key))
    pair.run(0)
    pair.run(1)
    assert keys[0] != keys[1]
    assert pair.finding("blue", 0).whole
    found = pair.finding("blue", 1)
    assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "KEY_REUSED")


def test_a_peer_that_does_not_open_its_coin_has_failed_the_audit(tmp_path: Path) -> None:
    def kept_back(say: Say) -> Iterable[Say]:
        if isinstance(say.body, PrivateCoin):
            return (dataclasses.replace(say, body=PrivateCoin(run=0, coin="ab" * 32)),)
        return as_said(say)

    terms = document(bucket=2_048, audit_per_mille=1_000, arbiter="panel")
    with node_pair(private_check=terms) as nodes:
        checked = CheckedPair(nodes)
        checked.propose(proposal(terms))
        checked.accept()
        pair = flown(checked, tmp_path, red_says=kept_back)
        pair.run()
        assert pair.finding("blue").coin_kept
        assert pair.finding("blue").picked is None
        assert pair.finding("red").picked is True
        assert "PRIVATE_COIN_KEPT" in nodes.rules("blue")
        assert "PRIVATE_PICKED" in nodes.rules("red")


# ---- at home -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (None, PrivateEndReason.NO_PLAN),
        ([sortie("out", 250.0, 0.0)], PrivateEndReason.PLAN_LEAVES_GRID),
        (
            [sortie(str(n), 5.0, 5.0, number=n) for n in range(6)],
            PrivateEndReason.PLAN_TOO_LARGE,
        ),
        (
            [sortie(str(n), 15.0 * n, 5.0, number=n) for n in range(1, 6)]
            + [sortie("x", -95.0, -5.0, number=9)],
            PrivateEndReason.PLAN_TOO_LARGE,
        ),
    ],
    ids=["no plan", "leaves the grid", "too many sorties", "too many of them apart"],
)
def test_a_plan_that_cannot_be_checked_is_said_so_before_a_byte_of_it_leaves(
    checked: CheckedPair, tmp_path: Path, plan: list[object] | None, reason: PrivateEndReason
) -> None:
    pair = flown(checked, tmp_path)
    if plan is None:
        pair.files["red"].clear_plan(pair.line_id)
    else:
        pair.fly("red", *plan)  # type: ignore[arg-type]
    pair.run()
    for party in ("blue", "red"):
        found = pair.finding(party)
        assert (found.outcome, found.reason, found.ended_by) == (
            Outcome.NOT_CHECKED,
            reason.value,
            "red",
        )
    assert not [say for say in pair.driven["red"].said if isinstance(say.body, PrivateStep)]


def test_a_slot_asked_about_as_often_as_agreed_is_asked_about_no_more(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = flown(checked, tmp_path)
    pair.run()
    for at in (2, 3, 4):
        checked.propose(proposal(_TERMS, runs=1))
        checked.accept()
        pair.run()
        found = pair.finding("blue")
        assert found.whole == (at <= 3), found
    assert found.reason == "OVER_BUDGET"


def test_what_was_accepted_under_other_terms_is_not_begun(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = flown(checked, tmp_path)
    line = checked.pair.line("blue")
    checked.pair.agree(
        version=2, replaces=line.book.terms_hash, private_check=document(bucket=4_096)
    )
    pair.run()
    for party in ("blue", "red"):
        found = pair.finding(party)
        assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "OTHER_GRID")
    assert not [say for say in pair.driven["red"].said if isinstance(say.body, PrivateStep)]


def test_a_run_that_is_due_soon_without_a_plan_is_told_while_there_is_time(
    checked: CheckedPair,
) -> None:
    station, line = checked.pair.station("blue"), checked.pair.line("blue")
    now = checked.pair.world.now
    work = station.core.tell_private_plan(line, "2015-09-30T06:50:00.000Z", now)
    checked.pair.world.commit(station, work)
    assert "no plan is set" in checked.pair.alert("blue", "PRIVATE_NO_PLAN").text
    checked.pair.world.commit(station, station.core.tell_private_plan(line, None, now))
    assert "PRIVATE_NO_PLAN" not in checked.pair.rules("blue")


def test_what_was_found_is_forgotten_when_its_retention_is_over(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = flown(checked, tmp_path)
    pair.run()
    station = checked.pair.station("blue")
    found = pair.finding("blue")
    late = checked.pair.world.now._replace(utc_ms=found.forget_ms + 1)
    checked.pair.world.commit(station, station.core.forget_private(late))
    assert station.core.private.get(found.proposal, found.run) is None
    assert not station.store.notes("private/")
    assert "PRIVATE_HIT" not in checked.pair.rules("blue")


def test_who_ends_a_run_with_its_last_step_leaves_it_not_checked(
    checked: CheckedPair, tmp_path: Path
) -> None:
    """Both had shown all, but ours was not said to the end: nobody may call that whole."""

    def done_and_gone(say: Say) -> Iterable[Say]:
        yield say
        if isinstance(say.body, PrivateStep) and say.body.step is StepWord.DONE:
            end = PrivateEnd(run=0, reason=PrivateEndReason.CANCELLED)
            yield dataclasses.replace(say, kind=Kind.PRIVATE_END, body=end)

    pair = flown(checked, tmp_path, red_says=done_and_gone)
    pair.fly("red")
    pair.run()
    run = checked.pair.line("blue").book.private_checks.run(checked.proposal, 0)
    found = pair.finding("blue")
    assert found.whole is run.is_whole
    assert found.outcome is (Outcome.NO_HIT if run.is_whole else Outcome.NOT_CHECKED)
