"""A count, or yes or no, told by a third party: what is found, and who cheats is found out."""

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.effort import examples

from deconflict.errors import CheckRefusedError, DeconflictError, InvalidInputError
from deconflict.sealed.cover import cover
from deconflict.sealed.mediated import Mediated, MediatedSide, mediated_side
from deconflict.sealed.mediation import (
    MEDIATED_TAG,
    MediatedMode,
    MediatedTerms,
    Mediation,
    Submitted,
    mediate,
    read_mediated_hello,
    read_mediation,
    read_submission,
)
from deconflict.sealed.session import Outcome
from deconflict.sealed.tubes import Tube
from sealed_talk import EXPIRES, GRID, drawn, in_plain, stay

TERMS = MediatedTerms("white", "ab" * 32, 1, MediatedMode.COUNT, runs=8, bucket=256)
YES_NO = msgspec.structs.replace(TERMS, mode=MediatedMode.YES_NO)
BLUE, NEAR, FAR = stay(-15_000, 5_000), stay(-2_000, 5_000), stay(31_000, -21_000)


def side(
    party: str, plan: list[Tube], terms: MediatedTerms = TERMS, *, number: int = 0
) -> MediatedSide:
    number = number or {"blue": 1, "red": 2}[party]
    return mediated_side(party, plan, GRID, terms, drawn(number), expires_utc=EXPIRES)


def begun(
    blue: list[Tube], red: list[Tube], terms: MediatedTerms = TERMS
) -> tuple[Mediated, Mediated, Submitted, Submitted]:
    one, other = Mediated(side("blue", blue, terms)), Mediated(side("red", red, terms))
    hellos = one.begin(), other.begin()
    return one, other, one.hear_hello(hellos[1]), other.hear_hello(hellos[0])


def answered(one: Submitted, other: Submitted) -> Mediation:
    return mediate(one, other, mediator="white")


# ---- what is found ---------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [TERMS, YES_NO])
@pytest.mark.parametrize("other", [NEAR, FAR])
def test_both_learn_the_count_or_yes_or_no_and_nothing_else(
    terms: MediatedTerms, other: Tube
) -> None:
    blue, red, *submitted = begun([BLUE], [other], terms)
    data = answered(*submitted).data
    hashes = blue.hear_answer(data), red.hear_answer(data)
    assert blue.finding.outcome is Outcome.NOT_CHECKED  # until the peer has said what it heard
    blue.hear_peers(hashes[1])
    red.hear_peers(hashes[0])
    counts = len(in_plain([BLUE], [other])), len(in_plain([other], [BLUE]))
    outcome = Outcome.HIT if any(counts) else Outcome.NO_HIT
    for finding, told in ((blue.finding, counts), (red.finding, counts[::-1])):
        assert (finding.outcome, finding.whole) == (outcome, True)
        expected = told if terms is TERMS else (None, None)
        assert (finding.own_cells, finding.peers_cells) == expected


places = st.builds(
    stay,
    st.integers(-38_000, 38_000),
    st.integers(-28_000, 28_000),
    level=st.integers(0, 7_000),
)


@given(st.lists(places, max_size=3), st.lists(places, max_size=3))
@examples(30)
def test_the_count_is_that_of_the_plain_intersection_and_all_lists_are_as_long(
    blue: list[Tube], red: list[Tube]
) -> None:
    terms = msgspec.structs.replace(TERMS, bucket=512)
    one, other, *submitted = begun(blue, red, terms)
    for each in submitted:
        assert len(each.lists) == 8 * 512 * MEDIATED_TAG
    data = answered(*submitted).data
    one.hear_peers(other.hear_answer(data)) if one.hear_answer(data) else None
    found = one.finding
    assert (found.own_cells, found.peers_cells) == (
        len(in_plain(blue, red)),
        len(in_plain(red, blue)),
    )


def test_nothing_that_leaves_is_a_cell_a_seed_or_the_same_twice() -> None:
    _, _, one, other = begun([BLUE], [NEAR])
    again = Mediated(side("blue", [BLUE], number=9))
    again.begin()
    later = again.hear_hello(side("red", [NEAR]).hello.data)
    tags = [
        {each.lists[at : at + MEDIATED_TAG] for at in range(0, len(each.lists), MEDIATED_TAG)}
        for each in (one, later)
    ]
    assert len(tags[0]) == 8 * 256  # not even between the runs
    assert not tags[0] & tags[1]
    assert drawn(1).seed not in one.lists + other.lists
    assert repr(one) == "Submitted('blue', ...)"
    assert repr(side("blue", [BLUE])) == "MediatedSide('blue', ...)"


def test_the_runs_that_are_meant_stand_at_another_place_in_every_session() -> None:
    places = set()
    for number in range(3, 40):
        blue, red = side("blue", [BLUE], number=number), side("red", [FAR])
        one, other = Mediated(blue), Mediated(red)
        submitted = one.hear_hello(other.begin()), other.hear_hello(one.begin())
        answers = answered(*submitted).answers
        assert len(answers) == 8
        assert sum(1 for count in answers if count) == 3  # half of those that are not meant
        places.add(tuple(bool(count) for count in answers))
    assert len(places) > 15


# ---- a mediator that cheats --------------------------------------------------------------------


def caught(alter: Callable[[Mediation], Mediation], terms: MediatedTerms = TERMS) -> str:
    blue, _, *submitted = begun([BLUE], [NEAR], terms)
    with pytest.raises(CheckRefusedError) as refused:
        blue.hear_answer(alter(answered(*submitted)).data)
    assert blue.finding.outcome is Outcome.NOT_CHECKED
    assert blue.finding.reason == refused.value.reason
    with pytest.raises(CheckRefusedError, match="has ended"):
        blue.hear_peers(bytes(32))
    return refused.value.reason


@pytest.mark.parametrize("terms", [TERMS, YES_NO])
@pytest.mark.parametrize("said", [0, 1, 300])
def test_a_mediator_that_says_the_same_of_every_run_is_exposed(
    terms: MediatedTerms, said: int
) -> None:
    lie = caught(lambda a: msgspec.structs.replace(a, answers=(said,) * 8), terms)
    assert lie == "MEDIATOR_LIED"


def test_a_lie_about_one_run_is_exposed_but_where_it_is_one_of_the_two_meant() -> None:
    _, _, *submitted = begun([BLUE], [FAR])
    honest = answered(*submitted)
    unseen = 0
    for run in range(8):
        answers = list(honest.answers)
        answers[run] = 0 if answers[run] else 1
        lying = msgspec.structs.replace(honest, answers=tuple(answers))
        one = Mediated(side("blue", [BLUE]))
        one.begin()
        one.hear_hello(side("red", [FAR]).hello.data)
        with contextlib.suppress(CheckRefusedError):
            one.hear_answer(lying.data)
        assert one.finding.reason in ("MEDIATOR_LIED", None)
        unseen += one.finding.reason is None
    assert unseen == 2


def test_more_than_ones_own_cells_cannot_be_hit() -> None:
    blue, _, *submitted = begun([BLUE], [NEAR])
    honest = answered(*submitted)
    most = len(cover([BLUE], GRID, GRID.minima))
    for run in range(8):
        answers = list(honest.answers)
        answers[run] = most + 1
        one = Mediated(side("blue", [BLUE]))
        one.begin()
        one.hear_hello(side("red", [NEAR]).hello.data)
        with pytest.raises(CheckRefusedError) as refused:
            one.hear_answer(msgspec.structs.replace(honest, answers=tuple(answers)).data)
        assert refused.value.reason == "MEDIATOR_LIED"
    assert not blue.ended


@pytest.mark.parametrize(
    "change",
    [
        {"session": "00" * 32},
        {"mediator": "grey"},
        {"mode": MediatedMode.YES_NO},
        {"submissions": {"blue": "00" * 32, "red": "00" * 32}},
        {"submissions": {}},
        {"answers": (0,) * 7},
    ],
)
def test_an_answer_about_something_else_is_refused(change: dict[str, object]) -> None:
    reason = caught(lambda a: msgspec.structs.replace(a, **change))
    assert reason == "OTHER_TRANSCRIPT"


def test_a_mediator_that_says_two_things_is_found_out() -> None:
    blue, red, *submitted = begun([BLUE], [FAR])
    honest = answered(*submitted)
    blue.hear_answer(honest.data)
    with pytest.raises(CheckRefusedError, match="not say the same to both") as refused:
        blue.hear_peers(hashlib.sha256(b"another").digest())
    assert refused.value.reason == "OTHER_ANSWER"
    assert blue.finding.outcome is Outcome.NOT_CHECKED
    assert red.finding.outcome is Outcome.NOT_CHECKED


def test_a_flipped_bit_in_the_answer_is_never_clear() -> None:
    blue, red, *submitted = begun([BLUE], [FAR])
    data = answered(*submitted).data
    peers = red.hear_answer(data)
    for bit in range(0, 8 * len(data), 5):
        one = Mediated(side("blue", [BLUE]))
        one.begin()
        one.hear_hello(side("red", [FAR]).hello.data)
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(DeconflictError):
            one.hear_answer(bytes(altered))
            one.hear_peers(peers)
        assert one.ended
        assert one.finding.outcome is Outcome.NOT_CHECKED
    assert not blue.ended


# ---- a party that cheats -----------------------------------------------------------------------


def test_the_mediator_refuses_what_does_not_belong_together() -> None:
    _, _, one, other = begun([BLUE], [NEAR])

    def changed(**change: object) -> Submitted:
        return replace(other, submission=msgspec.structs.replace(other.submission, **change))

    size = 256 * MEDIATED_TAG
    swapped = other.lists[MEDIATED_TAG : 2 * MEDIATED_TAG] + other.lists[:MEDIATED_TAG]
    unsorted = swapped + other.lists[2 * MEDIATED_TAG :]
    for bad, reason in (
        (changed(session="00" * 32), "OTHER_SHAPE"),
        (changed(mode=MediatedMode.YES_NO), "OTHER_SHAPE"),
        (changed(bucket=128), "OTHER_SHAPE"),
        (changed(mediator="grey"), "OTHER_SHAPE"),
        (changed(peer="green"), "OTHER_SHAPE"),
        (one, "OTHER_SHAPE"),
        (replace(other, lists=other.lists[size:]), "WRONG_LENGTH"),
        (replace(other, lists=other.lists[size:] + other.lists[:size]), "OTHER_TRANSCRIPT"),
        (
            replace(changed(lists=hashlib.sha256(unsorted).hexdigest()), lists=unsorted),
            "UNSORTED_TAGS",
        ),
    ):
        with pytest.raises(CheckRefusedError) as refused:
            mediate(one, bad, mediator="white")
        assert refused.value.reason == reason
    with pytest.raises(CheckRefusedError, match="answered before"):
        mediate(one, other, mediator="white", served={one.submission.session})


def test_neither_of_the_two_can_be_the_mediator() -> None:
    _, _, one, other = begun([BLUE], [NEAR])
    for party in ("blue", "red"):
        with pytest.raises(CheckRefusedError, match="nobody mediates a check of its own"):
            mediate(one, other, mediator=party)
    at_home = msgspec.structs.replace(TERMS, mediator="blue")
    with pytest.raises(InvalidInputError, match="cannot mediate its own"):
        Mediated(side("blue", [BLUE], at_home))
    red = Mediated(side("red", [NEAR], at_home))
    red.begin()
    with pytest.raises(CheckRefusedError, match="mediator is one of the two"):
        red.hear_hello(side("blue", [BLUE], at_home).hello.data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"terms": YES_NO}, "OTHER_SHAPE"),
        ({"terms": msgspec.structs.replace(TERMS, grid="cd" * 32)}, "OTHER_GRID"),
        ({"party": "blue"}, "REPLAYED_HELLO"),
        ({"key": "00" * 32}, "BAD_KEY"),
        ({"key": "01" + "00" * 31}, "BAD_KEY"),
    ],
)
def test_a_hello_that_was_not_agreed_is_refused(change: dict[str, object], reason: str) -> None:
    blue = Mediated(side("blue", [BLUE]))
    blue.begin()
    hello = msgspec.structs.replace(side("red", [NEAR]).hello, **change)
    with pytest.raises(CheckRefusedError) as refused:
        blue.hear_hello(hello.data)
    assert refused.value.reason == blue.finding.reason == reason


def test_steps_out_of_turn_and_replayed_hellos_are_refused() -> None:
    hello = side("red", [NEAR]).hello
    seen = Mediated(side("blue", [BLUE]), seen=frozenset({hello.hash}))
    with pytest.raises(CheckRefusedError, match="served before"):
        seen.hear_hello(hello.data)
    for early in (lambda c: c.hear_answer(b"{}"), lambda c: c.hear_peers(bytes(32))):
        check = Mediated(side("blue", [BLUE]))
        with pytest.raises(CheckRefusedError, match="not due"):
            early(check)
        assert check.finding.reason == "OUT_OF_TURN"
    twice = Mediated(side("blue", [BLUE]))
    twice.hear_hello(hello.data)
    with pytest.raises(CheckRefusedError, match="not due again"):
        twice.hear_hello(hello.data)


def test_more_cells_than_a_list_holds_are_refused_at_home() -> None:
    with pytest.raises(InvalidInputError, match="agreed lists hold"):
        Mediated(side("blue", [BLUE, NEAR], msgspec.structs.replace(TERMS, bucket=16)))


def test_after_a_crash_the_same_bytes_are_sent_again() -> None:
    for one, other in zip(begun([BLUE], [NEAR])[2:], begun([BLUE], [NEAR])[2:], strict=True):
        assert one == other


def test_documents_are_read_back_and_in_no_other_spelling() -> None:
    _, _, one, other = begun([BLUE], [NEAR])
    hello = side("red", [NEAR]).hello
    answer = answered(one, other)
    for read, said in (
        (read_mediated_hello, hello),
        (read_submission, one.submission),
        (read_mediation, answer),
    ):
        assert read(said.data) == said
        for wrong in (said.data + b" ", said.data.replace(b'"v":1', b'"v":2'), b"[]"):
            with pytest.raises(DeconflictError):
                read(wrong)
