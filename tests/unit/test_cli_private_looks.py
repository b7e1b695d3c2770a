"""What the commands on private checks say of closer looks, and exactly what to type next."""

from typing import Any

import pytest
from click.testing import CliRunner

from deconflict.cli.concerning import concern
from deconflict.cli.private_checks import _closer, _stretch
from deconflict.cli.private_looks import show_looks
from deconflict.cli.private_words import outcome_of
from deconflict.errors import DeconflictError, InvalidInputError

COARSE, LOOK = "ab" * 32, "cd" * 32
OFFERED = {"of": COARSE, "run": 2, "parts": 2, "slots": [3, 4, 9]}


def found(*, stands: str = "HIT", **more: Any) -> dict[str, Any]:
    return {
        "check": {"proposal": COARSE, "peer": "red"},
        "run": {"run": 2, "stands": stands},
        "looks": [],
        "refinements": [OFFERED],
        "runs_left": 2,
        **more,
    }


def looked(state: str, outcome: str | None = None, *, own: bool = True) -> dict[str, Any]:
    given = {"proposal": LOOK, "own": own, "parts": 2, "slots": 3}
    return {**given, "state": state, "outcome": outcome}


def test_the_next_look_and_a_concern_are_said_as_they_are_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_looks(found())
    said = capsys.readouterr().out
    assert "deconflict private propose --refine ababababab --run 2 --parts 2\n" in said
    assert "deconflict line concern --private ababababab --run 2\n" in said
    assert "would not run" not in said


def test_a_look_that_the_peer_proposes_is_accepted_and_not_proposed_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_looks(found(looks=[looked("PROPOSED", own=False)], refinements=[]))
    said = capsys.readouterr().out
    assert "red proposes it. To take part:\n    deconflict private accept cdcdcdcdcd\n" in said
    assert "propose --refine" not in said


def test_of_hits_that_all_fell_nobody_is_to_talk(capsys: pytest.CaptureFixture[str]) -> None:
    show_looks(found(stands="NO_HIT", looks=[looked("ACCEPTED", "NO_HIT")], refinements=[]))
    said = capsys.readouterr().out
    assert "Closer look cdcdcdcdcd, 3 slots, cells cut into 2: NO HIT." in said
    assert "concern" not in said


def test_slots_that_were_asked_about_often_enough_are_said_to_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_looks(found(runs_left=0))
    assert "as often as agreed: it would not run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("outcome", "stands", "said"),
    [
        ("HIT", "HIT", "HIT"),
        ("HIT", "NO_HIT", "HIT, FALLEN"),
        ("HIT", "NOT_CHECKED", "HIT, FALLEN, the rest NOT CHECKED"),
        ("NO_HIT", "HIT", "NO HIT, then HIT in a closer look"),
        ("NOT_CHECKED", "NOT_CHECKED", "NOT CHECKED"),
    ],
)
def test_a_run_is_called_by_what_it_found_and_what_is_left(
    outcome: str, stands: str, said: str
) -> None:
    assert outcome_of({"outcome": outcome, "stands": stands}) == said


def test_a_look_may_be_at_some_slots_alone() -> None:
    assert _closer(found(), None, _stretch("4-20"))["slots"] == [4, 9]
    assert _closer(found(), 2, _stretch("3"))["slots"] == [3]
    with pytest.raises(InvalidInputError, match="no hit that stands is in these slots"):
        _closer(found(), None, _stretch("5-8"))
    for wrong in ("a-b", "-4", "1-2-3", "٣"):
        with pytest.raises(InvalidInputError, match="these are no slots"):
            _stretch(wrong)
    with pytest.raises(InvalidInputError, match="no closer look can be proposed"):
        _closer(found(refinements=[]), None, None)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ([], "what comes too close"),
        (["5d41402abc", "--private", "abab"], "what comes too close"),
        (["5d41402abc", "--place", "35 N 38 E", "--reach", "50km"], "tell something of a hit"),
        (["--private", "abab", "--reason", "own-presence"], "gives no reason"),
        (["--private", "abab", "--from", "2015-09-30T06:12:00Z"], "half of it tells nothing"),
        (["--private", "abab", "--reach", "50km"], "half of it tells nothing"),
    ],
)
def test_a_concern_has_one_subject_and_tells_whole_things(typed: list[str], problem: str) -> None:
    said = CliRunner().invoke(concern, typed)
    assert isinstance(said.exception, DeconflictError | SystemExit)
    assert problem in f"{said.output} {said.exception}"
