"""What a side sees of the other's plan: no more than could be made up from its output and sizes.

A view is all that blue is sent by red. The simulator knows no plan of red: it makes a view out of
the agreed lengths and the cells of blue that were hit. Where red's plan leaves a trace beyond it,
somebody who is shown many views of both kinds tells them apart: chi-squared on each byte, and a
classifier trained on half of the views and tried on the other half. Leaks are planted, and found.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.effort import examples

from deconflict.errors import CheckRefusedError
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.hello import Shape, read_hello, session_id
from deconflict.sealed.oprf import Evaluation, Question, Sender
from deconflict.sealed.own import Drawn, OwnSide, side_of
from deconflict.sealed.session import Outcome, Session
from deconflict.sealed.steps import Step, StepKind
from deconflict.sealed.tubes import Tube
from sealed_talk import EXPIRES, GRID, Table, in_plain, side, stay

SHAPE = Shape(grid="ab" * 32, parts=1, slots=(), points=12, bucket=192)
BLUE = [stay(-15_000, 5_000)]
RED = [stay(-2_000, 5_000), stay(31_000, -21_000, level=4_500)]
VIEWS = 96  # of each kind, half to learn from
CHANCE = 0.73  # 4.5 standard deviations above one half, for as many tries as there are


@dataclass(frozen=True)
class View:
    """What blue is sent, in units of one meaning each."""

    hello: bytes
    points: bytes
    evaluated: bytes
    proofs: bytes
    tags: bytes
    lengths: tuple[int, ...]


UNITS = {"hello": 32, "points": 32, "evaluated": 32, "proofs": 64, "tags": 12}


def fresh(number: int, kind: str) -> Drawn:
    return Drawn(*(hashlib.sha256(f"{kind} {number} {n}".encode()).digest() for n in range(3)))


def seen(red: OwnSide) -> View:
    """What blue sees of this side of red."""
    blue = side_of("blue", BLUE, GRID, SHAPE, fresh(0, "blue"), expires_utc=EXPIRES)
    played = Table({"blue": blue, "red": red})
    assert played.play()["blue"].whole
    steps = [said.step for said in played.logs["blue"] if said.party == "red"]
    data = {kind: b"".join(s.data for s in steps if s.kind is kind) for kind in StepKind}
    hello = read_hello(data[StepKind.HELLO])
    fixed = (hello.key, hello.plan, hello.seed, hello.coin, hello.cells)
    cut = 32 * SHAPE.points * GRID.slots
    chunks = [step.data[: -6 * 32] for step in steps if step.kind is StepKind.CHUNK]
    return View(
        bytes.fromhex("".join(fixed)),
        data[StepKind.POINTS],
        data[StepKind.EVALUATED][:cut],
        data[StepKind.EVALUATED][cut:],
        b"".join(chunks),
        tuple(len(step.data) for step in steps),
    )


def real_side(number: int, *, drawn: Drawn | None = None) -> OwnSide:
    made = fresh(number, "red") if drawn is None else drawn
    return side_of("red", RED, GRID, SHAPE, made, expires_utc=EXPIRES)


@cache
def real() -> tuple[View, ...]:
    return tuple(seen(real_side(number)) for number in range(VIEWS))


@cache
def simulated() -> tuple[View, ...]:
    """Views of a red without a plan, which knows what blue's output is, and random otherwise."""
    chance = random.Random(1)
    hits = in_plain(BLUE, RED)
    by_slot = {slot: [OwnSide.canary(slot)] for slot in range(GRID.slots)}
    asked = SlotCells.of(by_slot)
    for cell in hits:
        by_slot[int.from_bytes(cell[:4])].append(cell)
    blue = side_of("blue", BLUE, GRID, SHAPE, fresh(0, "blue"), expires_utc=EXPIRES)
    views = []
    for number in range(VIEWS):
        shell = side_of("red", [], GRID, SHAPE, fresh(number, "simulator"), expires_utc=EXPIRES)
        invented = {name: chance.randbytes(32).hex() for name in ("plan", "seed", "coin", "cells")}
        hello = msgspec.structs.replace(shell.hello, **invented)
        red = replace(shell, hello=hello, cells=asked, widened=SlotCells.of(by_slot))
        view = seen(red)
        own = Sender(red.seed, session_id(blue.hello, hello)).tags(red.widened)
        tags = {own[at : at + 12] for at in range(0, len(own), 12)}
        while len(tags) < SHAPE.bucket:
            tags.add(chance.randbytes(12))
        views.append(replace(view, tags=b"".join(sorted(tags))))
    return tuple(views)


# ---- two ways to tell them apart ---------------------------------------------------------------


def rows(views: Sequence[View], message: str) -> np.ndarray:
    data = b"".join(getattr(view, message) for view in views)
    return np.frombuffer(data, dtype=np.uint8).reshape(len(views), -1)


def chi_squared(one: Sequence[View], other: Sequence[View], message: str) -> float:
    """How far, in standard deviations, the two differ most in one nibble of a unit's bytes."""
    worst = 0.0
    units = [rows(views, message).reshape(-1, UNITS[message]) for views in (one, other)]
    for at in range(UNITS[message]):
        for shift in (0, 4):
            counts = [np.bincount((u[:, at] >> shift) & 15, minlength=16) for u in units]
            a, b = (count.astype(float) for count in counts)
            both = a + b
            held = both > 0
            square = float((((a - b) ** 2)[held] / both[held]).sum())
            freedom = int(held.sum()) - 1
            if freedom:
                worst = max(worst, (square - freedom) / (2 * freedom) ** 0.5)
    return worst


def told_apart(one: Sequence[View], other: Sequence[View], message: str) -> float:
    """The share of views that a classifier puts to the right kind: the better of two.

    One weighs all bits by ridge regression, the other the 32 that differed most among the views
    from which it learnt: a leak of few bits is lost among all.
    """
    bits = [np.unpackbits(rows(views, message), axis=1) for views in (one, other)]
    half = VIEWS // 2
    learn = np.concatenate([kind[:half] for kind in bits]).astype(np.float32)
    tried = np.concatenate([kind[half:] for kind in bits]).astype(np.float32)
    right = np.repeat(np.array([1.0, -1.0], dtype=np.float32), half)
    middle, spread = learn.mean(axis=0), learn.std(axis=0)
    spread[spread == 0] = 1.0
    learn, tried = (learn - middle) / spread, (tried - middle) / spread
    gram = learn @ learn.T
    ridge = gram + np.eye(len(gram), dtype=np.float32) * learn.shape[1]
    weights = [learn.T @ np.linalg.solve(ridge, right)]
    differs = learn.T @ right
    few = np.zeros_like(differs)
    most = np.argsort(-np.abs(differs))[:32]
    few[most] = differs[most]
    weights.append(few)
    return max(float((np.sign(tried @ weight) == right).mean()) for weight in weights)


# ---- the views of a real plan ------------------------------------------------------------------


@pytest.mark.parametrize("message", list(UNITS))
def test_a_real_view_is_not_told_from_one_made_of_output_and_sizes(message: str) -> None:
    assert chi_squared(real(), simulated(), message) < 6
    assert 1 - CHANCE < told_apart(real(), simulated(), message) < CHANCE


def test_a_real_view_has_the_lengths_of_a_simulated_one() -> None:
    assert {view.lengths for view in (*real(), *simulated())} == {real()[0].lengths}
    assert len(real()[0].lengths) == len(StepKind) - 1 + 64


places = st.builds(
    stay,
    st.integers(-39_000, 39_000),
    st.integers(-29_000, 29_000),
    level=st.integers(0, 7_000),
    from_ms=st.integers(0, 9_000),
    to_ms=st.integers(10_000, 20_000),
)
shapes = st.sampled_from(
    [
        Shape(grid="ab" * 32, parts=1, slots=(), points=40, bucket=1_024),
        Shape(grid="ab" * 32, parts=2, slots=(1,), points=96, bucket=2_048),
    ]
)


@given(shapes, st.lists(places, max_size=2), st.lists(places, max_size=2))
@examples(8)
def test_how_much_is_said_follows_from_the_shape_and_not_from_the_plan(
    shape: Shape, one: list[Tube], other: list[Tube]
) -> None:
    said = []
    for plan in (one, other, []):
        played = Table(
            {"blue": side("blue", [], shape=shape), "red": side("red", plan, shape=shape)}
        )
        played.play()
        log = [each.step for each in played.logs["red"] if each.party == "red"]
        said.append([(step.kind, step.number, len(step.data)) for step in log])
    assert said[0] == said[1] == said[2]


# ---- leaks that are planted, and found ---------------------------------------------------------


def spoiled(change: Callable[[int, View], View]) -> list[View]:
    return [change(number, view) for number, view in enumerate(real())]


def test_a_constant_seed_is_found() -> None:
    constant = real()[0].hello  # of a seed and a plan that stay, so do key and commitments
    views = spoiled(lambda _, view: replace(view, hello=constant))
    assert told_apart(views, simulated(), "hello") > CHANCE
    seed = fresh(0, "red").seed
    drawn = [replace(fresh(number, "red"), seed=seed) for number in range(4)]
    points = {seen(real_side(number, drawn=each)).points for number, each in enumerate(drawn)}
    assert len(points) == 4  # the session's name goes into each blind, so that these still differ


def test_a_leaked_bit_of_the_curve_is_found() -> None:
    """As of PSI on X25519: each point tells whether the hash of its cell lies on the curve."""
    cells = side_of("red", RED, GRID, SHAPE, fresh(0, "red"), expires_utc=EXPIRES).cells
    of_slot = {slot: [cell for s, cell in cells if s == slot] for slot in cells.slots}

    def leak(_: int, view: View) -> View:
        points = bytearray(view.points)
        for slot, own in of_slot.items():
            for place, cell in enumerate(own):
                at = 32 * (slot * SHAPE.points + place) + 7
                points[at] = points[at] & 0xFE | hashlib.sha256(cell).digest()[0] & 1
        return replace(view, points=bytes(points))

    assert told_apart(spoiled(leak), simulated(), "points") > CHANCE


def test_tags_in_the_order_of_cells_are_found() -> None:
    def unsorted(number: int, view: View) -> View:
        tags = [view.tags[at : at + 12] for at in range(0, len(view.tags), 12)]
        random.Random(number).shuffle(tags)
        return replace(view, tags=b"".join(tags))

    assert told_apart(spoiled(unsorted), simulated(), "tags") > CHANCE


def test_pads_that_are_counted_and_not_drawn_are_found() -> None:
    def counted(number: int, view: View) -> View:
        tags = [view.tags[at : at + 12] for at in range(0, len(view.tags), 12)]
        chance = random.Random(number)
        kept = chance.sample(tags, 140)
        kept += [chance.randbytes(8) + n.to_bytes(4) for n in range(52)]
        return replace(view, tags=b"".join(sorted(kept)))

    assert chi_squared(spoiled(counted), simulated(), "tags") > 6


def test_a_count_that_depends_on_the_plan_is_found() -> None:
    def unpadded(_: int, view: View) -> View:
        return replace(view, lengths=(*view.lengths[:1], 32 * 27, *view.lengths[2:]))

    assert {view.lengths for view in spoiled(unpadded)} != {view.lengths for view in simulated()}


# ---- faults that are planted, and found --------------------------------------------------------

FAR = [stay(31_000, -21_000)]


def broken() -> str | None:
    """Why a check between two who do not meet is broken off; clear for nobody then."""
    found = Table({"blue": side("blue", BLUE), "red": side("red", FAR)}).play().values()
    reasons = {finding.reason for finding in found} - {None}
    for finding in found:
        assert finding.outcome is (Outcome.NOT_CHECKED if reasons else Outcome.NO_HIT)
    return reasons.pop() if reasons else None


def test_without_a_fault_it_is_clear() -> None:
    assert broken() is None


def losing_tail(tags: bytes, sizes: Sequence[int], lost: int) -> bytes:
    """Spoil the last so many of each slot; a PSI in wide use lost n mod 32 of all."""
    spoilt, begin = bytearray(tags), 0
    for size in sizes:
        assert lost < size  # the first ones are well
        end = 12 * (begin + size)
        spoilt[end - 12 * lost : end] = random.Random(begin).randbytes(12 * lost)
        begin += size
    return bytes(spoilt)


def test_a_lost_tail_of_the_senders_tags_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Sender.tags

    def tags(self: Sender, cells: SlotCells, *, threads: int | None = None) -> bytes:
        return losing_tail(whole(self, cells, threads=threads), cells.sizes, 3)

    monkeypatch.setattr(Sender, "tags", tags)
    assert broken() == "CANARY_LOST"


def test_a_lost_tail_of_the_receivers_tags_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Question.finalize

    def finalize(self: Question, answer: Evaluation, *, threads: int | None = None) -> bytes:
        tags = whole(self, answer, threads=threads)
        return losing_tail(tags, [len(tags) // 12 // GRID.slots] * GRID.slots, 1)

    monkeypatch.setattr(Question, "finalize", finalize)
    assert broken() == "CANARY_LOST"


@pytest.mark.parametrize("role", [Sender, Question])
def test_tags_that_are_too_few_are_found(
    monkeypatch: pytest.MonkeyPatch, role: type[Sender] | type[Question]
) -> None:
    name = "tags" if role is Sender else "finalize"
    whole = getattr(role, name)
    monkeypatch.setattr(role, name, lambda *args, **named: whole(*args, **named)[:-12])
    assert broken() == "TAGS_LOST"


@pytest.mark.parametrize("slot", range(GRID.slots))
def test_a_dropped_canary_is_found(slot: int) -> None:
    red = side("red", FAR)
    kept: dict[int, list[bytes]] = {each: [] for each in red.widened.slots}
    for each, cell in red.widened:
        if cell != OwnSide.canary(slot):
            kept[each].append(cell)
    lossy = replace(red, widened=SlotCells.of(kept))
    found = Table({"blue": side("blue", BLUE), "red": lossy}).play()["blue"]
    assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "CANARY_LOST")


def test_a_seed_that_serves_twice_is_found_by_its_key() -> None:
    one = side("red", FAR)
    again = side_of(
        "red", FAR, GRID, SHAPE, Drawn(one.seed, bytes(32), b"n" * 32), expires_utc=EXPIRES
    )
    assert again.hello.hash != one.hello.hash
    session = Session(
        side_of("blue", BLUE, GRID, SHAPE, fresh(0, "blue"), expires_utc=EXPIRES),
        keys=frozenset({one.hello.key}),
    )
    session.begin()
    with pytest.raises(CheckRefusedError) as refused:
        session.hear(Step(StepKind.HELLO, 0, again.hello.data))
    assert refused.value.reason == session.finding.reason == "KEY_REUSED"
