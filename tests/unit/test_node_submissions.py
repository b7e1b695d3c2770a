"""What the record of a line holds of lists for a mediator: blue submits, red is asked."""

from collections.abc import Iterator

import pytest

from deconflict.errors import DeconflictError
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import PrivateEndReason
from deconflict.node.private import submissions as folded
from deconflict.node.private.checks import CheckFault
from deconflict.node.private.submissions import Submissions, SubmissionSaid
from kept_folds import require_any_cut, whole_of
from node_pair import NodePair, node_pair
from private_samples import (
    MEDIATED,
    CheckedPair,
    document,
    ended,
    mediated_proposal,
    mediation,
    submission,
)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[NodePair]:
    with node_pair(private_check=document()) as pair:
        yield pair
        # Whatever was said: both sides hold the same, and so does a start.
        both = {party: known(pair, party) for party in ("blue", "red")}
        assert both["blue"] == both["red"]
        for party in ("blue", "red"):
            station, line = pair.station(party), pair.line(party)
            again = whole_of(station.store, line).book.private_checks
            assert again.kept() == line.book.private_checks.kept()
            require_any_cut(station.store, line)


def submissions(pair: NodePair, party: str) -> Submissions:
    return pair.line(party).book.private_checks.submissions


def known(pair: NodePair, party: str) -> list[object]:
    return [
        (
            said.message,
            party if said.own else pair.peer_of(party),
            said.body,
            said.answer and said.answer.message,
            {end.message for end in said.ends},
        )
        for said in submissions(pair, party)
    ]


def submitted(pair: NodePair, number: int = 1) -> str:
    message = pair.say("blue", Kind.PRIVATE_SUBMIT, submission(number=number))
    pair.run_for(1)
    return message


def of(pair: NodePair, party: str, message: str) -> SubmissionSaid:
    said = submissions(pair, party).get(message)
    assert said is not None
    return said


def answered(pair: NodePair, message: str, number: int = 1, *, by: str = "red") -> str:
    answer = pair.say(by, Kind.PRIVATE_MEDIATION, mediation(submission(number=number)), ref=message)
    pair.run_for(1)
    return answer


def test_what_is_submitted_waits_at_the_mediator_until_it_is_answered(pair: NodePair) -> None:
    message, body = submitted(pair), submission()
    (waits,) = submissions(pair, "red").waiting()
    assert (waits.message, waits.own, waits.body) == (message, False, body)
    assert not list(submissions(pair, "blue").waiting())
    assert submissions(pair, "blue").own_of(body.session) == of(pair, "blue", message)
    answer = answered(pair, message)
    assert not list(submissions(pair, "red").waiting())
    for party in ("blue", "red"):
        said = of(pair, party, message)
        assert said.answer is not None
        assert (said.answer.message, said.is_over) == (answer, True)
    assert submissions(pair, "red").was_answered(body.session)
    assert not submissions(pair, "blue").was_answered(body.session)


def test_the_first_answer_stands(pair: NodePair) -> None:
    message = submitted(pair)
    first = answered(pair, message)
    answered(pair, message, number=2)
    said = of(pair, "blue", message).answer
    assert said is not None
    assert said.message == first


def test_nobody_answers_what_it_submitted_itself(pair: NodePair) -> None:
    message = submitted(pair)
    with pytest.raises(DeconflictError):
        answered(pair, message, by="blue")
    assert of(pair, "red", message).answer is None


@pytest.mark.parametrize("party", ["blue", "red"])
def test_either_side_ends_it_and_ends_that_cross_both_stand(pair: NodePair, party: str) -> None:
    message = submitted(pair)
    pair.say(party, Kind.PRIVATE_END, ended(PrivateEndReason.NO_CONSENT), ref=message)
    pair.run_for(1)
    assert not list(submissions(pair, "red").waiting())
    (end,) = of(pair, "blue", message).ends
    assert (end.by, end.reason) == (party, PrivateEndReason.NO_CONSENT)
    pair.say(pair.peer_of(party), Kind.PRIVATE_END, ended(), ref=message)
    pair.run_for(1)
    assert len(of(pair, "red", message).ends) == 2


def test_a_session_that_was_answered_is_known_for_good_though_its_lists_are_let_go(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folded, "_KEPT", 2)
    answered(pair, submitted(pair))
    second = submitted(pair, 2)
    third, fourth = submitted(pair, 3), submitted(pair, 4)
    assert [said.message for said in submissions(pair, "red")] == [third, fourth]
    assert submissions(pair, "red").get(second) is None
    assert submissions(pair, "red").was_answered(submission().session)


def test_what_nodes_say_of_it_is_no_message_for_a_desk(pair: NodePair) -> None:
    before = len(pair.blue.events)
    message = submitted(pair)
    answer = answered(pair, message)
    kinds = {each.kind for each in pair.blue.events[before:]}
    assert not kinds & {"message", "delivery"}
    assert pair.line("blue").book.private_checks.is_step(message)
    assert pair.line("blue").book.private_checks.is_step(answer)


def test_a_submission_is_no_check_and_a_check_is_no_submission(pair: NodePair) -> None:
    checked = CheckedPair(pair)
    proposal = checked.propose(mediated_proposal())
    message = submitted(pair)
    checks = pair.line("red").book.private_checks
    assert (checks.get(message), checks.submissions.get(proposal)) == (None, None)
    checked.end("blue", None)
    assert not of(pair, "red", message).ends


@pytest.mark.parametrize(
    ("mediator", "fault"), [("white", None), ("blue", CheckFault.NO_THIRD), ("red", "NO_THIRD")]
)
def test_nobody_mediates_a_check_of_its_own(
    pair: NodePair, mediator: str, fault: CheckFault | None
) -> None:
    asked = type(MEDIATED)(mediator, MEDIATED.answer, MEDIATED.lists, MEDIATED.bucket)
    CheckedPair(pair).propose(mediated_proposal(asked=asked))
    for party in ("blue", "red"):
        (check,) = pair.line(party).book.private_checks
        assert check.fault == fault
