"""A peer that cheats in a check of sites, by signed messages: each ends in a signed refusal.

Blue plans and red protects. Who lies goes on as if it had said what it computed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deconflict.airspace.instant import format_utc
from deconflict.line.canonical import canonical_bytes
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import (
    PrivateEnd,
    PrivateEndReason,
    PrivateStep,
    StepWord,
)
from deconflict.node.private.beginning import Begun
from deconflict.node.private.going import Going
from deconflict.node.private.own_steps import LoggedStep, logged_as
from deconflict.node.private.site_beginning import SiteBegun
from deconflict.node.private.site_course import SiteCourse
from deconflict.node.private.site_files import SiteCaps, SiteFiles, SitesFile, given_until
from deconflict.node.saying import Say
from deconflict.sealed.session import Outcome
from node_pair import node_pair
from private_samples import CheckedPair
from private_talk import Alter, RunPair, as_said, sortie
from site_pair import ASKED, TERMS, hospital, propose_sites

_HOUR_MS = 3_600_000
_NEAR, _FAR = (5.0, 5.0), (150.0, 150.0)
# All in messages: nothing of it travels in parts.
_ASKED = msgspec.structs.replace(ASKED, bucket=256)
_CAPS = SiteCaps(points_a_query=64, queries_a_day=9, share_per_mille=900, share_all_per_mille=900)
_ENTRY = 30 + _ASKED.label  # a tag and a closed label

Data = Callable[[bytes], bytes]


class _Believing(SiteCourse):
    """The course of who says another thing than it computed, and goes on all the same."""

    def said(self, logged: LoggedStep) -> None:
        due = self.to_say
        if due is not None and due.kind == logged.kind:
            super().said(logged_as(due))


class LyingPair(RunPair):
    """Two nodes, one of which alters what it says."""

    def __init__(self, checked: CheckedPair, folder: Path, liar: str, says: Alter) -> None:
        super().__init__(checked, folder)
        self.liar = liar
        self.driven[liar]._alter = says

    def _going(self, party: str, number: int, worker: Any) -> Going:
        going = super()._going(party, number, worker)
        if party == self.liar:
            begin = going._have

            def have(begun: Begun | SiteBegun) -> None:
                begin(begun)
                assert going._course is not None
                going._course.__class__ = _Believing

            going._have = have  # type: ignore[method-assign,assignment]
        return going


@pytest.fixture
def checked() -> Iterator[CheckedPair]:
    with node_pair(private_check=TERMS) as pair:
        checked = CheckedPair(pair)
        propose_sites(checked, _ASKED)
        yield checked


def ready(
    checked: CheckedPair,
    folder: Path,
    liar: str = "red",
    says: Alter = as_said,
    *,
    site: tuple[float, float] = _FAR,
) -> LyingPair:
    pair = LyingPair(checked, folder, liar, says)
    pair.fly("blue", sortie("viper", *_NEAR))
    now_ms = checked.pair.world.now.utc_ms
    files = SiteFiles(pair.files["red"].folder)
    files.set_sites(SitesFile(format_utc(now_ms), (hospital(*site),), 0, "07" * 32, _CAPS))
    files.set_consent(pair.line_id, given_until("blue", "anna", now_ms, now_ms + _HOUR_MS))
    return pair


def step_of(say: Say) -> StepWord | None:
    return say.body.step if isinstance(say.body, PrivateStep) else None


def saying(say: Say, step: StepWord, data: bytes) -> Say:
    return replace(say, body=PrivateStep.of(0, step, 0, data))


def altering(step: StepWord, change: Data) -> Alter:
    def says(say: Say) -> Iterable[Say]:
        if step_of(say) is not step:
            return (say,)
        assert isinstance(say.body, PrivateStep)
        assert say.body.inline is not None
        return (saying(say, step, change(say.body.inline)),)

    return says


def hello_with(**other: object) -> Data:
    def change(data: bytes) -> bytes:
        held = msgspec.json.decode(data)
        shape = {name: value for name, value in other.items() if name in held["shape"]}
        rest = {name: value for name, value in other.items() if name not in shape}
        return canonical_bytes(held | rest | {"shape": held["shape"] | shape})

    return change


def entries(data: bytes) -> list[bytes]:
    return [data[at : at + _ENTRY] for at in range(0, len(data), _ENTRY)]


def ends(checked: CheckedPair, party: str) -> list[PrivateEndReason]:
    run = checked.pair.line(party).book.private_checks.run(checked.proposal, 0)
    return [end.reason for end in run.ends if end.by == party]


def said(checked: CheckedPair, party: str) -> list[StepWord]:
    run = checked.pair.line(party).book.private_checks.run(checked.proposal, 0)
    return [step.step for step in run.own.steps]


def spoiled(data: bytes) -> bytes:
    return b"".join(entry[:-1] + bytes([entry[-1] ^ 1]) for entry in entries(data))


_PLANNER_LIES: list[tuple[StepWord, Data, str]] = [
    (StepWord.HELLO, hello_with(grid="ab" * 32), "OTHER_GRID"),
    (StepWord.HELLO, hello_with(points=63), "OTHER_SHAPE"),
    (StepWord.HELLO, hello_with(role="protector"), "OTHER_SHAPE"),
    (StepWord.HELLO, hello_with(party="red"), "REPLAYED_HELLO"),
    (StepWord.HELLO, lambda data: data + b" ", "MALFORMED"),
    (StepWord.POINTS, lambda data: data[:32] * 2 + data[64:], "DUPLICATE"),
    (StepWord.POINTS, lambda data: bytes(32) + data[32:], "IDENTITY"),
    (StepWord.POINTS, lambda data: b"\xff" * 32 + data[32:], "NOT_CANONICAL"),
    (StepWord.POINTS, lambda data: data[:32] * 65, "WRONG_LENGTH"),
    (StepWord.POINTS, lambda data: data[32:], "WRONG_LENGTH"),
    (StepWord.DONE, lambda _: bytes(32), "OTHER_TRANSCRIPT"),
]


@pytest.mark.parametrize(("step", "change", "reason"), _PLANNER_LIES)
def test_a_planner_that_cheats_is_refused_by_name_and_learns_nothing_more(
    checked: CheckedPair, tmp_path: Path, step: StepWord, change: Data, reason: str
) -> None:
    pair = ready(checked, tmp_path, "blue", altering(step, change))
    pair.run()
    found = pair.finding("red")
    assert (found.whole, found.reason, found.ended_by) == (False, reason, "red")
    assert ends(checked, "red") == [PrivateEndReason(reason)]
    if step is not StepWord.DONE:
        assert StepWord.EVALUATED not in said(checked, "red")
    if step is StepWord.HELLO:
        assert StepWord.LIST not in said(checked, "red")
    # Whatever it asked that could not be answered was asked: it counts.
    files = SiteFiles(pair.files["red"].folder)
    assert files.asked(pair.line_id).ever == (0 if step is StepWord.HELLO else _ASKED.points)


_PROTECTOR_LIES: list[tuple[StepWord, Data, str]] = [
    (StepWord.HELLO, hello_with(grid="ab" * 32), "OTHER_GRID"),
    (StepWord.HELLO, hello_with(label=31), "OTHER_SHAPE"),
    (StepWord.HELLO, hello_with(role="planner"), "OTHER_SHAPE"),
    (StepWord.HELLO, hello_with(party="blue"), "REPLAYED_HELLO"),
    (StepWord.LIST, lambda data: data[:-_ENTRY], "WRONG_LENGTH"),
    (StepWord.LIST, lambda data: data[_ENTRY:] + data[:_ENTRY], "UNSORTED_TAGS"),
    (StepWord.LIST, lambda data: data[:_ENTRY] * 2 + data[2 * _ENTRY :], "UNSORTED_TAGS"),
    (
        StepWord.LIST,
        lambda _: b"".join(n.to_bytes(12) + bytes(_ENTRY - 12) for n in range(256)),
        "CANARY_LOST",
    ),
    (StepWord.EVALUATED, lambda data: data[32:64] + data[:32] + data[64:], "BAD_PROOF"),
    (StepWord.EVALUATED, lambda data: bytes(32) + data[32:], "IDENTITY"),
    (StepWord.EVALUATED, lambda data: b"\xff" * 32 + data[32:], "NOT_CANONICAL"),
    (StepWord.EVALUATED, lambda data: data[:-32] + b"\xff" * 32, "PROOF_NOT_CANONICAL"),
    (StepWord.DONE, lambda _: bytes(32), "OTHER_TRANSCRIPT"),
]


@pytest.mark.parametrize(("step", "change", "reason"), _PROTECTOR_LIES)
def test_a_protector_that_cheats_is_refused_by_name_and_nothing_is_calm(
    checked: CheckedPair, tmp_path: Path, step: StepWord, change: Data, reason: str
) -> None:
    pair = ready(checked, tmp_path, "red", altering(step, change))
    pair.run()
    found = pair.finding("blue")
    assert (found.outcome, found.whole) == (Outcome.NOT_CHECKED, False)
    assert (found.reason, found.ended_by) == (reason, "blue")
    assert ends(checked, "blue") == [PrivateEndReason(reason)]
    assert checked.pair.alert("blue", "PRIVATE_SITES_NOT_CHECKED")
    if step in (StepWord.HELLO, StepWord.LIST):
        unasked = reason != "CANARY_LOST"  # found with the answer, not before
        assert (StepWord.POINTS not in said(checked, "blue")) is unasked


def test_a_label_that_does_not_open_ends_it_and_the_hit_stays(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = ready(checked, tmp_path, "red", altering(StepWord.LIST, spoiled), site=_NEAR)
    pair.run()
    found = pair.finding("blue")
    assert (found.outcome, found.whole, found.reason) == (Outcome.HIT, False, "BAD_LABEL")
    assert {met.label for met in found.at_sites} == {None}


@pytest.mark.parametrize("early", [StepWord.POINTS, StepWord.DONE])
def test_a_step_before_its_turn_ends_it(
    checked: CheckedPair, tmp_path: Path, early: StepWord
) -> None:
    def hastens(say: Say) -> Iterable[Say]:
        if step_of(say) is StepWord.HELLO:
            return (saying(say, early, bytes(32 * _ASKED.points)), say)
        return (say,)

    pair = ready(checked, tmp_path, "blue", hastens)
    pair.run()
    assert ends(checked, "red") == [PrivateEndReason.OUT_OF_TURN]
    assert StepWord.LIST not in said(checked, "red")


@pytest.mark.parametrize("again", [StepWord.LIST, StepWord.EVALUATED])
def test_a_step_said_twice_with_other_bytes_ends_it(
    checked: CheckedPair, tmp_path: Path, again: StepWord
) -> None:
    def doubles(say: Say) -> Iterable[Say]:
        if step_of(say) is not again:
            return (say,)
        assert isinstance(say.body, PrivateStep)
        data = say.body.inline or b""
        return (say, saying(say, again, data[:-1] + bytes([data[-1] ^ 1])))

    pair = ready(checked, tmp_path, "red", doubles)
    pair.run()
    found = pair.finding("blue")
    assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "OUT_OF_TURN")


def _replayed(
    checked: CheckedPair, folder: Path, liar: str, change: Callable[[bytes, bytes], bytes]
) -> LyingPair:
    """A second check, in which the liar's HELLO is made of the one of the first and its own."""
    kept: list[bytes] = []

    def says(say: Say) -> Iterable[Say]:
        if step_of(say) is not StepWord.HELLO:
            return (say,)
        assert isinstance(say.body, PrivateStep)
        assert say.body.inline is not None
        kept.append(say.body.inline)
        if len(kept) == 1:
            return (say,)
        return (saying(say, StepWord.HELLO, change(kept[0], kept[1])),)

    pair = ready(checked, folder, liar, says)
    pair.run()
    assert pair.finding("blue").outcome is Outcome.NO_HIT
    propose_sites(checked, _ASKED)
    pair.run()
    return pair


@pytest.mark.parametrize(("liar", "hearer"), [("blue", "red"), ("red", "blue")])
def test_a_hello_that_served_before_is_refused_in_another_check(
    checked: CheckedPair, tmp_path: Path, liar: str, hearer: str
) -> None:
    pair = _replayed(checked, tmp_path, liar, lambda first, _: first)
    assert ends(checked, hearer) == [PrivateEndReason.REPLAYED_HELLO]
    assert pair.finding("blue").outcome is Outcome.NOT_CHECKED


@pytest.mark.parametrize(("liar", "hearer"), [("blue", "red"), ("red", "blue")])
def test_a_key_that_served_before_is_refused_in_another_check(
    checked: CheckedPair, tmp_path: Path, liar: str, hearer: str
) -> None:
    def reuses(first: bytes, own: bytes) -> bytes:
        return hello_with(key=msgspec.json.decode(first)["key"])(own)

    pair = _replayed(checked, tmp_path, liar, reuses)
    assert ends(checked, hearer) == [PrivateEndReason.KEY_REUSED]
    assert pair.finding("blue").outcome is Outcome.NOT_CHECKED


@pytest.mark.parametrize("site", [_NEAR, _FAR], ids=["near", "far"])
@pytest.mark.parametrize("instead", [StepWord.LIST, StepWord.EVALUATED, StepWord.DONE])
def test_a_protector_that_ends_it_early_leaves_it_unknown_and_a_hit_a_hit(
    checked: CheckedPair, tmp_path: Path, instead: StepWord, site: tuple[float, float]
) -> None:
    def breaks_off(say: Say) -> Iterable[Say]:
        if step_of(say) is not instead:
            return (say,)
        body = PrivateEnd(run=0, reason=PrivateEndReason.CANCELLED)
        return (replace(say, kind=Kind.PRIVATE_END, body=body),)

    pair = ready(checked, tmp_path, "red", breaks_off, site=site)
    pair.run()
    found = pair.finding("blue")
    hit = site is _NEAR and instead is StepWord.DONE
    assert found.outcome is (Outcome.HIT if hit else Outcome.NOT_CHECKED)
    assert (found.whole, found.reason, found.ended_by) == (False, "CANCELLED", "red")


@pytest.mark.parametrize("instead", [StepWord.POINTS, StepWord.DONE])
def test_a_planner_that_ends_it_early_has_asked_all_the_same(
    checked: CheckedPair, tmp_path: Path, instead: StepWord
) -> None:
    def breaks_off(say: Say) -> Iterable[Say]:
        if step_of(say) is not instead:
            return (say,)
        body = PrivateEnd(run=0, reason=PrivateEndReason.CANCELLED)
        return (replace(say, kind=Kind.PRIVATE_END, body=body),)

    pair = ready(checked, tmp_path, "blue", breaks_off)
    pair.run()
    answered = pair.finding("red")
    assert (answered.outcome, answered.whole, answered.ended_by) == (None, False, "blue")
    asked = SiteFiles(pair.files["red"].folder).asked(pair.line_id).ever
    assert asked == (_ASKED.points if instead is StepWord.DONE else 0)
