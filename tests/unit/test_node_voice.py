"""What is said by voice is noted at both ends and held against the signed message (R6, R35)."""

from typing import Any

import pytest
from msgspec import structs

from deconflict.airspace.instant import format_utc
from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Body, Cease, SafetyOfFlight, Voice, VoicePart, VoiceSide
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase
from deconflict.messages.values import ValueType
from deconflict.messages.voice import check_digits, parts_of, voice_script
from deconflict.messages.words import LANGUAGES
from deconflict.node.core import Say
from node_pair import HOUR_MS, LATAKIA, START_MS, NodePair, cease, declaration, node_pair

NOW = format_utc(START_MS)
SAFETY = SafetyOfFlight(
    phrase=208,
    values={
        "where": {"lat_e7": 354_000_000, "lon_e7": 359_000_000},
        "reach": 2_000_000,
        "since": NOW,
    },
)


def note(pair: NodePair, message: str, side: VoiceSide, /, **changed: Any) -> Voice:
    """What one end notes of blue's message, some of it otherwise."""
    envelope: Envelope | None = pair.station("blue").core.envelope_of(message)
    assert envelope is not None
    body = pair.line("blue").book.voices.recent(envelope.seq, own=True)
    assert body is not None
    parts = parts_of(body.kind, body.body, party="blue")
    fields: dict[str, Any] = {
        "side": side,
        "number": envelope.seq,
        "message": message[:8],
        "check": check_digits(parts, drill=envelope.drill),
        "said": parts,
        "desk": "watch",
        "at_utc": NOW,
    }
    return Voice(**fields | changed)


def nearer(reach: int = 3_000_000) -> tuple[VoicePart, ...]:
    return (VoicePart(phrase=208, values={**SAFETY.values, "reach": reach}),)


def cut(pair: NodePair) -> None:
    pair.world.cut("blue", "red", pair.world.now.utc_ms, pair.world.now.utc_ms + 20_000)


def say(pair: NodePair, body: Body = SAFETY, kind: Kind = Kind.SAFETY, **more: Any) -> str:
    message = pair.say("blue", kind, body, **more)
    pair.run_for(1)
    return message


def heard(pair: NodePair, body: Voice, *, drill: bool = False) -> None:
    pair.say("red", Kind.VOICE, body, drill=drill)
    pair.run_for(1)


def state_of_line(pair: NodePair) -> list[str]:
    return [pair.line(p).monitor.state(pair.world.now).status.value for p in ("blue", "red")]


def voice_rules(pair: NodePair, party: str) -> list[str]:
    return [
        rule for rule in pair.rules(party) if rule.startswith("VOICE_") and rule != "VOICE_PLAN"
    ]


def test_what_was_heard_is_shown_at_once_and_not_as_authentic() -> None:
    with node_pair() as pair:
        cut(pair)
        message = say(pair)
        heard(pair, note(pair, message, VoiceSide.HEARD))
        alert = pair.alert("red", "VOICE_HEARD")
        assert alert.text.startswith("HEARD BY VOICE, NOT AUTHENTIC. blue, message number ")
        assert "Our personnel are within" in alert.text
        assert alert.urgency == "FLASH"
        pair.run_for(30)
        assert voice_rules(pair, "red") == []
        assert voice_rules(pair, "blue") == []


def test_two_notes_that_agree_with_the_message_alarm_nobody() -> None:
    with node_pair() as pair:
        cut(pair)
        message = say(pair)
        heard(pair, note(pair, message, VoiceSide.HEARD))
        pair.say("blue", Kind.VOICE, note(pair, message, VoiceSide.SAID), ref=message)
        pair.run_for(40)
        assert voice_rules(pair, "red") == voice_rules(pair, "blue") == []
        said = pair.line("red").book.voices.notes_of(2, own=False)
        assert {each.body.side for each in said} == {VoiceSide.HEARD, VoiceSide.SAID}


def test_a_note_of_a_call_asks_for_no_call_of_its_own() -> None:
    with node_pair() as pair:
        cut(pair)
        message = say(pair)
        noted = pair.say("blue", Kind.VOICE, note(pair, message, VoiceSide.SAID), ref=message)
        pair.run_for(20)  # longer than the limits of a FLASH, and the line is still cut
        about = {alert.subject for alert in pair.station("blue").core.alerts}
        assert message in about
        assert noted not in about


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"said": nearer()}, "reach"),
        ({"message": "00000000"}, "message"),
        ({"said": (VoicePart(phrase=214, values={"at": NOW}),)}, "template"),
    ],
)
def test_what_was_heard_otherwise_alarms_both_desks(changed: dict[str, Any], field: str) -> None:
    with node_pair() as pair:
        cut(pair)
        message = say(pair)
        heard(pair, note(pair, message, VoiceSide.HEARD, **changed))
        assert voice_rules(pair, "red") == ["VOICE_HEARD"]
        pair.run_for(30)
        for party in ("red", "blue"):
            assert voice_rules(pair, party) == ["VOICE_DIFFERS"]
            alert = pair.alert(party, "VOICE_DIFFERS")
            assert alert.facts["fields"] == [field]
            assert alert.subject == message


def test_a_note_made_after_the_message_came_is_compared_all_the_same() -> None:
    with node_pair() as pair:
        message = say(pair)
        heard(pair, note(pair, message, VoiceSide.HEARD, said=nearer()))
        assert voice_rules(pair, "red") == voice_rules(pair, "blue") == ["VOICE_DIFFERS"]
        heard(pair, note(pair, message, VoiceSide.HEARD))  # noted anew, and rightly
        assert voice_rules(pair, "red") == voice_rules(pair, "blue") == []


def test_a_message_that_is_long_gone_is_compared_from_the_record() -> None:
    with node_pair() as pair:
        message = say(pair)
        wrong = note(pair, message, VoiceSide.HEARD, said=nearer())
        for _ in range(40):
            say(pair)
        heard(pair, wrong)
        assert voice_rules(pair, "red") == voice_rules(pair, "blue") == ["VOICE_DIFFERS"]


def test_a_note_that_names_what_nobody_says_by_voice_alarms_and_breaks_nothing() -> None:
    with node_pair() as pair:
        message = say(pair)
        fitting = note(pair, message, VoiceSide.HEARD)
        pair.say("blue", Kind.VOICE, note(pair, message, VoiceSide.SAID), ref=message)
        pair.run_for(1)
        heads = [pair.line("blue").machine.own_head, pair.line("red").machine.peer_logged]
        assert {head.seq for head in heads if head} == {3}
        for number in (1, 3):  # the terms, and a note
            heard(pair, structs.replace(fitting, number=number))
            for party in ("red", "blue"):
                assert voice_rules(pair, party).count("VOICE_DIFFERS") == (1 if number == 1 else 2)
        assert state_of_line(pair) == ["UP", "UP"]


def test_a_drill_heard_as_real_alarms_as_real() -> None:
    with node_pair() as pair:
        cut(pair)
        message = say(pair, drill=True)
        heard(pair, note(pair, message, VoiceSide.HEARD))
        pair.run_for(30)
        alert = pair.alert("red", "VOICE_DIFFERS")
        assert alert.facts["fields"] == ["drill"]
        assert not alert.drill


def test_who_was_called_by_somebody_else_learns_it_from_the_other_side() -> None:
    with node_pair() as pair:
        message = say(pair)
        heard(pair, note(pair, message, VoiceSide.HEARD, number=900))
        assert voice_rules(pair, "red") == ["VOICE_HEARD"]
        assert voice_rules(pair, "blue") == ["VOICE_NOT_SENT"]


def test_a_note_does_nothing_of_what_its_message_would_do() -> None:
    with node_pair() as pair:
        cut(pair)
        declared = declaration(7)
        (message,) = pair.declare("blue", declared)
        pair.run_for(1)
        heard(pair, note(pair, message, VoiceSide.HEARD))
        assert not list(pair.line("red").book.picture)
        asked = say(pair, cease(at=LATAKIA), Kind.CEASE)
        heard(pair, note(pair, asked, VoiceSide.HEARD))
        assert "CEASE_RECEIVED" not in pair.rules("red")


def test_a_note_survives_a_restart_and_outlives_its_message() -> None:
    with node_pair() as pair:
        pair.world.cut("blue", "red", pair.world.now.utc_ms, pair.world.now.utc_ms + HOUR_MS)
        message = say(pair)
        heard(pair, note(pair, message, VoiceSide.HEARD, said=nearer()))
        pair.world.restart("red")
        pair.run_for(1)
        assert voice_rules(pair, "red") == ["VOICE_HEARD"]
        pair.run_for(3_660)
        assert "DELAYED" in pair.rules("red")  # the message itself comes too late to be acted on
        assert voice_rules(pair, "red") == voice_rules(pair, "blue") == ["VOICE_DIFFERS"]


def test_check_digits_that_do_not_fit_are_told_to_who_notes_them() -> None:
    with node_pair() as pair:
        cut(pair)
        message = say(pair)
        wrong = note(pair, message, VoiceSide.HEARD, said=nearer())
        posted = pair.world.say("red", "blue", [_say(wrong)])[0]
        assert posted.warnings == (
            "The check digits do not fit what was noted. Have it said again.",
        )
        posted = pair.world.say("red", "blue", [_say(note(pair, message, VoiceSide.HEARD))])[0]
        assert posted.warnings == ()


def _say(body: Voice) -> Say:
    return Say(kind=Kind.VOICE, body=body, desk="watch")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_script_says_everything_twice_and_spells_every_digit(language: str) -> None:
    lines = voice_script(
        Kind.CEASE,
        Cease(effective_utc=NOW, declaration_id="4f2a9c01" * 4),
        party="blue",
        peer="red",
        number=17,
        message_hash="b7" * 32,
        language=language,
    )
    assert not any(character.isdigit() for line in lines for character in line)
    again = {"en": " I say again. ", "ru": " Повторяю. ", "ar": " أكرر القول. "}[language]
    for line in lines[:-1]:
        once, twice = line.split(again)
        assert once == twice


def test_any_value_heard_otherwise_changes_the_check_digits() -> None:
    right = check_digits(nearer(), drill=False)
    assert right != check_digits(nearer(3_100_000), drill=False)
    assert right != check_digits(nearer(), drill=True)
    assert right != check_digits([*nearer(), *nearer()], drill=False)


def test_of_an_id_only_what_is_said_is_noted() -> None:
    body = Cease(effective_utc=NOW, declaration_id="4f2a9c01" * 4)
    (part,) = parts_of(Kind.CEASE, body, party="blue")
    ids = [name for name, kind in phrase(part.phrase).values.items() if kind is ValueType.ID]
    assert {part.values[name] for name in ids} == {"4f2a9c01" + "0" * 24}
