"""Proposals in the thread of a conflict (R47), and consent to pass a message on (R42)."""

from collections.abc import Iterator

import pytest

from deconflict.errors import InvalidDocumentError
from deconflict.messages.bodies import (
    Ack,
    AnswerWord,
    Body,
    Concern,
    Propose,
    ReleaseConsent,
    parse_body,
)
from deconflict.messages.kinds import Kind, Release
from deconflict.node.core import Say
from deconflict.node.show import message_view
from deconflict.node.threads import Thread
from deconflict.node.views import MessageView
from deconflict.replay.world import DESKS
from node_pair import NodePair, declaration

BLUES, REDS = declaration(1), declaration(2)


def proposal(changed: str = BLUES.declaration_id, **changes: int) -> Propose:
    return Propose(
        first=BLUES.declaration_id, second=REDS.declaration_id, declaration_id=changed, **changes
    )


class Talk:
    """A conflict that red has stated its concern about."""

    def __init__(self) -> None:
        self.pair = NodePair(terms={})
        (self.blues,) = self.pair.declare("blue", BLUES)
        (self.reds,) = self.pair.declare("red", REDS)
        self.pair.run_for(2)
        body = Concern(
            first=BLUES.declaration_id,
            second=REDS.declaration_id,
            first_message=self.blues,
            second_message=self.reds,
        )
        self.concern = self.say("red", Kind.CONCERN, body, self.blues)

    def say(self, party: str, kind: Kind, body: Body, ref: str) -> str:
        message = self.pair.say(party, kind, body, ref=ref)
        self.pair.run_for(2)
        return message

    def thread(self, message: str) -> Thread | None:
        return self.pair.line("blue").book.threads.get(message)

    def view(self, party: str, message: str) -> MessageView:
        station = self.pair.station(party)
        row = station.store.entry(message)
        assert row is not None
        return message_view(self.pair.line(party), row, "en", station.core.envelope_of)


@pytest.fixture
def talk() -> Iterator[Talk]:
    made = Talk()
    yield made
    made.pair.world.close()


def test_a_proposal_answers_a_concern_and_waits_for_an_answer(talk: Talk) -> None:
    proposed = talk.say("blue", Kind.PROPOSE, proposal(shift_ms=600_000), talk.concern)
    assert talk.thread(talk.concern) is None
    assert talk.thread(proposed) is not None
    assert "PROPOSE_RECEIVED" in talk.pair.rules("red")
    talk.say("red", Kind.ACK, Ack(answer=AnswerWord.AFFIRM), proposed)
    assert talk.thread(proposed) is None
    assert "PROPOSE_RECEIVED" not in talk.pair.rules("red")


def test_a_counter_proposal_takes_the_place_of_the_proposal(talk: Talk) -> None:
    first = talk.say("blue", Kind.PROPOSE, proposal(shift_ms=600_000), talk.concern)
    counter = talk.say(
        "red", Kind.PROPOSE, proposal(REDS.declaration_id, level_tmm=-6_096_000), first
    )
    assert talk.thread(first) is None
    assert talk.thread(counter) is not None
    assert "PROPOSE_RECEIVED" in talk.pair.rules("blue")
    assert "PROPOSE_RECEIVED" not in talk.pair.rules("red")


def test_a_proposal_to_an_own_concern_leaves_it_to_the_peer(talk: Talk) -> None:
    talk.say("red", Kind.PROPOSE, proposal(shift_ms=-600_000), talk.concern)
    assert talk.thread(talk.concern) is not None


def test_no_answer_changes_a_declaration(talk: Talk) -> None:
    proposed = talk.say("blue", Kind.PROPOSE, proposal(shift_ms=600_000), talk.concern)
    talk.say("red", Kind.ACK, Ack(answer=AnswerWord.AFFIRM), proposed)
    for party in ("blue", "red"):
        held = talk.pair.line(party).book.picture.get(f"blue/{BLUES.declaration_id}")
        assert held is not None
        assert held.message_hash == talk.blues
        assert "CONFLICT" in talk.pair.rules(party)


def test_silence_about_a_proposal_is_told_as_no_answer(talk: Talk) -> None:
    talk.say("blue", Kind.PROPOSE, proposal(shift_ms=600_000), talk.concern)
    talk.pair.run_for(31 * 60)
    assert "NO_ANSWER" in talk.pair.rules("blue")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"shift_ms": 0},
        {"shift_ms": 700_000_000_000},
        {"level_tmm": 1.5},
        {"declaration_id": "33" * 16, "shift_ms": 1},
    ],
    ids=["nothing", "no change", "twenty years", "a fraction", "a third declaration"],
)
def test_a_proposal_of_nothing_or_of_something_else_is_refused(body: dict[str, object]) -> None:
    named = {
        "first": BLUES.declaration_id,
        "second": REDS.declaration_id,
        "declaration_id": BLUES.declaration_id,
    }
    with pytest.raises(InvalidDocumentError):
        parse_body(Kind.PROPOSE, named | body)


def test_a_consent_replaces_the_label_on_both_sides(talk: Talk) -> None:
    for wanted in (Release.COALITION, Release.NONE):
        said = talk.say("blue", Kind.RELEASE_CONSENT, ReleaseConsent(release=wanted), talk.blues)
        for party in ("blue", "red"):
            view = talk.view(party, talk.blues)
            assert (view.release, view.release_now) == ("OWN_FORCES", wanted.value)
    assert "It cites: declaration of blue" in talk.view("red", said).text


def test_a_consent_stands_after_a_restart(talk: Talk) -> None:
    wanted = ReleaseConsent(release=Release.COALITION)
    talk.say("blue", Kind.RELEASE_CONSENT, wanted, talk.blues)
    talk.pair.world.restart("red")
    assert talk.view("red", talk.blues).release_now == "COALITION"


def test_a_peer_that_consents_for_us_changes_nothing(talk: Talk) -> None:
    body = ReleaseConsent(release=Release.COALITION)
    say = Say(kind=Kind.RELEASE_CONSENT, body=body, desk=DESKS[0], ref=talk.blues)
    with pytest.MonkeyPatch.context() as patch:  # its node refuses nothing
        patch.setattr("deconflict.node.saying.check_reference", lambda *_, **__: None)
        talk.pair.world.say("red", "blue", [say])
        talk.pair.run_for(2)
    for party in ("blue", "red"):
        assert talk.view(party, talk.blues).release_now == "OWN_FORCES"


def test_nobody_consents_for_the_other_side(talk: Talk) -> None:
    say = Say(
        kind=Kind.RELEASE_CONSENT,
        body=ReleaseConsent(release=Release.COALITION),
        desk=DESKS[0],
        ref=talk.reds,
    )
    with pytest.raises(InvalidDocumentError):
        talk.pair.world.say("blue", "red", [say])
