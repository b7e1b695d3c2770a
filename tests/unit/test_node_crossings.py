"""What crosses on the way, comes late, or is too long to say: nothing of it stops or misleads."""

import pytest
from test_node_attacks import attack, forge

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.errors import InvalidDocumentError, LineStateError, NotFoundError
from deconflict.messages.bodies import (
    Account,
    Ack,
    AnswerWord,
    Cease,
    CeaseReport,
    Declared,
    LineCheck,
    Loaded,
    SafetyOfFlight,
    Seen,
)
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase_named, render
from deconflict.messages.plain import _place_sentence, _places
from deconflict.node.alerts import AlertBook, AlertKey
from deconflict.node.tell.desk import Desk
from node_pair import START_MS, circle, declaration, node_pair


def test_late_message_of_a_kind_nobody_knows_is_told_and_stops_nothing() -> None:
    with node_pair() as pair:
        late = {"created_ms": START_MS - 10_000_000, "expires_after_ms": 1_000}
        attack(pair, "NONSENSE", {"x": 1}, **late)
        assert "UNREADABLE" in pair.rules("blue")
        pair.world.restart("blue")
        pair.run_for(2)


@pytest.mark.parametrize("kind", ["NONSENSE", "CEASE"])
def test_a_message_that_nobody_can_read_is_told_until_a_desk_says_it_has_seen_it(kind: str) -> None:
    with node_pair() as pair:
        pair.run_for(1)
        attack(pair, kind, {"x": 1})
        message = pair.alert("blue", "UNREADABLE").subject
        pair.say("blue", Kind.SEEN, Seen(desk="watch", at_utc=pair.now_utc), ref=message)
        assert "UNREADABLE" not in pair.rules("blue")
        pair.run_for(1)
        assert pair.red.errors == []


def test_of_a_kind_that_nobody_here_knows_nothing_but_seen_can_be_said() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        attack(pair, "NONSENSE", {"x": 1})
        message = pair.alert("blue", "UNREADABLE").subject
        with pytest.raises(InvalidDocumentError, match="does not know"):
            pair.say("blue", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=message)


def test_parties_of_the_longest_names_are_told_of_a_conflict() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(2)
        (conflict,) = pair.line("blue").book.picture.conflicts()
        (finding,) = conflict.findings
        for place in _places(finding, "a" * 63, "b" * 63, ()):
            name, values = _place_sentence(place)
            assert "a" * 63 in render(phrase_named(name).number, values, "en")


def site(revision: int, at: Position) -> Declaration:
    return declaration(1, Purpose.PROTECTED_SITE, circle(at=at), revision=revision)


def test_loaded_of_an_earlier_revision_does_not_count_for_the_newest() -> None:
    with node_pair() as pair:
        here, there = Position.from_degrees(35.4, 35.9), Position.from_degrees(36.0, 36.5)
        (first,) = pair.declare("red", site(1, here))
        pair.run_for(1)
        loaded = Loaded(declaration_id=f"{1:032x}", at_utc=pair.now_utc)
        # They cross: the site moves while the unit says that it holds the old place.
        pair.say("red", Kind.UPDATE, Declared.of(site(2, there)), ref=first)
        pair.say("blue", Kind.LOADED, loaded, ref=first)
        pair.run_for(2)
        for party in ("red", "blue"):
            assert not pair.line(party).book.loaded
        with pytest.raises(LineStateError, match="not what is declared now"):
            pair.say("blue", Kind.LOADED, loaded, ref=first)
        newest = pair.line("blue").book.picture.get(f"red/{1:032x}")
        assert newest is not None
        pair.say("blue", Kind.LOADED, loaded, ref=newest.message_hash)
        pair.run_for(2)
        for party in ("red", "blue"):
            assert pair.line(party).book.loaded == {f"red/{1:032x}"}


def test_accounts_that_differ_in_very_much_are_told_in_few_words() -> None:
    with node_pair() as pair:
        for number in range(16):
            names = [f"f{number:02d}_{field:02d}_" + "x" * 41 for field in range(32)]
            body = Account(event="pass", fields=dict.fromkeys(names, 1))
            pair.say("blue", Kind.ACCOUNT, body)
            attack(pair, "ACCOUNT", Account(event="pass", fields=dict.fromkeys(names, 2)))
        alert = pair.alert("blue", "ACCOUNTS_DIFFER")
        assert len(alert.text) < 2_000
        assert len(alert.facts["differing"]) == 512


def test_cease_asked_again_behind_an_answer_that_did_not_know_of_it_stays_open() -> None:
    with node_pair() as pair:
        (theirs,) = pair.declare("red", declaration(2))
        pair.run_for(1)
        cease = Cease(effective_utc=format_utc(START_MS), declaration_id=f"{2:032x}")
        first = pair.say("blue", Kind.CEASE, cease, ref=theirs)
        pair.run_for(1)
        report = CeaseReport(desk="watch", at_utc=pair.now_utc)
        pair.say("red", Kind.CEASED, report, ref=first)
        second = pair.say("blue", Kind.CEASE, cease, ref=theirs)
        pair.run_for(400)
        for party in ("blue", "red"):
            assert pair.line(party).book.threads.get(first) is None
            assert pair.line(party).book.threads.get(second) is not None
        assert "CEASE_NOT_ACKNOWLEDGED" in pair.rules("blue")
        assert "CEASE_RECEIVED" in pair.rules("red")
        pair.world.restart("blue")
        pair.run_for(2)
        assert pair.line("blue").book.threads.get(second) is not None
        pair.say("red", Kind.CEASED, report, ref=second)
        pair.run_for(2)
        assert "CEASE_NOT_ACKNOWLEDGED" not in pair.rules("blue")
        assert "CEASE_RECEIVED" not in pair.rules("red")


def test_overdue_phrase_about_another_message_still_names_it() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("red", declaration(1))
        pair.run_for(1)
        safety = SafetyOfFlight(phrase=214, values={"at": format_utc(START_MS)})
        pair.say("red", Kind.SAFETY, safety, ref=message)
        pair.run_for(61)
        assert message[:8] in pair.alert("blue", "SAFETY_RECEIVED").text


def test_alert_whose_words_fail_is_raised_all_the_same() -> None:
    desk = Desk(AlertBook("watch"), "en")
    key = AlertKey("LINE_DOWN", "11", "red")
    desk.tell(key, {"peer": "red", "since": "noon"}, drill=False, urgency="FLASH", now_ms=START_MS)
    (alert,) = desk.alerts.open_alerts()
    assert alert.text.startswith("LINE DOWN. ")
    assert "noon" in alert.text


def test_message_on_disk_that_we_do_not_yet_say_to_have_heard_cannot_be_answered() -> None:
    # Else a start, which reads each entry after what its author had heard, would read the answer
    # before the question, and ask for it again.
    with node_pair() as pair:
        sealed = forge(pair, "LINE_CHECK", LineCheck(text="4821 0937"))
        heard = pair.blue.core.hear("red", pair.line_id, [sealed], pair.world.now)
        pair.blue.store.commit(heard.work.batch())
        reply = LineCheck(text="4821 0937")
        with pytest.raises(NotFoundError):
            pair.say("blue", Kind.LINE_CHECK_REPLY, reply, ref=sealed.hash)
        heard.work.finish(pair.world.now)
        pair.say("blue", Kind.LINE_CHECK_REPLY, reply, ref=sealed.hash)
        pair.world.restart("blue")
        pair.run_for(1)
        assert "LINE_CHECK_RECEIVED" not in pair.rules("blue")
