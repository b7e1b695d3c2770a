"""The core of a node, two of them on a line: what is decided when, and that a restart keeps it."""

import pytest

from deconflict.errors import InvalidDocumentError, NotFoundError, WrongLineError
from deconflict.line.precedence import Precedence
from deconflict.messages.bodies import (
    Ack,
    AnswerWord,
    Declared,
)
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase_named, render
from deconflict.node.core import Say
from node_pair import LATAKIA, cease, declaration, node_pair, query

# ---- exercises -----------------------------------------------------------------------


def test_conflict_with_an_exercise_is_marked_as_one_on_both_sides() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        body = Declared.of(declaration(2))
        pair.world.say("red", "blue", [Say(kind=Kind.NOTIFY, body=body, desk="watch", drill=True)])
        pair.run_for(2)
        for party in ("blue", "red"):
            alert = pair.alert(party, "CONFLICT")
            assert alert.text.startswith(render(phrase_named("DRILL").number, {}, "en"))
            assert alert.facts["drill"] is True


def test_what_answers_an_exercise_is_exercise_and_an_exercise_changes_nothing_real() -> None:
    with node_pair() as pair:
        body = Declared.of(declaration(1))
        drill = [Say(kind=Kind.NOTIFY, body=body, desk="watch", drill=True)]
        said = pair.world.say("blue", "red", drill)[0].hash
        real = pair.declare("red", declaration(2))[0]
        pair.run_for(1)
        ack = pair.say("red", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=said)
        pair.run_for(1)
        envelope = pair.station("blue").core.envelope_of(ack)
        assert envelope is not None
        assert envelope.drill
        changed = Declared.of(declaration(2, revision=2))
        update = Say(kind=Kind.UPDATE, body=changed, desk="watch", ref=real, drill=True)
        with pytest.raises(InvalidDocumentError, match="exercise"):
            pair.world.say("red", "blue", [update])


# ---- the connection ------------------------------------------------------------------


def test_line_that_is_cut_is_down_at_both_ends_and_comes_back_with_what_was_said() -> None:
    with node_pair() as pair:
        at_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", at_ms, at_ms + 60_000)
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(5)
        assert all("LINE_DOWN" in pair.rules(party) for party in ("blue", "red"))
        pair.run_for(62)
        assert not any("LINE_DOWN" in pair.rules(party) for party in ("blue", "red"))
        assert pair.red.store.entry(asked) is not None


def test_packets_of_another_party_are_refused() -> None:
    with node_pair() as pair:
        heard = pair.blue.core.hear("green", pair.line_id, [], pair.world.now)
        assert isinstance(heard.error, WrongLineError)
        assert heard.answer() == []


def test_line_is_named_by_its_id_or_its_peer() -> None:
    with node_pair() as pair:
        core = pair.blue.core
        assert core.line_named("red") is core.line_named(pair.line_id)
        with pytest.raises(NotFoundError):
            core.line_named("green")


@pytest.mark.parametrize("seed", range(5))
def test_order_of_arrival_changes_neither_record_nor_alerts(seed: int) -> None:
    with node_pair(seed=seed) as pair:
        pair.declare("blue", *(declaration(n) for n in range(1, 21)))
        pair.declare("red", *(declaration(n) for n in range(21, 31)))
        pair.run_for(20)
        for party in ("blue", "red"):
            assert len(pair.line(party).book.picture.conflicts()) == 200
            assert pair.rules(party).count("CONFLICT") == 200
            assert pair.raised(party, "CONFLICT") == 200


@pytest.mark.parametrize("party", ["blue", "red"])
def test_restart_shows_what_was_shown_before(party: str) -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1), declaration(3, Purpose.PROTECTED_SITE))
        pair.declare("red", declaration(2))
        pair.say("blue", Kind.QUERY, query())
        pair.run_for(5)
        line = pair.line(party)
        before = pair.rules(party), line.book.picture.conflicts(), line.machine.own_head
        known = {alert.subject: alert.raised_utc for alert in pair.station(party).core.alerts}
        pair.world.restart(party)
        pair.run_for(1)
        line = pair.line(party)
        rules = [rule for rule in pair.rules(party) if rule not in ("NOT_SEEN", "READBACK_MISSING")]
        assert rules == [rule for rule in before[0] if rule != "NOT_SEEN"]
        assert [c.conflict_id for c in line.book.picture.conflicts()] == [
            c.conflict_id for c in before[1]
        ]
        assert line.machine.own_head == before[2]
        for alert in pair.station(party).core.alerts:
            assert known.get(alert.subject, alert.raised_utc) == alert.raised_utc


def test_flash_is_the_precedence_of_a_cease_and_of_its_answer() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        answer = pair.say("red", Kind.ACK, Ack(answer=AnswerWord.WILCO), ref=asked)
        for message in (asked, answer):
            envelope = pair.red.core.envelope_of(message)
            assert envelope is not None
            assert envelope.prec is Precedence.FLASH
