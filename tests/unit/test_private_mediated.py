"""A private check through a mediator, between three nodes in memory: blue and red ask white."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from deconflict.errors import NotFoundError
from deconflict.line.envelope import read_envelope
from deconflict.messages.kinds import Kind
from deconflict.messages.mediated_bodies import PrivateMediation, PrivateSubmit
from deconflict.messages.private_bodies import PrivateEndReason, PrivateStep, StepWord
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.private.findings import PrivateFinding
from deconflict.node.private.recorded import OpenedRun, RecordedRun
from deconflict.node.saying import Say
from deconflict.sealed.session import Outcome
from deconflict.store.parts import Parts
from mediated_talk import ASKED, FAR, NEAR, TERMS, YES_NO, Three
from node_pair import NodePair, node_pair


@pytest.fixture
def pair() -> Iterator[NodePair]:
    with node_pair(private_check=TERMS) as pair:
        yield pair


def test_both_learn_in_how_many_cells_and_nothing_else(pair: NodePair, tmp_path: Path) -> None:
    three = Three(pair, tmp_path)
    three.fly("blue", NEAR, FAR)
    three.fly("red", (NEAR[0] + 1, NEAR[1]))
    three.run()
    blue, red = three.finding("blue"), three.finding("red")
    for found in (blue, red):
        assert (found.outcome, found.whole, found.reason) == (Outcome.HIT, True, None)
        assert (found.met, found.mediator) == ((), "white")
    assert blue.own_cells
    assert (blue.own_cells, blue.peers_cells) == (red.peers_cells, red.own_cells)
    text = pair.alert("blue", "PRIVATE_MEDIATED_HIT").text
    assert "white" in text
    assert f"Own cells that come too close: {blue.own_cells}" in text
    assert three.submitted("blue") == three.submitted("red") == ["ANSWERED"]


def test_yes_is_told_without_a_count(pair: NodePair, tmp_path: Path) -> None:
    three = Three(pair, tmp_path, asked=YES_NO)
    three.fly("blue", NEAR)
    three.fly("red", NEAR)
    three.run()
    for party in ("blue", "red"):
        found = three.finding(party)
        assert (found.outcome, found.own_cells, found.peers_cells) == (Outcome.HIT, None, None)
        assert "Own cells" not in pair.alert(party, "PRIVATE_MEDIATED_HIT").text


@pytest.mark.parametrize("asked", [ASKED, YES_NO], ids=["count", "yes_no"])
def test_no_is_told_of_a_whole_check_and_raises_no_alert(
    pair: NodePair, tmp_path: Path, asked: object
) -> None:
    three = Three(pair, tmp_path, asked=asked)  # type: ignore[arg-type]
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run()
    for party in ("blue", "red"):
        found = three.finding(party)
        assert (found.outcome, found.whole, found.hits) == (Outcome.NO_HIT, True, 0)
        assert not [rule for rule in pair.rules(party) if rule.startswith("PRIVATE")]


def test_no_byte_of_a_list_goes_to_the_peer(pair: NodePair, tmp_path: Path) -> None:
    three = Three(pair, tmp_path)
    three.fly("blue", NEAR)
    three.fly("red", NEAR)
    three.run()
    for party in ("blue", "red"):
        assert {to for to, _ in three.nodes[party].pushed} == {"white"}
        run = pair.line(party).book.private_checks.run(three.checked.proposal, 0)
        assert [said.step for said in run.own.steps] == [StepWord.HELLO, StepWord.DONE]
        assert not list(pair.line(party).book.private_checks.submissions)
        # Nor does the own node keep it: the seed makes it again.
        assert not (tmp_path / party / "parts").exists()
        assert three.nodes[party].pushed


def test_the_mediator_erases_what_it_compared(pair: NodePair, tmp_path: Path) -> None:
    three = Three(pair, tmp_path)
    three.fly("blue", NEAR)
    three.fly("red", NEAR)
    three.run()
    white = three.nodes["white"]
    assert len(three.nodes["blue"].pushed) >= 1
    for party in ("blue", "red"):
        assert white.door.of(three.line("white", party).line_id).names() == []


@pytest.mark.parametrize("without", ["blue", "red", "both"])
def test_without_consent_the_mediator_refuses_in_words_and_takes_no_byte(
    pair: NodePair, tmp_path: Path, without: str
) -> None:
    given = {"blue", "red"} - ({without} if without != "both" else {"blue", "red"})
    three = Three(pair, tmp_path, consents=sorted(given))
    three.fly("blue", NEAR)
    three.fly("red", NEAR)
    three.run()
    for party in ("blue", "red"):
        found = three.finding(party)
        assert (found.outcome, found.whole) == (Outcome.NOT_CHECKED, False)
        assert found.reason == "MEDIATOR_ENDED"
        assert "PRIVATE_NOT_CHECKED" in pair.rules(party)
        if party not in given:
            assert three.submitted(party) == ["NO_CONSENT"]
            assert not (tmp_path / "white" / "parts" / three.line("white", party).line_id).exists()
    assert not three.said_by("white", Kind.PRIVATE_MEDIATION)


def test_a_mediator_that_says_nothing_is_not_checked(pair: NodePair, tmp_path: Path) -> None:
    three = Three(pair, tmp_path)
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run(white=False)
    for party in ("blue", "red"):
        assert three.finding(party).outcome is Outcome.NOT_CHECKED
        assert three.finding(party).reason == "EXPIRED"
    assert three.submitted("blue") == ["EXPIRED"]  # withdrawn, so that white answers nobody


def lying(change: object) -> object:
    """A mediator that says another thing to red than it computed."""
    told = []

    def alter(say: Say) -> Iterable[Say]:
        if isinstance(say.body, PrivateMediation):
            told.append(say)
            if len(told) == 2:
                return (dataclasses.replace(say, body=change(say.body)),)  # type: ignore[operator]
        return (say,)

    return alter


def other_counts(body: PrivateMediation) -> PrivateMediation:
    return msgspec.structs.replace(body, answers=tuple(0 for _ in body.answers))


def other_session(body: PrivateMediation) -> PrivateMediation:
    return msgspec.structs.replace(body, session="ee" * 32)


@pytest.mark.parametrize(
    ("change", "reason"),
    [(other_counts, "MEDIATOR_LIED"), (other_session, "OTHER_TRANSCRIPT")],
)
def test_a_mediator_that_lies_to_one_side_is_found_out_and_it_is_not_checked(
    pair: NodePair, tmp_path: Path, change: object, reason: str
) -> None:
    three = Three(pair, tmp_path, alters={"white": lying(change)})  # type: ignore[dict-item]
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run()
    for party in ("blue", "red"):
        found = three.finding(party)
        assert (found.outcome, found.whole, found.reason) == (Outcome.NOT_CHECKED, False, reason)
        assert "PRIVATE_NOT_CHECKED" in pair.rules(party)


def test_two_answers_that_both_can_be_believed_are_compared(pair: NodePair, tmp_path: Path) -> None:
    # Red says another hash than it heard: to blue that is a mediator that said two things.
    def alter(say: Say) -> Iterable[Say]:
        if isinstance(say.body, PrivateStep) and say.body.step is StepWord.DONE:
            return (dataclasses.replace(say, body=PrivateStep.of(0, StepWord.DONE, 0, bytes(32))),)
        return (say,)

    three = Three(pair, tmp_path, alters={"red": alter})
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run()
    found = three.finding("blue")
    assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "OTHER_ANSWER")


def test_who_breaks_off_leaves_both_not_checked_and_the_mediator_answers_nobody(
    pair: NodePair, tmp_path: Path
) -> None:
    def alter(say: Say) -> Iterable[Say]:
        # Instead of its lists, red ends the run.
        return () if isinstance(say.body, PrivateSubmit) else (say,)

    three = Three(pair, tmp_path, alters={"red": alter})
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run()
    for party in ("blue", "red"):
        assert three.finding(party).outcome is Outcome.NOT_CHECKED
    assert three.submitted("red") == []
    assert three.submitted("blue") == ["EXPIRED"]
    assert not three.said_by("white", Kind.PRIVATE_MEDIATION)


def test_more_than_the_mediator_takes_is_refused(pair: NodePair, tmp_path: Path) -> None:
    three = Three(pair, tmp_path)
    three.consent("blue", most_bytes=ASKED.size - 1)
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run()
    assert three.submitted("blue") == ["OVER_CAP"]
    assert three.finding("red").outcome is Outcome.NOT_CHECKED


def test_a_plan_that_does_not_fit_the_lists_is_not_checked(pair: NodePair, tmp_path: Path) -> None:
    small = type(ASKED)("white", ASKED.answer, 4, 16)
    three = Three(pair, tmp_path, asked=small)
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run()
    assert three.finding("blue").reason == PrivateEndReason.PLAN_TOO_LARGE.value
    assert three.submitted("blue") == []


def test_who_has_no_line_with_the_mediator_says_so(pair: NodePair, tmp_path: Path) -> None:
    nobody = type(ASKED)("green", ASKED.answer, 8, 1_024)
    three = Three(pair, tmp_path, asked=nobody)
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run()
    assert {three.finding(party).reason for party in ("blue", "red")} == {"NO_MEDIATOR"}


def test_a_session_is_answered_once(pair: NodePair, tmp_path: Path) -> None:
    three = Three(pair, tmp_path)
    three.fly("blue", NEAR)
    three.fly("red", NEAR)
    three.run()
    (first,) = three.line("white", "blue").book.private_checks.submissions
    pair.world.say("blue", "white", [Say(kind=Kind.PRIVATE_SUBMIT, body=first.body, desk="watch")])
    three.run()  # nothing is left to run: white looks
    assert three.submitted("blue") == ["ANSWERED", "REPLAYED_HELLO"]


def test_a_record_of_the_mediator_holds_what_was_said_and_no_list_while_it_waits(
    pair: NodePair, tmp_path: Path
) -> None:
    # Whoever of the two had the other's lists would have the other's plan.
    three = Three(pair, tmp_path)
    three.fly("blue", NEAR)
    three.fly("red", NEAR)
    white, line = three.nodes["white"], three.line("white", "blue")
    seen = []

    def looks(say: Say) -> Iterable[Say]:
        if isinstance(say.body, PrivateMediation):
            parts = white.door.of(line.line_id)
            seen.append((len(parts.names()), exported(three, "white", "blue", parts)))
        return (say,)

    white._alter = looks
    three.run()
    there, bundle = seen[0]
    assert there
    assert b'"type":"part"' not in bundle
    keys = {party: pair.station(party).core.key.verify_key for party in ("white", "blue")}
    proven = verify_bundle([exported(three, "white", "blue", white.door.of(line.line_id))], keys)
    assert proven.parts == ()


def exported(three: Three, own: str, peer: str, parts: Parts) -> bytes:
    station = three.pair.station(own)
    return b"".join(
        export_bundle(
            station.store,
            three.line(own, peer).line_id,
            signer=station.core.key,
            peer_key=three.pair.station(peer).core.key.verify_key,
            exported_utc_ms=three.pair.world.now.utc_ms,
            parts=parts,
        )
    )


def test_an_audit_of_it_is_refused_in_words(pair: NodePair, tmp_path: Path) -> None:
    three = Three(pair, tmp_path)
    three.fly("blue", NEAR)
    three.fly("red", NEAR)
    three.run()
    kept = three.plans["blue"].run(three.checked.proposal, 0)
    assert kept is not None
    opened = OpenedRun("blue", three.checked.proposal, 0, kept.seed, kept.coin)
    recorded = RecordedRun(opened, kept.plan.encode())
    for party in ("blue", "red"):
        for row in pair.blue.store.entries(pair.line_id, party):
            recorded.look(read_envelope(row.data), row.hash, late=False)
    with pytest.raises(NotFoundError, match="a mediated check is not looked at"):
        recorded.require_there()


def test_a_mutual_check_clears_what_a_mediated_one_did_not_and_not_the_other_way_round(
    pair: NodePair, tmp_path: Path
) -> None:
    three = Three(pair, tmp_path)
    three.fly("blue", NEAR)
    three.fly("red", FAR)
    three.run(white=False)
    found = three.finding("blue")
    assert "PRIVATE_NOT_CHECKED" in pair.rules("blue")
    told = {"outcome": Outcome.NO_HIT, "whole": True, "reason": None, "ended_by": None}
    station = pair.station("blue")

    def keep(finding: PrivateFinding) -> None:
        work = station.core.note_private(finding, pair.world.now)
        pair.world.commit(station, work)
        pair.run_for(3)

    mutual = msgspec.structs.replace(found, mediator=None)
    broken = msgspec.structs.replace(mutual, proposal="ab" * 32)
    keep(broken)
    keep(msgspec.structs.replace(found, proposal="cd" * 32, **told))
    assert [alert.subject for alert in station.core.alerts if "NOT" in alert.rule] == ["ab" * 32]
    keep(msgspec.structs.replace(mutual, proposal="ef" * 32, **told))
    assert "PRIVATE_NOT_CHECKED" not in pair.rules("blue")
