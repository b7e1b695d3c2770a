"""A hostile peer plays each way to cheat: a typed refusal, NOT CHECKED, and no secret in a word.

The list is that of what MUST be refused (``specs/private-check.md`` §4 and §8). Blue is honest; the
steps of an honest red are recorded once, and what a hostile red says instead is heard by a new
blue, which makes the same bytes again.
"""

import base64
import contextlib
import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.effort import examples
from tests.oracle import sealed_twin as twin

from deconflict.errors import CheckRefusedError, DeconflictError
from deconflict.sealed.audit import audit
from deconflict.sealed.hello import session_id
from deconflict.sealed.oprf import Receiver, Sender
from deconflict.sealed.own import Drawn, side_of
from deconflict.sealed.session import Finding, Outcome, Session
from deconflict.sealed.steps import CHUNKS, Step, StepKind
from sealed_talk import EXPIRES, GRID, SHAPE, Table, drawn, side, stay

BLUE, FAR, NEAR = stay(-15_000, 5_000), stay(31_000, -21_000), stay(-2_000, 5_000)
POINTS, SLOTS = SHAPE.points, GRID.slots
OTHER_POINT = (twin.P + 2).to_bytes(32, "little")  # 2 in another spelling
NEGATIVE = (1).to_bytes(32, "little")


@cache
def recorded() -> tuple[tuple[bool, Step], ...]:
    """What blue hears and says of a whole check with an honest red; whether blue says it."""
    played = Table({"blue": side("blue", [BLUE]), "red": side("red", [FAR])})
    assert played.play()["blue"].outcome is Outcome.NO_HIT
    return tuple((said.party == "blue", said.step) for said in played.logs["blue"])


Alter = Callable[[Step], Iterable[Step]]


@dataclass
class Heard:
    """What came of a blue that heard an altered red."""

    finding: Finding
    error: DeconflictError | None
    session: Session


def hear(alter: Alter, **how: object) -> Heard:
    session = Session(side("blue", [BLUE]), threads=1, **how)  # type: ignore[arg-type]
    session.begin()
    try:
        for own, step in recorded():
            for said in () if own else alter(step):
                session.hear(said)
    except DeconflictError as error:
        return Heard(session.finding, error, session)
    return Heard(session.finding, None, session)


def changing(kind: StepKind, change: Callable[[bytes], bytes], number: int = 0) -> Alter:
    def alter(step: Step) -> Iterable[Step]:
        if (step.kind, step.number) == (kind, number):
            step = replace(step, data=change(step.data))
        return (step,)

    return alter


def at_place(place: int, point: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[: 32 * place] + point + data[32 * (place + 1) :]


def in_hello(**change: object) -> Callable[[bytes], bytes]:
    def other(data: bytes) -> bytes:
        return msgspec.json.encode({**msgspec.json.decode(data), **change}, order="sorted")

    return other


def in_shape(**change: object) -> Callable[[bytes], bytes]:
    def other(data: bytes) -> bytes:
        hello = msgspec.json.decode(data)
        return msgspec.json.encode({**hello, "shape": {**hello["shape"], **change}}, order="sorted")

    return other


def swapped(one: int, other: int) -> Callable[[bytes], bytes]:
    def swap(data: bytes) -> bytes:
        points = [data[at : at + 32] for at in range(0, len(data), 32)]
        points[one], points[other] = points[other], points[one]
        return b"".join(points)

    return swap


PROOF = 32 * POINTS * SLOTS
HELLO, ASKED, ANSWERED = StepKind.HELLO, StepKind.POINTS, StepKind.EVALUATED

CHEATS: dict[str, tuple[StepKind, Callable[[bytes], bytes], str]] = {
    "a blinded point in another spelling": (ASKED, at_place(5, OTHER_POINT), "NOT_CANONICAL"),
    "a blinded point that is negative": (ASKED, at_place(5, NEGATIVE), "NOT_CANONICAL"),
    "a blinded point off the group": (ASKED, at_place(5, b"\xff" * 32), "NOT_CANONICAL"),
    "the neutral element, blinded": (ASKED, at_place(5, bytes(32)), "IDENTITY"),
    "one point twice in a slot": (ASKED, lambda d: d[:32] * 2 + d[64:], "DUPLICATE"),
    "one point more than agreed": (ASKED, lambda d: d + d[:32], "WRONG_LENGTH"),
    "one point fewer": (ASKED, lambda d: d[32:], "WRONG_LENGTH"),
    "a whole slot more": (ASKED, lambda d: d + d[: 32 * POINTS], "WRONG_LENGTH"),
    "an answer in another spelling": (ANSWERED, at_place(5, OTHER_POINT), "NOT_CANONICAL"),
    "an answer that is neutral": (ANSWERED, at_place(5, bytes(32)), "IDENTITY"),
    "an answer twice": (ANSWERED, lambda d: d[:32] * 2 + d[64:], "DUPLICATE"),
    "answers in another order": (ANSWERED, swapped(2, 3), "BAD_PROOF"),
    "answers of another slot": (ANSWERED, swapped(2, POINTS + 2), "BAD_PROOF"),
    "a proof of another slot": (
        ANSWERED,
        lambda d: (
            d[:PROOF] + d[PROOF + 64 : PROOF + 128] + d[PROOF : PROOF + 64] + d[PROOF + 128 :]
        ),
        "BAD_PROOF",
    ),
    "a proof of zeros": (ANSWERED, lambda d: d[:PROOF] + bytes(64) + d[PROOF + 64 :], "BAD_PROOF"),
    "a proof above the order": (
        ANSWERED,
        lambda d: d[:PROOF] + b"\xff" * 64 + d[PROOF + 64 :],
        "PROOF_NOT_CANONICAL",
    ),
    "no proofs": (ANSWERED, lambda d: d[:PROOF], "WRONG_LENGTH"),
    "another grid": (HELLO, in_shape(grid="cd" * 32), "OTHER_GRID"),
    "more points than agreed": (HELLO, in_shape(points=POINTS + 1), "OTHER_SHAPE"),
    "another bucket": (HELLO, in_shape(bucket=1_024), "OTHER_SHAPE"),
    "a bucket that is none": (HELLO, in_shape(bucket=100), "MALFORMED"),
    "a bucket of nothing": (HELLO, in_shape(bucket=0), "MALFORMED"),
    "a bucket beyond all": (HELLO, in_shape(bucket=1 << 40), "MALFORMED"),
    "finer cells than agreed": (HELLO, in_shape(parts=2, slots=[1]), "OTHER_SHAPE"),
    "slots out of order": (HELLO, in_shape(parts=2, slots=[3, 1]), "MALFORMED"),
    "the neutral element as key": (HELLO, in_hello(key="00" * 32), "BAD_KEY"),
    "a key off the group": (HELLO, in_hello(key="ff" * 32), "BAD_KEY"),
    "our own key": (HELLO, in_hello(key=side("blue", []).hello.key), "REPLAYED_HELLO"),
    "our own nonce": (HELLO, in_hello(nonce=side("blue", []).hello.nonce), "REPLAYED_HELLO"),
    "our own name": (HELLO, in_hello(party="blue"), "REPLAYED_HELLO"),
    "a HELLO that says more": (HELLO, in_hello(more=1), "MALFORMED"),
    "a HELLO of another version": (HELLO, in_hello(v=2), "MALFORMED"),
    "a HELLO of megabytes": (HELLO, in_hello(party="x" * 2_000_000), "MALFORMED"),
    "another root": (StepKind.ROOT, lambda d: bytes(32), "BAD_PATH"),
    "another transcript": (StepKind.DONE, lambda d: bytes(32), "OTHER_TRANSCRIPT"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_each_way_to_cheat_ends_in_a_refusal_by_name(cheat: str) -> None:
    kind, change, reason = CHEATS[cheat]
    heard = hear(changing(kind, change))
    assert isinstance(heard.error, DeconflictError)
    assert (heard.finding.outcome, heard.finding.whole) == (Outcome.NOT_CHECKED, False)
    assert heard.finding.reason == reason
    assert heard.session.ended
    with pytest.raises(CheckRefusedError, match="has ended"):
        heard.session.hear(Step(StepKind.DONE, 0, bytes(32)))


def test_the_record_that_is_altered_is_one_of_a_whole_check() -> None:
    heard = hear(lambda step: (step,))
    assert heard.error is None
    assert heard.finding == Finding(Outcome.NO_HIT, True, frozenset())


# ---- order, time and repetition ----------------------------------------------------------------


def test_a_second_set_of_points_is_probing_over_the_cap() -> None:
    """Red asks about a slot again with other points, under the same HELLO."""
    own, peer = side("red", [NEAR]), side("blue", [BLUE])
    ssid = session_id(own.hello, peer.hello)
    more = Receiver(bytes(32), ssid, bytes.fromhex(peer.hello.key)).ask(own.cells, POINTS).points

    def again(step: Step) -> Iterable[Step]:
        return (step, replace(step, data=more)) if step.kind is StepKind.POINTS else (step,)

    assert hear(again).finding.reason == "OUT_OF_TURN"


@pytest.mark.parametrize("kind", list(StepKind))
def test_a_step_that_comes_too_late_is_refused_and_nothing_is_clear(kind: StepKind) -> None:
    session = Session(side("blue", [BLUE]), threads=1)
    session.begin()
    for own, step in recorded():
        if step.kind is kind and not own:
            session.abort("LATE")  # its time is over before this came
            with pytest.raises(CheckRefusedError, match="has ended"):
                session.hear(step)
            break
        if not own:
            session.hear(step)
    assert session.finding == Finding(Outcome.NOT_CHECKED, False, frozenset(), "LATE")


def test_steps_in_any_other_order_are_refused() -> None:
    heard = [step for own, step in recorded() if not own]
    for at in range(len(heard) - 1):
        other = [*heard[:at], heard[at + 1], heard[at], *heard[at + 2 :]]
        session = Session(side("blue", [BLUE]), threads=1)
        session.begin()
        with contextlib.suppress(CheckRefusedError):
            for step in other:
                session.hear(step)
        assert session.finding == Finding(Outcome.NOT_CHECKED, False, frozenset(), "OUT_OF_TURN")
        if at > 3:
            break  # chunks are alike


def test_a_hello_that_served_and_a_key_that_served_are_refused() -> None:
    red = side("red", [FAR])
    assert hear(lambda s: (s,), seen=frozenset({red.hello.hash})).finding.reason == "REPLAYED_HELLO"
    assert hear(lambda s: (s,), keys=frozenset({red.hello.key})).finding.reason == "KEY_REUSED"


def test_an_answer_by_another_key_or_for_another_session_is_a_lie_that_is_seen() -> None:
    red, blue = side("red", [FAR]), side("blue", [BLUE])
    asked = next(step.data for own, step in recorded() if own and step.kind is StepKind.POINTS)
    ssid = session_id(red.hello, blue.hello)
    for seed, session in ((bytes(32), ssid), (red.seed, bytes(32))):
        answer = Sender(seed, session).evaluate(range(SLOTS), POINTS, asked)
        lie = changing(StepKind.EVALUATED, lambda _, a=answer: a.points + a.proofs)  # type: ignore[misc]
        assert hear(lie).finding.reason == "BAD_PROOF"


def test_a_grid_swapped_after_it_was_agreed_is_seen_by_its_hash_alone() -> None:
    """Red computes with another grid under the agreed hash: only an audit tells."""

    moved = replace(GRID, west_mm=GRID.west_mm + 70_000)
    lying = side_of("red", (stay(31_500, 5_000),), moved, SHAPE, drawn(2), expires_utc=EXPIRES)
    played = Table({"blue": side("blue", [BLUE]), "red": lying})
    played.play()
    audited = audit(played.logs["red"], played.opened("red", [stay(31_500, 5_000)]), GRID)
    assert audited.deviates is not None


# ---- each bit, each crash ----------------------------------------------------------------------

PLACES = [(kind, 0) for kind in StepKind] + [(StepKind.CHUNK, 1), (StepKind.CHUNK, CHUNKS - 1)]


@given(st.sampled_from(PLACES), st.integers(0), st.integers(0, 7))
@examples(150)
def test_a_flipped_bit_in_any_message_is_not_checked_and_never_clear(
    place: tuple[StepKind, int], at: int, bit: int
) -> None:
    def flip(data: bytes) -> bytes:
        altered = bytearray(data)
        altered[at % len(data)] ^= 1 << bit
        return bytes(altered)

    kind, number = place
    heard = hear(changing(kind, flip, number))
    assert heard.error is not None
    assert heard.finding.outcome is Outcome.NOT_CHECKED
    assert heard.finding.reason


def test_after_a_crash_at_each_step_the_same_bytes_are_said_again() -> None:
    record = recorded()
    due = [step for own, step in record if own]
    for crash in range(len(record) + 1):
        if 12 < crash < len(record) - 6 and crash % 9:
            continue  # chunks are alike
        session = Session(side("blue", [BLUE]), threads=1)
        said = list(session.begin())
        for own, step in record[:crash]:
            if not own:
                said += session.hear(step)
        assert said == due[: len(said)]
        assert len(said) >= sum(1 for own, _ in record[:crash] if own)
        assert (session.finding.outcome is Outcome.NO_HIT) == (crash == len(record))


def test_after_a_crash_with_another_seed_the_peer_refuses_what_is_said() -> None:
    """A restored backup with a fresh seed: its bytes are others, and blue has the old HELLO."""
    other = side_of("red", (FAR,), GRID, SHAPE, Drawn(*(bytes([n]) * 32 for n in (7, 8, 9))),
                    expires_utc=EXPIRES)  # fmt: skip
    red, blue = Session(other, threads=1), side("blue", [BLUE])
    red.begin()
    (points,) = red.hear(Step(StepKind.HELLO, 0, blue.hello.data))
    heard = hear(lambda s: (points,) if s.kind is StepKind.POINTS else (s,))
    assert heard.finding.outcome is Outcome.NOT_CHECKED


# ---- no secret in a word -------------------------------------------------------------------------


def secrets() -> Sequence[str]:
    """Spellings of what nobody may read: seeds, cells of the plan, its places."""
    own = side("blue", [BLUE])
    raw = [own.seed, drawn(1).coin, *(cell for _, cell in own.cells if cell[8:] != b"\xff\xff")]
    spelt = [form for secret in raw for form in (secret.hex(), repr(secret)[2:-1])]
    spelt += [base64.b64encode(secret).decode() for secret in raw if len(secret) == 32]
    return [*spelt, "-15000", "-15,000", "-15_000"]


@pytest.mark.parametrize("cheat", CHEATS)
def test_no_refusal_and_no_log_tells_a_secret(cheat: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kind, change, _ = CHEATS[cheat]
    heard = hear(changing(kind, change))
    assert heard.error is not None
    said = "".join(traceback.format_exception(heard.error))
    said += repr(heard.error) + str(vars(heard.error)) + repr(heard.session) + caplog.text
    said += repr(heard.finding)
    assert len(said) < 20_000
    for secret in secrets():
        assert secret not in said
