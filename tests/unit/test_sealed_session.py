"""A private check between two sides: what both find, and what a side that cheats gets."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.effort import examples

from deconflict.errors import (
    CheckRefusedError,
    DeconflictError,
    InvalidDocumentError,
    InvalidInputError,
    NotCanonicalError,
)
from deconflict.sealed.audit import Said, audit, in_one_order
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.hello import Hello, Shape, read_hello
from deconflict.sealed.oprf import Evaluation, Sender
from deconflict.sealed.own import OwnSide, plan_bytes, read_plan, side_of
from deconflict.sealed.session import Outcome, Session
from deconflict.sealed.steps import CHUNKS, Step, StepKind
from deconflict.sealed.tags import ShownTags
from deconflict.sealed.tubes import Area, Tube
from sealed_talk import EXPIRES, GRID, PARTIES, SHAPE, Table, as_said, drawn, in_plain, side, stay

BLUE, NEAR, FAR = stay(-15_000, 5_000), stay(-2_000, 5_000), stay(31_000, -21_000)


def table(blue: Iterable[Tube | Area] = (BLUE,), red: Iterable[Tube | Area] = (NEAR,)) -> Table:
    return Table({"blue": side("blue", blue), "red": side("red", red)})


# ---- what both find --------------------------------------------------------------------------


def test_each_side_learns_which_of_its_own_cells_the_other_comes_near() -> None:
    played = table()
    found = played.play()
    assert found["blue"].hits == in_plain([BLUE], [NEAR]) != frozenset()
    assert found["red"].hits == in_plain([NEAR], [BLUE])
    for finding in found.values():
        assert (finding.outcome, finding.whole, finding.reason) == (Outcome.HIT, True, None)
    blue, red = played.sessions.values()
    assert blue.transcript == red.transcript != b""
    assert blue.progress == red.progress == (138, 138)


def test_who_does_not_come_near_learns_that_and_nothing_else() -> None:
    found = table(red=[FAR]).play()
    for finding in found.values():
        assert (finding.outcome, finding.whole, finding.hits) == (Outcome.NO_HIT, True, frozenset())


places = st.builds(
    stay,
    st.integers(-39_000, 39_000),
    st.integers(-29_000, 29_000),
    level=st.integers(0, 7_000),
    from_ms=st.integers(0, 9_000),
    to_ms=st.integers(10_000, 20_000),
)


@given(st.lists(places, max_size=3), st.lists(places, max_size=3))
@examples(25)
def test_the_result_is_the_plain_intersection_and_every_length_that_of_the_shape(
    blue: list[Tube], red: list[Tube]
) -> None:
    shape = msgspec.structs.replace(SHAPE, points=40, bucket=1_024)
    played = Table({"blue": side("blue", blue, shape=shape), "red": side("red", red, shape=shape)})
    found = played.play()
    assert found["blue"].hits == in_plain(blue, red)
    assert found["red"].hits == in_plain(red, blue)
    assert all(finding.whole for finding in found.values())
    lengths = {
        party: [len(said.step.data) for said in log if said.party == party]
        for party, log in played.logs.items()
    }
    chunk = 12 * 1_024 // CHUNKS + 6 * 32
    for sent in lengths.values():
        assert sent[1:] == [32 * 40 * 4, (32 * 40 + 64) * 4, 32, *[chunk] * CHUNKS, 32]
    assert len(set(map(tuple, lengths.values()))) <= 2  # the names of the parties differ in length


def test_a_finer_check_looks_at_the_flagged_slots_alone() -> None:
    shape = Shape(grid="ab" * 32, parts=2, slots=(1, 3), points=64, bucket=2_048)
    own = side("blue", [BLUE], shape=shape)
    assert own.cells.slots == (2, 3, 6, 7)
    found = Table({"blue": own, "red": side("red", [NEAR], shape=shape)}).play()
    assert {int.from_bytes(hit[:4]) for hit in found["blue"].hits} <= {2, 3, 6, 7}
    assert found["blue"].whole


# ---- a crash -----------------------------------------------------------------------------------


def test_after_a_crash_at_any_step_the_same_bytes_are_said_again() -> None:
    played = table()
    played.play()
    log = played.logs["blue"]
    own = side("blue", [BLUE])
    for crash in range(1, len(log), 7):
        session = Session(own, threads=1)
        said = list(session.begin())
        for each in log[:crash]:
            if each.party == "red":
                said += session.hear(each.step)
        before = [each.step for each in log[:crash] if each.party == "blue"]
        assert said[: len(before)] == before
        assert session.finding.outcome is not Outcome.NO_HIT


# ---- every bit of what is said ---------------------------------------------------------------


@pytest.mark.parametrize("kind", list(StepKind))
@pytest.mark.parametrize("at", [0, 7, -1])
def test_a_flipped_bit_ends_the_check_and_never_says_clear(kind: StepKind, at: int) -> None:
    def flip(party: str, step: Step) -> Iterable[Step]:
        if party == "red" and step.kind is kind and step.number == 0:
            data = bytearray(step.data)
            data[at] ^= 0x10
            step = Step(step.kind, step.number, bytes(data))
        return (step,)

    played = table(red=[FAR])
    played.alter = flip
    found = played.play()
    assert found["blue"].outcome is Outcome.NOT_CHECKED
    # Another point may be a point as well: then it is red who finds that it did not ask that one.
    assert "blue" in played.errors or (kind in (StepKind.HELLO, StepKind.POINTS) and played.errors)


def test_hits_seen_before_it_was_broken_off_stay_hits() -> None:
    def stop(party: str, step: Step) -> Iterable[Step]:
        last = (step.kind, step.number) >= (StepKind.CHUNK, CHUNKS - 1)
        return () if last and party == "red" else (step,)

    played = table()
    played.alter = stop
    found = played.play()["blue"]
    session = played.sessions["blue"]
    assert not session.ended
    session.abort("LATE")
    assert (session.finding.outcome, session.finding.whole) == (Outcome.HIT, False)
    assert session.finding.hits == found.hits
    assert session.finding.reason == "LATE"
    with pytest.raises(CheckRefusedError, match="has ended"):
        session.hear(Step(StepKind.DONE, 0, bytes(32)))


@pytest.mark.parametrize("kind", list(StepKind))
def test_a_check_that_stops_early_is_not_checked(kind: StepKind) -> None:
    played = table(red=[FAR])
    played.alter = lambda party, step: () if (party, step.kind) == ("red", kind) else (step,)
    found = played.play()
    assert found["blue"].outcome is Outcome.NOT_CHECKED
    assert not found["blue"].whole


# ---- what is refused -------------------------------------------------------------------------


def refusal(played: Table, party: str = "blue") -> str:
    found = played.play()[party]
    assert found.outcome is Outcome.NOT_CHECKED
    error = played.errors[party]
    assert found.reason == getattr(error, "reason", "MALFORMED")
    return str(found.reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"grid": "cd" * 32}, "OTHER_GRID"),
        ({"points": 17}, "OTHER_SHAPE"),
        ({"bucket": 576}, "OTHER_SHAPE"),
    ],
)
def test_another_grid_or_shape_is_refused(change: dict[str, object], reason: str) -> None:
    other = msgspec.structs.replace(SHAPE, **change)
    sides = {"blue": side("blue", [BLUE]), "red": side("red", [FAR], shape=other)}
    assert refusal(Table(sides)) == reason


def test_a_hello_serves_once() -> None:
    red = side("red", [FAR])
    session = Session(side("blue", [BLUE]), seen=frozenset({red.hello.hash}), threads=1)
    session.begin()
    with pytest.raises(CheckRefusedError, match="served before"):
        session.hear(Step(StepKind.HELLO, 0, red.hello.data))
    assert session.finding.reason == "REPLAYED_HELLO"


def test_ones_own_hello_is_no_peers() -> None:
    session = Session(side("blue", [BLUE]), threads=1)
    (hello,) = session.begin()
    with pytest.raises(CheckRefusedError, match="our own"):
        session.hear(hello)


def test_a_step_said_twice_or_before_its_turn_is_refused() -> None:
    for again in StepKind:
        played = table(red=[FAR])
        played.alter = lambda party, step, kind=again: (  # type: ignore[misc]
            (step, step) if (party, step.kind) == ("red", kind) else (step,)
        )
        found = played.play()["blue"]
        done = again is StepKind.DONE  # the check was whole by then
        assert found.outcome is (Outcome.NO_HIT if done else Outcome.NOT_CHECKED)
        assert done or found.reason == "OUT_OF_TURN"
    for kind in StepKind:
        session = Session(side("blue", [BLUE]), threads=1)
        session.begin()
        if kind is not StepKind.HELLO:
            with pytest.raises(CheckRefusedError, match="not due"):
                session.hear(Step(kind, 0, bytes(32)))
            assert session.finding.outcome is Outcome.NOT_CHECKED


def test_chunks_are_said_one_after_the_other() -> None:
    def hasty(party: str, step: Step) -> Iterable[Step]:
        if (party, step.kind, step.number) == ("red", StepKind.CHUNK, 3):
            return (replace(step, number=4), step)
        return (step,)

    played = table(red=[FAR])
    played.alter = hasty
    assert refusal(played) == "OUT_OF_TURN"


@pytest.mark.parametrize("kind", [k for k in StepKind if k is not StepKind.HELLO])
@pytest.mark.parametrize("more", [-32, 32])
def test_another_length_is_refused_before_it_is_looked_at(kind: StepKind, more: int) -> None:
    def stretch(party: str, step: Step) -> Iterable[Step]:
        if (party, step.kind) == ("red", kind):
            data = step.data[:more] if more < 0 else step.data + bytes(more)
            step = replace(step, data=data)
        return (step,)

    played = table(red=[FAR])
    played.alter = stretch
    assert refusal(played) == "WRONG_LENGTH"


def answering(own: OwnSide, peer: OwnSide, points: bytes, slots: tuple[int, ...]) -> Step:
    """What a sender says that answers as if the points were of these slots."""
    from deconflict.sealed.hello import session_id

    ssid = session_id(own.hello, peer.hello)
    answer: Evaluation = Sender(own.seed, ssid).evaluate(slots, SHAPE.points, points)
    return Step(StepKind.EVALUATED, 0, answer.points + answer.proofs)


def test_points_answered_under_another_slot_are_found_out() -> None:
    sides = {"blue": side("blue", [BLUE]), "red": side("red", [FAR])}
    asked: list[bytes] = []

    def wrong(party: str, step: Step) -> Iterable[Step]:
        if (party, step.kind) == ("blue", StepKind.POINTS):
            asked.append(step.data)
        if (party, step.kind) == ("red", StepKind.EVALUATED):
            step = answering(sides["red"], sides["blue"], asked[0], (0, 1, 2, 4))
        return (step,)

    assert refusal(Table(sides, wrong)) == "BAD_PROOF"


def test_points_answered_with_another_key_than_was_shown_are_found_out() -> None:
    sides = {"blue": side("blue", [BLUE]), "red": side("red", [FAR])}
    other = replace(sides["red"], seed=bytes(32))
    asked: list[bytes] = []

    def wrong(party: str, step: Step) -> Iterable[Step]:
        if (party, step.kind) == ("blue", StepKind.POINTS):
            asked.append(step.data)
        if (party, step.kind) == ("red", StepKind.EVALUATED):
            step = answering(other, sides["blue"], asked[0], (0, 1, 2, 3))
        return (step,)

    assert refusal(Table(sides, wrong)) == "BAD_PROOF"


def test_one_point_asked_twice_in_a_slot_is_refused() -> None:
    def probe(party: str, step: Step) -> Iterable[Step]:
        if (party, step.kind) == ("red", StepKind.POINTS):
            step = replace(step, data=step.data[:32] * 2 + step.data[64:])
        return (step,)

    played = table(red=[FAR])
    played.alter = probe
    assert refusal(played) == "DUPLICATE"


def shown(tags: list[bytes], *, ordered: bool = True) -> ShownTags:
    """Tags as a cheat shows them: under a root of its own making."""
    made = ShownTags(b"", b"".join(n.to_bytes(12) for n in range(SHAPE.bucket)), SHAPE.bucket)
    size = SHAPE.bucket // CHUNKS
    chosen = sorted(tags) if ordered else tags
    chunks = [b"".join(chosen[n * size : (n + 1) * size]) for n in range(CHUNKS)]
    from deconflict.line.tree import GrowingTree

    tree = GrowingTree()
    for number, chunk in enumerate(chunks):
        tree.add(hashlib.sha256(b"\x00" + bytes([number]) + chunk).digest())
    made._chunks, made._tree = chunks, tree
    return made


@pytest.mark.parametrize(
    ("tags", "ordered", "reason"),
    [
        ([n.to_bytes(12) for n in range(512)][::-1], False, "UNSORTED_TAGS"),
        ([(n - n % 2).to_bytes(12) for n in range(2, 514)], True, "UNSORTED_TAGS"),
        ([(n ^ 8).to_bytes(12) for n in range(8, 520)], False, "UNSORTED_TAGS"),
        ([n.to_bytes(12) for n in range(1, 513)], True, "CANARY_LOST"),
    ],
    ids=["unsorted", "twice", "chunks in another order", "none of the canaries"],
)
def test_tags_out_of_order_twice_or_lost_are_found_out(
    tags: list[bytes], ordered: bool, reason: str
) -> None:
    made = shown(tags, ordered=ordered)

    def show(party: str, step: Step) -> Iterable[Step]:
        if party == "red" and step.kind is StepKind.ROOT:
            return (made.root,)
        if party == "red" and step.kind is StepKind.CHUNK:
            return (made.chunk(step.number),)
        return (step,)

    played = table(red=[FAR])
    played.alter = show
    assert refusal(played) == reason


def test_a_chunk_changed_after_its_root_was_said_is_found_out() -> None:
    def late(party: str, step: Step) -> Iterable[Step]:
        if (party, step.kind, step.number) == ("red", StepKind.CHUNK, 40):
            step = replace(step, data=bytes(12) + step.data[12:])
        return (step,)

    played = table(red=[FAR])
    played.alter = late
    assert refusal(played) == "BAD_PATH"


# ---- what is not sent ------------------------------------------------------------------------


def test_more_than_was_agreed_is_refused_at_home_and_nothing_is_left_out() -> None:
    many = [stay(x, y) for x in range(-35_000, 40_000, 10_000) for y in (-25_000, -5_000, 15_000)]
    with pytest.raises(InvalidInputError, match="agreed points of a slot"):
        side("blue", many)
    small = msgspec.structs.replace(SHAPE, points=64, bucket=128)
    with pytest.raises(InvalidInputError, match="agreed bucket"):
        side("blue", many, shape=small)


def test_shapes_that_do_not_hold_together_are_refused() -> None:
    for change in (
        {"bucket": 100}, {"slots": (1,)}, {"parts": 2}, {"parts": 2, "slots": (3, 1)},
        {"parts": 2, "slots": (4,)},
    ):  # fmt: skip
        with pytest.raises(InvalidDocumentError):
            side("blue", [BLUE], shape=msgspec.structs.replace(SHAPE, **change))


def test_a_hello_in_another_form_is_refused() -> None:
    data = side("red", [FAR]).hello.data
    assert read_hello(data).party == "red"
    for wrong in (
        data + b" ",
        data.replace(b'"v":1', b'"v":2'),
        data.replace(b"red", b"r\\u0065d"),
    ):
        with pytest.raises((InvalidDocumentError, NotCanonicalError)):
            read_hello(wrong)
    with pytest.raises(DeconflictError):
        read_hello(b"[" * 100_000)


def test_no_secret_is_in_what_is_printed_or_said_in_an_error() -> None:
    own = side("blue", [BLUE])
    texts = [repr(own), repr(drawn(1)), repr(own.cells), repr(own.hello)]
    texts.append(repr(table().opened("blue", [BLUE])))
    for text in texts:
        assert drawn(1).seed.hex() not in text
        assert str(drawn(1).seed) not in text
        assert "-15000" not in text
    many = [stay(x, 5_000) for x in range(-35_000, 40_000, 5_000)]
    with pytest.raises(InvalidInputError) as caught:
        side("blue", many, shape=msgspec.structs.replace(SHAPE, points=2))
    assert "5000" not in str(caught.value)


# ---- the arbiter -----------------------------------------------------------------------------


def test_an_arbiter_finds_that_an_honest_side_did_not_deviate() -> None:
    played = table()
    found = played.play()
    for party, plan in (("blue", [BLUE]), ("red", [NEAR])):
        audited = audit(played.logs[party], played.opened(party, plan), GRID)
        assert audited.deviates is None
        assert audited.finding == found[party]


def test_an_arbiter_finds_another_plan_another_seed_and_another_coin() -> None:
    played = table()
    played.play()
    log = played.logs["red"]
    opened = played.opened("red", [NEAR])
    for changed, what in (
        (replace(opened, plan=plan_bytes((FAR,))), "plan, cells"),
        (replace(opened, seed=bytes(32)), "key, plan, seed, cells"),
        (replace(opened, coin=bytes(32)), "coin"),
        (replace(opened, plan=b"[]"), "plan, cells"),
    ):
        audited = audit(log, changed, GRID)
        assert audited.deviates == f"its HELLO commits to another {what}"
    audited = audit(log, replace(opened, plan=b"{}"), GRID)
    assert "cannot come from what it opened" in str(audited.deviates)


def test_an_arbiter_finds_who_left_cells_out_of_what_it_showed() -> None:
    """Red commits to its plan and shows only canaries: nothing is found, until it is opened."""
    honest = side("red", [NEAR])
    empty = {slot: [OwnSide.canary(slot)] for slot in honest.cells.slots}
    lying = replace(honest, widened=SlotCells.of(empty))
    played = Table({"blue": side("blue", [BLUE]), "red": lying})
    assert played.play()["blue"].outcome is Outcome.NO_HIT
    audited = audit(played.logs["red"], played.opened("red", [NEAR]), GRID)
    assert audited.deviates == "ROOT is not what its plan and seed give"


def test_an_arbiter_finds_who_asked_about_other_cells_than_its_plan() -> None:
    honest = side("red", [FAR])
    probing = replace(honest, cells=side("red", [BLUE]).cells)
    played = Table({"blue": side("blue", [BLUE]), "red": probing})
    assert played.play()["red"].outcome is Outcome.HIT  # it learnt what it must not
    audited = audit(played.logs["red"], played.opened("red", [FAR]), GRID)
    assert audited.deviates == "POINTS is not what its plan and seed give"


def test_an_arbiter_finds_who_went_on_after_the_peers_fault_and_who_stopped() -> None:
    played = table()
    played.alter = lambda party, step: (
        () if party == "blue" and step.kind >= StepKind.ROOT else as_said(party, step)
    )
    played.play()
    audited = audit(played.logs["blue"], played.opened("blue", [BLUE]), GRID)
    assert audited.deviates == "it stopped before ROOT"


def test_a_plan_is_read_back_from_its_bytes_and_from_no_other_spelling() -> None:
    ring = ((0, 0), (9_000, 0), (0, 9_000))
    area = Area(((ring[0], ring[1]),), ring, 5, 0, 900, 900_000, 905_000)
    data = plan_bytes((BLUE, area))
    assert read_plan(data) == (BLUE, area)
    for wrong in (data + b" ", b"{}", b"[1]", b'[{"kind":"tube"}]', b"\xff", b"[" * 5_000):
        with pytest.raises(InvalidDocumentError):
            read_plan(wrong)


def test_the_same_plan_seed_and_agreement_give_the_same_side() -> None:
    one, other = side("blue", [BLUE]), side("blue", [BLUE])
    assert one.hello == other.hello
    assert isinstance(one.hello, Hello)
    again = side_of("blue", (BLUE,), GRID, SHAPE, drawn(9), expires_utc=EXPIRES)
    assert again.hello.nonce != one.hello.nonce
    assert set(PARTIES) == {"blue", "red"}


def chains_of(log: list[Said], party: str) -> tuple[list[Said], list[Said]]:
    """One log as two chains: all that a record of two signed logs tells of their order."""
    return [s for s in log if s.party == party], [s for s in log if s.party != party]


def test_an_arbiter_needs_only_the_order_of_each_chain() -> None:
    played = table()
    found = played.play()
    for party, plan in (("blue", [BLUE]), ("red", [NEAR])):
        for log in played.logs.values():  # of whichever side exported it
            merged = in_one_order(*chains_of(log, party))
            audited = audit(merged, played.opened(party, plan), GRID)
            assert (audited.deviates, audited.finding) == (None, found[party])


def test_an_arbiter_of_two_chains_finds_a_step_left_out_said_twice_or_too_soon() -> None:
    played = table()
    played.play()
    own, peers = chains_of(played.logs["red"], "red")
    opened = played.opened("red", [NEAR])
    for at, step in enumerate(own[1:-1], start=1):
        left_out = [*own[:at], *own[at + 1 :]]
        swapped = [*own[:at], own[at + 1], own[at], *own[at + 2 :]]
        for changed in (left_out, swapped, [*own[: at + 1], *own[at:]]):
            audited = audit(in_one_order(changed, peers), opened, GRID)
            assert audited.deviates is not None, (at, step.step.kind)


def test_an_arbiter_names_what_the_other_side_said_that_had_to_be_refused() -> None:
    def flipped(party: str, step: Step) -> tuple[Step, ...]:
        if (party, step.kind) != ("blue", StepKind.EVALUATED):
            return (step,)
        return (replace(step, data=step.data[:-1] + bytes([step.data[-1] ^ 1])),)

    played = table()
    played.alter = flipped
    played.play()
    merged = in_one_order(*chains_of(played.logs["red"], "red"))
    audited = audit(merged, played.opened("red", [NEAR]), GRID)
    assert audited.deviates is None
    assert str(audited.refused).startswith("EVALUATED: ")


def test_who_stopped_is_told_from_who_said_something_else() -> None:
    played = table()
    played.play()
    own, peers = chains_of(played.logs["red"], "red")
    audited = audit(in_one_order(own[:3], peers), played.opened("red", [NEAR]), GRID)
    assert (audited.deviates, audited.unsaid) == ("it stopped before ROOT", True)
