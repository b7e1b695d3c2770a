"""All that a fold holds is found again at any cut: also what is added to it tomorrow."""

from unittest.mock import patch

from msgspec.structs import replace
from test_node_asking import answer, report
from test_node_calls import readout, record
from test_node_incidents import ID, account, begun, breach, say_tally
from test_node_restore import back_up, put_back
from test_node_suspensions import suspend
from test_node_talks import accept, end, offer, request, say, slot
from test_node_voice import note

from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import (
    Account,
    Cancel,
    Evidence,
    LineCheck,
    Loaded,
    ReleaseConsent,
    Risk,
    SaidWord,
    Standby,
    TermsMessage,
    VoiceSide,
)
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.incident_bodies import RiskWord
from deconflict.messages.kinds import Kind, Release
from deconflict.messages.private_bodies import StepWord
from deconflict.messages.talks import ReadoutWithheld
from deconflict.node import fold
from kept_folds import all_attributes, require_any_cut, whole_of
from node_pair import NodePair, cease, declaration, node_pair, query
from private_samples import CheckedPair, document, ended, mediation, submission

# Empty in every record: what a re-check or a look of somebody fills, and what one entry empties.
NEVER_SAID = frozenset(
    (
        "Side._index",
        "Side._screened",
        "Side._formerly",
        "Side._unchecked",
        "Side._broken_off",
        "Side._heavy",
        "Picture._rules",
        "Picture._conflicts",
        "Picture._conflicts_of",
        "Picture.known_since_ms",
        "Picture._untold",  # of other lines
        "Suspensions._replaced",
        "LineBook._put_back",  # by a clock set back; a start tells all of it anyway
        "ThreadBook._unsettled",
        "AlertFold._early",
        # No exercise has a call or an incident here, and each readback agrees.
        "Call.drill",
        "Talk.drill",
        "IncidentFile.drill",
        "ReadbackFound._differences",
    )
)


def talk_of_flights(pair: NodePair) -> None:
    (first, second), (third,) = (
        pair.declare("blue", declaration(1), declaration(2)),
        pair.declare("red", declaration(3)),
    )
    pair.run_for(2)
    pair.read_back("red", declaration(1), first)
    pair.read_back("blue", declaration(3), third)
    pair.say("blue", Kind.UPDATE, DeclaredBody.of(declaration(2, revision=2)), ref=second)
    (fourth,) = pair.declare("blue", declaration(4))
    pair.run_for(2)
    loaded = Loaded(declaration_id=declaration(4).declaration_id, at_utc=pair.now_utc)
    say(pair, "red", Kind.LOADED, loaded, fourth)
    say(pair, "blue", Kind.CANCEL, Cancel(declaration_id=declaration(1).declaration_id), first)
    say(pair, "blue", Kind.RELEASE_CONSENT, ReleaseConsent(release=Release.COALITION), second)


def talk_of_alarms(pair: NodePair) -> None:
    asked = pair.say("blue", Kind.QUERY, query())
    pair.run_for(1)
    say(pair, "red", Kind.STANDBY, Standby(desk="watch", at_utc=pair.now_utc), asked)
    say(pair, "red", Kind.ANSWER, answer(pair, SaidWord.OURS), asked)
    asked = pair.say("blue", Kind.CEASE, cease(declaration(3).declaration_id))
    pair.run_for(1)
    say(pair, "red", Kind.CEASED, report(), asked)
    again = pair.say("blue", Kind.CEASE, cease(declaration(3).declaration_id))
    pair.run_for(1)
    for kind in (Kind.CEASED, Kind.CONTINUING):
        say(pair, "red", kind, report(), again)
    pair.say("red", Kind.CEASE, cease(declaration(2).declaration_id))
    asked = pair.say("blue", Kind.LINE_CHECK, LineCheck(text="four herons"))
    pair.run_for(1)
    say(pair, "red", Kind.LINE_CHECK_REPLY, LineCheck(text="four herons"), asked)
    noted = pair.say("blue", Kind.QUERY, query())
    pair.run_for(1)
    pair.say("red", Kind.VOICE, note(pair, noted, VoiceSide.HEARD))
    suspend(pair)


def talk_of_incidents(pair: NodePair) -> None:
    begun(pair)
    pair.say("red", Kind.ACCOUNT, account(closest_m=500))
    pair.say("red", Kind.ACCOUNT, Account(event="crossing", fields={"closest_m": 805}))
    pair.say("red", Kind.RISK, Risk(incident_id=ID, risk=RiskWord.UNDETERMINED))
    file = Evidence(incident_id=ID, sha256="ab" * 32, length_bytes=1, media_type="image/png")
    pair.say("red", Kind.EVIDENCE, file)
    noted = pair.say("blue", Kind.BREACH_NOTE, breach(incident_id=ID))
    pair.say("blue", Kind.BREACH_NOTE, breach(incident_id=ID), ref=noted)
    say_tally(pair, "blue")


def talk_of_calls(pair: NodePair) -> None:
    off = request(pair)
    say(pair, "red", Kind.TALK_DECLINE, end(), off)
    asked = request(pair, offer(slot(2)))
    call = say(pair, "red", Kind.TALK_ACCEPT, accept(slot(2)), asked)
    pair.run_for(2.6 * 3600)
    say(pair, "blue", Kind.CALL_RECORD, record(), call)
    for party in ("blue", "red"):
        proposed = say(pair, party, Kind.READOUT_PROPOSE, readout(call), call)
    say(pair, "blue", Kind.READOUT_AGREE, readout(call), proposed)
    say(pair, "red", Kind.READOUT_WITHHELD, ReadoutWithheld(call=call), call)


def talk_of_checks(pair: NodePair) -> None:
    checked = CheckedPair(pair)
    checked.propose()
    checked.accept()
    checked.steps(StepWord.HELLO)
    checked.end("red", 0)
    said = submission()
    asked = pair.say("blue", Kind.PRIVATE_SUBMIT, said)
    pair.run_for(1)
    checked.say("red", Kind.PRIVATE_MEDIATION, mediation(said), ref=asked)
    asked = pair.say("red", Kind.PRIVATE_SUBMIT, submission(number=2))
    pair.run_for(1)
    for party in ("blue", "red"):
        checked.say(party, Kind.PRIVATE_END, ended(), ref=asked)


def talk_after_a_restore(pair: NodePair) -> None:
    backup = back_up(pair, "blue")
    pair.say("blue", Kind.QUERY, query())
    pair.run_for(5)
    put_back(backup)
    pair.world.commit(pair.blue, pair.blue.core.reopen(pair.line_id, pair.world.now))
    pair.run_for(60)
    pair.say("blue", Kind.QUERY, query())
    pair.run_for(5)


def talk_of_shorter_intervals(pair: NodePair) -> None:
    held = pair.line("blue").book
    assert held.terms is not None
    newer = replace(
        held.terms,
        version=held.terms.version + 1,
        replaces=held.terms_hash,
        line_check_every_ms=300_000,
    )

    def signed(party: str) -> TermsMessage:
        key = pair.station(party).core.key
        return TermsMessage(terms=newer, signature=sign_terms(newer, key))

    proposed = pair.say("blue", Kind.TERMS_PROPOSE, signed("blue"))
    pair.run_for(2)
    pair.say("red", Kind.TERMS_ACCEPT, signed("red"), ref=proposed)
    pair.run_for(2)


def test_a_record_that_is_read_has_a_fresh_epoch_behind_the_one_before() -> None:
    with node_pair() as pair:
        talk_after_a_restore(pair)
        running = pair.line("red").book.threads
        first, *_, last = [e.epoch for e in pair.red.store.epochs(pair.line_id, "blue")]
        assert running.place(last, 1) > running.place(first, 99)
        # Else whoever had heard 99 of the one had heard a CEASE in the other, and ends it unread.
        read = whole_of(pair.red.store, pair.line("red")).book.threads
        assert read.place(last, 1) > read.place(first, 99)


def test_a_cease_repeated_in_a_fresh_epoch_stays_open_when_who_answers_had_not_heard_it() -> None:
    with node_pair(seed=2) as pair:
        pair.declare("red", declaration(3))
        pair.run_for(2)
        asked = pair.say("blue", Kind.CEASE, cease(declaration(3).declaration_id))
        pair.run_for(2)
        put_back(back_up(pair, "blue"))
        now_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", now_ms, now_ms + 10_000)
        pair.world.commit(pair.blue, pair.blue.core.reopen(pair.line_id, pair.world.now))
        repeated = pair.say("blue", Kind.CEASE, cease(declaration(3).declaration_id))
        pair.say("red", Kind.CEASED, report(), ref=asked)
        pair.run_for(60)
        for party in ("blue", "red"):
            pair.world.restart(party)
            assert pair.line(party).book.threads.get(repeated) is not None


def test_every_attribute_of_a_fold_is_filled_by_a_record_and_found_again_at_any_cut() -> None:
    held: dict[str, bool] = {}
    with patch.object(fold, "_FORGET_EVERY", 4), patch.object(fold, "_LONG_OVER_MS", 60_000):
        for seed, talks in enumerate(
            (
                (talk_of_flights, talk_of_alarms),
                (talk_of_flights, talk_of_incidents, talk_of_calls),
                (talk_after_a_restore, talk_of_shorter_intervals),
                (talk_of_checks,),
            )
        ):
            with node_pair(seed=seed, private_check=document()) as pair:
                pair.begin_drill("red", announced=True)
                pair.run_for(2)
                pair.end_drill("red")
                for talk in talks:
                    talk(pair)
                pair.run_for(12)
                for party in ("blue", "red"):
                    store, line = pair.station(party).store, pair.line(party)
                    assert require_any_cut(store, line)
                    whole = whole_of(store, line)
                    whole.kept()
                    for part in (whole.book, whole.alerts):
                        for name, value in all_attributes(part):
                            held[name] = held.get(name, False) or bool(value)
    # Who adds an attribute has a record fill it, too: only so is it found whether it is kept.
    empty = sorted(name for name, filled in held.items() if not filled)
    assert empty == sorted(NEVER_SAID), set(empty) ^ NEVER_SAID
