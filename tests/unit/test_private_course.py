"""The course of a run: taken up again anywhere, it says the same bytes, and no others."""

from collections.abc import Iterator

import pytest

from deconflict.errors import CheckRefusedError
from deconflict.messages.private_bodies import StepWord
from deconflict.node.private.course import Course, leaves_ms
from deconflict.node.private.own_steps import LoggedStep, logged_as
from deconflict.sealed.own import OwnSide
from deconflict.sealed.session import Outcome
from deconflict.sealed.steps import Step, StepKind
from sealed_talk import side, stay

BLUE, NEAR, FAR = stay(-15_000, 5_000), stay(-2_000, 5_000), stay(31_000, -21_000)


class Record:
    """Two courses and what both said; blue is begun anew before each of its steps."""

    def __init__(self, blue: OwnSide, red: OwnSide, *, anew: bool) -> None:
        self.sides = {"blue": blue, "red": red}
        self.courses = {party: Course(own, threads=1) for party, own in self.sides.items()}
        self.steps: dict[str, list[Step]] = {"blue": [], "red": []}
        self.anew = anew

    def begun_anew(self, party: str) -> Course:
        (peer,) = (each for each in self.steps if each != party)
        course = Course(self.sides[party], threads=1)
        for step in self.steps[peer]:
            course.hear(StepWord[step.kind.name], step.number, step.data)
        for step in self.steps[party]:
            course.said(logged_as(step))
        return course

    def play(self) -> Iterator[tuple[str, Step]]:
        moved = True
        while moved:
            moved = False
            for party, peer in (("blue", "red"), ("red", "blue")):
                course = self.courses[party]
                while (step := course.to_say) is not None:
                    moved = True
                    if self.anew and step.kind is not StepKind.CHUNK:
                        self.courses[party] = course = self.begun_anew(party)
                        assert course.to_say == step
                    course.said(logged_as(step))
                    self.steps[party].append(step)
                    yield party, step
                    self.courses[peer].hear(StepWord[step.kind.name], step.number, step.data)


@pytest.mark.parametrize("anew", [False, True], ids=["in one go", "begun anew before each step"])
def test_a_course_taken_up_again_says_the_same_bytes(anew: bool) -> None:
    record = Record(side("blue", [BLUE]), side("red", [NEAR]), anew=anew)
    assert len(list(record.play())) == 138
    for course in record.courses.values():
        assert course.over
        assert (course.finding.outcome, course.finding.whole) == (Outcome.HIT, True)
    whole = Record(side("blue", [BLUE]), side("red", [NEAR]), anew=False)
    list(whole.play())
    assert record.steps == whole.steps


def test_an_own_step_of_another_seed_ends_the_course() -> None:
    record = Record(side("blue", [BLUE]), side("red", [FAR]), anew=False)
    for party, step in record.play():
        if (party, step.kind) == ("blue", StepKind.POINTS):
            break
    course = Course(side("blue", [BLUE], number=9), threads=1)
    with pytest.raises(CheckRefusedError) as caught:
        course.said(logged_as(record.steps["blue"][0]))
    assert caught.value.reason == "MALFORMED"
    assert course.over
    assert course.finding.outcome is Outcome.NOT_CHECKED


def test_more_own_steps_than_follow_end_the_course() -> None:
    own = side("blue", [BLUE])
    course = Course(own, threads=1)
    course.said(logged_as(Step(StepKind.HELLO, 0, own.hello.data)))
    with pytest.raises(CheckRefusedError):
        course.said(LoggedStep(StepKind.POINTS, 0, 32, "ab" * 32))


def test_what_is_ready_leaves_at_a_multiple_of_the_agreed_time() -> None:
    assert leaves_ms(10_000, 10_000, 2_000) == 12_000  # never at once: one multiple at least
    assert leaves_ms(12_000, 10_000, 2_000) == 12_000
    assert leaves_ms(12_001, 10_000, 2_000) == 14_000
    assert leaves_ms(9_000, 10_000, 2_000) == 12_000
