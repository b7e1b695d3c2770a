"""Incidents on a line (R24, R29, R31, R15): several accounts, evidence, risk, breaches, tallies."""

import hashlib
import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace
from test_node_attacks import attack, forge

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.cli.incident import show_incident
from deconflict.errors import InvalidDocumentError, InvalidTimeError, LineStateError, NotFoundError
from deconflict.messages.bodies import Account, BreachNote, Evidence, Incident, Risk
from deconflict.messages.direction import all_closed
from deconflict.messages.incident_bodies import BreachWord, IncidentWord, RiskWord, Tally
from deconflict.messages.kinds import Kind
from deconflict.messages.wire_form import Place
from deconflict.node import incidents
from deconflict.node.incident_views import incident_view, said_tally_view, shelf_of
from deconflict.node.tally import Why
from node_pair import HOUR_MS, LATAKIA, START_MS, NodePair, node_pair, query

ID = "1c" * 16
PERIOD = (START_MS - HOUR_MS, START_MS + 24 * HOUR_MS)
SCENARIO = Path(__file__).parents[2] / "scenarios" / "SHAYRAT-2017-04-07.json"


def opened(incident_id: str = ID, **changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "incident_id": incident_id,
        "at_utc": format_utc(START_MS),
        "position": Place.of(LATAKIA),
        "what": IncidentWord.CLOSE_PASS,
    }
    return Incident(**fields | changes)


def account(incident_id: str = ID, **fields: str | int | bool) -> Account:
    return Account(incident_id=incident_id, fields=fields)


def breach(word: BreachWord = BreachWord.LINE_CROSSED, **changes: Any) -> BreachNote:
    fields: dict[str, Any] = {"breach": word, "at_utc": format_utc(START_MS), "named": "river"}
    return BreachNote(**fields | changes)


def begun(pair: NodePair, by: str = "blue") -> str:
    message = pair.say(by, Kind.INCIDENT, opened())
    pair.run_for(1)
    return message


def say_tally(pair: NodePair, party: str, *, drill: bool = False) -> str:
    tally = pair.line(party).count(*PERIOD, drill=drill)
    message = pair.say(party, Kind.TALLY, tally, drill=drill)
    pair.run_for(2)
    return message


def files(pair: NodePair) -> list[Any]:
    return [pair.line(party).book.incidents.get(ID) for party in ("blue", "red")]


# ---- one incident, several accounts ------------------------------------------------------


def test_an_incident_of_the_peer_is_told_until_this_side_gives_its_account() -> None:
    with node_pair() as pair:
        begun(pair)
        assert pair.alert("red", "INCIDENT_OPENED").facts["incident"] == ID
        assert "INCIDENT_OPENED" not in pair.rules("blue")
        pair.say("red", Kind.ACCOUNT, account(closest_m=500))
        pair.run_for(1)
        assert "INCIDENT_OPENED" not in pair.rules("red")


def test_a_class_of_risk_answers_an_incident_too_even_an_undetermined_one() -> None:
    with node_pair() as pair:
        begun(pair)
        pair.say("red", Kind.RISK, Risk(incident_id=ID, risk=RiskWord.UNDETERMINED))
        pair.run_for(1)
        assert "INCIDENT_OPENED" not in pair.rules("red")
        for held in files(pair):
            assert held.risk_of("red") is RiskWord.UNDETERMINED
            assert held.risk_of("blue") is RiskWord.UNDETERMINED  # as it proposed at the opening


def test_a_changed_class_of_risk_leaves_the_one_before_in_the_file() -> None:
    with node_pair() as pair:
        begun(pair)
        for risk in (RiskWord.RISK_OF_COLLISION, RiskWord.NO_RISK_OF_COLLISION):
            pair.say("red", Kind.RISK, Risk(incident_id=ID, risk=risk))
        pair.run_for(1)
        for held in files(pair):
            assert held.risk_of("red") is RiskWord.NO_RISK_OF_COLLISION
            assert len(held.risks["red"]) == 2


def test_several_accounts_of_each_side_stand_side_by_side_and_their_differences_are_told() -> None:
    with node_pair() as pair:
        begun(pair)
        pair.say("blue", Kind.ACCOUNT, account(closest_m=805, left_its_level="red"))
        pair.say("blue", Kind.ACCOUNT, account(closest_m=790, seen_by="radar"))
        pair.say("red", Kind.ACCOUNT, account(closest_m=500, left_its_level="blue"))
        pair.run_for(1)
        for party in ("blue", "red"):
            alert = pair.alert(party, "ACCOUNTS_DIFFER")
            assert alert.facts["differing"] == ["closest_m", "left_its_level"]
            held = pair.line(party).book.incidents.get(ID)
            assert held is not None
            assert len(held.accounts) == 3


def test_a_place_that_differs_is_told_by_the_one_name_it_was_given() -> None:
    with node_pair() as pair:
        begun(pair)
        pair.say("blue", Kind.ACCOUNT, account(there_lat_e7=352000000, there_lon_e7=400000000))
        pair.say("red", Kind.ACCOUNT, account(there_lat_e7=352000000, there_lon_e7=408350000))
        pair.run_for(1)
        alert = pair.alert("blue", "ACCOUNTS_DIFFER")
        assert "differ in: there." in alert.text
        assert alert.facts["differing"] == ["there_lon_e7"]


def page(pair: NodePair, language: str) -> str:
    """What ``incident show`` prints at a desk of this language."""
    line = pair.line("blue")
    shown = incident_view(shelf_of(line), files(pair)[0], (), language)
    with io.StringIO() as out, redirect_stdout(out):
        show_incident(to_builtins(shown), language)
        return out.getvalue()


def test_the_page_of_an_incident_is_of_one_language() -> None:
    with node_pair() as pair:
        begun(pair)
        pair.say("blue", Kind.ACCOUNT, account(closest_m=805, seen=True))
        pair.say("red", Kind.ACCOUNT, account(closest_m=500))
        pair.say("red", Kind.RISK, Risk(incident_id=ID, risk=RiskWord.SAFETY_NOT_ASSURED))
        pair.run_for(1)
        ours, theirs = page(pair, "en"), page(pair, "ru")
        assert "risk, blue  D, undetermined (as proposed)" in ours
        assert "Accounts: 2" in ours
        assert "степень риска, blue  D, не определена (как предложено)" in theirs
        assert "степень риска, red   B, безопасность не обеспечена" in theirs
        arabic = page(pair, "ar")
        assert "الدرجة \u2066D\u2069، غير محددة (كما اقترحت)" in arabic
        assert "الروايات: 2" in arabic
        assert all(map(all_closed, arabic.replace("\u2067", "\u2068").splitlines()))
        assert "Версии: 2" in theirs
        english = re.findall(r"\b(?:risk|opened|line|near|account|message|yes|none)\w*", theirs)
        assert english == []


def test_a_correction_takes_the_place_of_the_account_it_cites_and_both_stay_on_record() -> None:
    with node_pair() as pair:
        begun(pair)
        pair.say("blue", Kind.ACCOUNT, account(closest_m=805))
        wrong = pair.say("red", Kind.ACCOUNT, account(closest_m=50))
        pair.run_for(1)
        assert "ACCOUNTS_DIFFER" in pair.rules("blue")
        pair.say("red", Kind.ACCOUNT, account(closest_m=805), ref=wrong)
        pair.run_for(1)
        for party, held in zip(("blue", "red"), files(pair), strict=True):
            assert "ACCOUNTS_DIFFER" not in pair.rules(party)
            assert held.accounts_said == {"blue": 1, "red": 2}
            assert pair.station(party).store.entry(wrong) is not None


def test_the_account_of_the_other_side_cannot_be_corrected_away() -> None:
    with node_pair() as pair:
        begun(pair)
        theirs = pair.say("blue", Kind.ACCOUNT, account(closest_m=805))
        pair.run_for(1)
        pair.say("red", Kind.ACCOUNT, account(closest_m=500), ref=theirs)
        pair.run_for(1)
        assert [held.by for held in files(pair)[0].told()] == ["blue", "red"]


def test_impossible_figures_are_kept_and_flagged() -> None:
    with node_pair() as pair:
        begun(pair)
        fields: dict[str, str | int | bool] = {"inside_m": 2_190, "inside_s": 17}
        pair.say(
            "red", Kind.ACCOUNT, Account(incident_id=ID, fields=fields, object_kind="combat_jet")
        )
        pair.run_for(1)
        line = pair.line("blue")
        view = incident_view(shelf_of(line), files(pair)[0], (), "en")
        assert view.accounts[0].fields == fields
        (odd,) = view.implausible
        assert (odd.by, odd.fields, odd.speed_mps) == ("red", ("inside_m", "inside_s"), 128.8)


def test_clock_times_an_hour_apart_and_places_76_km_apart_are_measured() -> None:
    """The published accounts of the Shayrat strike; two places as far apart as were claimed in
    December 2017."""
    told = json.loads(SCENARIO.read_text())["accounts"]
    by = {"US": "blue", "RUS": "red"}
    with node_pair() as pair:
        begun(pair)
        for each in told:
            fields = dict(each["fields"])
            if each["by"] in by:
                east = Position.from_degrees(35.2, 40.0 if each["by"] == "US" else 40.835)
                fields |= {"place_lat_e7": east.lat_e7, "place_lon_e7": east.lon_e7}
                body = Account(incident_id=ID, fields=fields, as_published=each["as_published"])
                pair.say(by[each["by"]], Kind.ACCOUNT, body)
                pair.run_for(1)
        outside = incidents.Account(ID, "encyclopedia", told[2]["fields"])
        work = pair.blue.core.note_account(outside, pair.world.now)
        pair.world.commit(pair.blue, work)
        facts = pair.alert("blue", "ACCOUNTS_DIFFER").facts
        assert facts["times_apart_ms"] == {"time": HOUR_MS}
        assert facts["places_apart_m"]["place"] == pytest.approx(76_000, abs=300)
        assert pair.alert("red", "ACCOUNTS_DIFFER").facts["times_apart_ms"] == {"time": 120_000}
        view = incident_view(
            shelf_of(pair.line("blue")), files(pair)[0], pair.blue.core.outside_accounts(ID), "ru"
        )
        assert [each.by for each in view.accounts] == ["blue", "red", "encyclopedia"]
        assert view.accounts[1].as_published == "03:42 Moscow time"


def test_all_of_it_is_known_after_a_restart() -> None:
    with node_pair() as pair:
        begun(pair)
        pair.say("blue", Kind.ACCOUNT, account(closest_m=805))
        pair.say("red", Kind.ACCOUNT, account(closest_m=500))
        pair.say("red", Kind.RISK, Risk(incident_id=ID, risk=RiskWord.SAFETY_NOT_ASSURED))
        pair.say("red", Kind.BREACH_NOTE, breach(incident_id=ID))
        pair.run_for(1)
        before = [incident_view(shelf_of(pair.line("red")), files(pair)[1], (), "en")]
        pair.world.restart("red")
        pair.run_for(1)
        assert [incident_view(shelf_of(pair.line("red")), files(pair)[1], (), "en")] == before


# ---- evidence ----------------------------------------------------------------------------


def test_evidence_is_a_hash_a_length_and_a_media_type_and_no_file_travels() -> None:
    file = b"\x89PNG a picture of a screen"
    with node_pair() as pair:
        begun(pair)
        body = Evidence(
            incident_id=ID,
            sha256=hashlib.sha256(file).hexdigest(),
            length_bytes=len(file),
            media_type="image/png",
        )
        message = pair.say("red", Kind.EVIDENCE, body)
        pair.run_for(1)
        (kept,) = incident_view(shelf_of(pair.line("blue")), files(pair)[0], (), "en").evidence
        assert (kept.by, kept.message, kept.sha256) == ("red", message, body.sha256)
        row = pair.blue.store.entry(message)
        assert row is not None
        assert b"PNG" not in row.data


# ---- what cannot be said, and what a hostile peer says ---------------------------------------


def test_what_is_still_to_come_is_no_incident_no_breach_and_no_query() -> None:
    with node_pair() as pair:
        at_utc = format_utc(pair.world.now.utc_ms + HOUR_MS)
        for kind, body in (
            (Kind.INCIDENT, opened(at_utc=at_utc)),
            (Kind.BREACH_NOTE, breach(at_utc=at_utc)),
            (Kind.QUERY, replace(query(), at_utc=at_utc)),
        ):
            with pytest.raises(InvalidTimeError, match="has not happened yet"):
                pair.say("blue", kind, body)


def test_what_belongs_to_no_incident_is_refused_before_it_is_said() -> None:
    with node_pair() as pair:
        for kind, body in (
            (Kind.ACCOUNT, account(closest_m=5)),
            (Kind.RISK, Risk(incident_id=ID, risk=RiskWord.UNDETERMINED)),
            (Kind.BREACH_NOTE, breach(incident_id=ID)),
        ):
            with pytest.raises(NotFoundError, match="no incident of this id"):
                pair.say("blue", kind, body)
        begun(pair)
        with pytest.raises(LineStateError, match="open already"):
            pair.say("red", Kind.INCIDENT, opened())
        with pytest.raises(LineStateError, match="exercise"):
            pair.say("red", Kind.ACCOUNT, account(closest_m=5), drill=True)
        with pytest.raises(InvalidDocumentError, match="names nothing"):
            pair.say("red", Kind.BREACH_NOTE, breach(named=None))
        with pytest.raises(LineStateError, match="own side noted"):
            pair.say("red", Kind.BREACH_NOTE, breach(BreachWord.WITHDRAWN))


def test_its_opener_corrects_what_an_incident_is_and_nobody_else() -> None:
    with node_pair() as pair:
        first = begun(pair)
        pair.say("blue", Kind.INCIDENT, opened(what=IncidentWord.AREA_ENTERED), ref=first)
        pair.run_for(1)
        assert {held.what.what for held in files(pair)} == {IncidentWord.AREA_ENTERED}
        with pytest.raises(LineStateError, match="open already"):
            pair.say("blue", Kind.INCIDENT, opened(), ref=first)  # the newest has to be cited
        attack(pair, "INCIDENT", opened(what=IncidentWord.SITE_HIT))
        assert files(pair)[0].what.what is IncidentWord.AREA_ENTERED
        assert pair.alert("blue", "NO_SUCH_INCIDENT").facts["why"] == "ALREADY_OPEN"


def test_accounts_of_incidents_that_do_not_exist_make_one_alert_and_no_incident() -> None:
    with node_pair() as pair:
        for number in range(50):
            attack(pair, "ACCOUNT", account(f"{number:032x}", closest_m=1))
        assert pair.raised("blue", "NO_SUCH_INCIDENT") == 1
        assert pair.alert("blue", "NO_SUCH_INCIDENT").facts["incident"] == f"{49:032x}"
        assert len(pair.line("blue").book.incidents) == 0
        assert len(pair.blue.core.alerts) == 1


def test_a_thousand_accounts_of_one_incident_are_counted_and_the_newest_are_compared() -> None:
    with node_pair() as pair:
        begun(pair, "blue")
        pair.say("blue", Kind.ACCOUNT, account(closest_m=805))
        pair.run_for(1)
        for number in range(1_000):
            attack(pair, "ACCOUNT", account(**{f"field_{number}_m": number, "closest_m": number}))
        held = files(pair)[0]
        assert held.accounts_said == {"blue": 1, "red": 1_000}
        assert len(held.accounts) == 17
        assert len(pair.alert("blue", "ACCOUNTS_DIFFER").text) < 300
        view = incident_view(shelf_of(pair.line("blue")), held, (), "en")
        assert len(view.accounts) == 17


def test_repeating_oneself_does_not_end_what_was_told_as_differing() -> None:
    with node_pair() as pair:
        begun(pair)
        pair.say("blue", Kind.ACCOUNT, account(closest_m=805))
        pair.run_for(1)
        attack(pair, "ACCOUNT", account(closest_m=500))
        for _ in range(40):
            attack(pair, "ACCOUNT", account(closest_m=805))
        assert "ACCOUNTS_DIFFER" in pair.rules("blue")


@pytest.mark.parametrize("sha256", ["AB" * 32, "ab" * 31, "../../etc/passwd", "", 5, None])
def test_evidence_with_a_malformed_hash_is_unreadable_and_ends_nothing(sha256: Any) -> None:
    with node_pair() as pair:
        begun(pair)
        body = {"incident_id": ID, "sha256": sha256, "length_bytes": 1, "media_type": "a/b"}
        attack(pair, "EVIDENCE", body)
        assert "UNREADABLE" in pair.rules("blue")
        assert files(pair)[0].evidence == []


def test_an_exercise_and_what_is_real_do_not_mix() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.INCIDENT, opened(), drill=True)
        pair.run_for(1)
        attack(pair, "ACCOUNT", account(closest_m=1))
        held = files(pair)[0]
        assert held.drill
        assert held.accounts == []
        assert pair.alert("blue", "NO_SUCH_INCIDENT").facts["why"] == "OTHER_EXERCISE"
        tally = pair.line("red").count(*PERIOD, drill=False)
        assert not tally.incidents
        assert pair.line("red").count(*PERIOD, drill=True).incidents


# ---- breaches and tallies --------------------------------------------------------------------


def test_both_sides_count_alike_each_entry_by_its_message() -> None:
    with node_pair() as pair:
        first = begun(pair)
        notes = [pair.say(party, Kind.BREACH_NOTE, breach()) for party in ("blue", "red", "red")]
        pair.run_for(2)
        tallies = [pair.line(party).count(*PERIOD, drill=False) for party in ("blue", "red")]
        assert tallies[0] == tallies[1]
        assert tallies[0].incidents == {IncidentWord.CLOSE_PASS: (first,)}
        assert tallies[0].breaches == {BreachWord.LINE_CROSSED: tuple(sorted(notes))}
        message = say_tally(pair, "red")
        assert "TALLIES_DIFFER" not in pair.rules("blue")
        said = pair.line("blue").book.incidents.tally(message)
        assert said is not None
        assert said_tally_view(pair.line("blue"), said, "en").differences == ()


def test_what_its_author_corrected_or_withdrew_is_counted_once_or_not() -> None:
    with node_pair() as pair:
        wrong = pair.say("blue", Kind.BREACH_NOTE, breach(BreachWord.NO_ANSWER))
        right = pair.say("blue", Kind.BREACH_NOTE, breach(BreachWord.NO_NOTICE), ref=wrong)
        gone = pair.say("red", Kind.BREACH_NOTE, breach())
        pair.run_for(1)
        pair.say("red", Kind.BREACH_NOTE, breach(BreachWord.WITHDRAWN), ref=gone)
        pair.run_for(1)
        for party in ("blue", "red"):
            tally = pair.line(party).count(*PERIOD, drill=False)
            assert tally.breaches == {BreachWord.NO_NOTICE: (right,)}


def test_the_period_has_its_first_instant_and_not_its_last() -> None:
    with node_pair() as pair:
        begun(pair)
        line = pair.line("red")
        assert line.count(START_MS, START_MS + 1, drill=False).incidents
        assert not line.count(START_MS - 1, START_MS, drill=False).incidents
        with pytest.raises(InvalidDocumentError, match="empty"):
            line.count(START_MS, START_MS, drill=False)


def test_a_tally_is_held_against_what_its_author_had_heard_and_not_what_came_since() -> None:
    with node_pair() as pair:
        begun(pair)
        pair.run_for(2)
        tally = pair.line("red").count(*PERIOD, drill=False)
        # On their way at once: blue's note, of which red knows nothing when it counts.
        pair.say("blue", Kind.BREACH_NOTE, breach())
        pair.say("red", Kind.TALLY, tally)
        pair.run_for(2)
        for party in ("blue", "red"):
            assert "TALLIES_DIFFER" not in pair.rules(party)
        assert pair.line("blue").count(*PERIOD, drill=False) != tally


def test_what_is_heard_and_not_durable_yet_is_not_counted() -> None:
    """Our envelope would not say that we had heard it, so the other side would count without it."""
    with node_pair() as pair:
        note = forge(pair, "BREACH_NOTE", breach())
        heard = pair.blue.core.hear("red", pair.line_id, [note], pair.world.now)
        assert not pair.line("blue").count(*PERIOD, drill=False).breaches
        pair.world.commit(pair.blue, heard.work)
        assert pair.line("blue").count(*PERIOD, drill=False).breaches


def test_a_tally_that_differs_names_each_entry_and_why() -> None:
    with node_pair() as pair:
        first = begun(pair)
        note = pair.say("blue", Kind.BREACH_NOTE, breach())
        unnamed = pair.say("blue", Kind.BREACH_NOTE, breach(BreachWord.NO_ANSWER))
        pair.run_for(1)
        forged = Tally(
            start_utc=format_utc(PERIOD[0]),
            end_utc=format_utc(PERIOD[1]),
            incidents={IncidentWord.SITE_HIT: (first,)},
            breaches={BreachWord.LINE_CROSSED: tuple(sorted((note, "ef" * 32)))},
        )
        pair.say("red", Kind.TALLY, forged)
        pair.run_for(1)
        alert = pair.alert("blue", "TALLIES_DIFFER")
        assert "efefefef (line crossed)" in alert.text
        assert f"{unnamed[:8]} (no answer)" in alert.text
        assert alert.facts["differing"] == 4
        (said,) = pair.line("blue").book.incidents.tallies()
        found = {
            (each.message, each.in_tally): each.why
            for each in pair.line("blue").book.incidents.differences(said)
        }
        assert found == {
            (first, True): Why.OTHER_CODE,
            (first, False): Why.OTHER_CODE,
            ("ef" * 32, True): Why.NOT_HELD,
            (unnamed, False): Why.NOT_NAMED,
        }
        # The same verdict on the other side: the text is red's, the record is both's.
        (own,) = pair.line("red").book.incidents.tallies()
        assert len(pair.line("red").book.incidents.differences(own)) == 4


def test_a_later_tally_of_the_period_that_agrees_ends_the_alert() -> None:
    with node_pair() as pair:
        begun(pair)
        empty = Tally(
            start_utc=format_utc(PERIOD[0]),
            end_utc=format_utc(PERIOD[1]),
            incidents={},
            breaches={},
        )
        pair.say("red", Kind.TALLY, empty)
        pair.run_for(1)
        assert "TALLIES_DIFFER" in pair.rules("blue")
        other = pair.line("red").count(PERIOD[0], PERIOD[1] + 1, drill=False)
        pair.say("red", Kind.TALLY, other)
        pair.run_for(1)
        assert "TALLIES_DIFFER" in pair.rules("blue")
        say_tally(pair, "red")
        assert "TALLIES_DIFFER" not in pair.rules("blue")


def test_a_tally_full_of_foreign_references_makes_one_short_alert() -> None:
    with node_pair() as pair:
        for number in range(20):
            named = tuple(f"{n + 800 * number:064x}" for n in range(800))
            tally = Tally(
                start_utc=format_utc(PERIOD[0]),
                end_utc=format_utc(PERIOD[1]),
                incidents={},
                breaches={BreachWord.NO_NOTICE: named},
            )
            attack(pair, "TALLY", tally)
        assert pair.raised("blue", "TALLIES_DIFFER") == 1
        alert = pair.alert("blue", "TALLIES_DIFFER")
        assert alert.facts["differing"] == 800
        assert alert.facts["reasons"] == {"NOT_HELD": 800}
        assert len(alert.text) < 700
        assert len(pair.line("blue").book.incidents.tallies()) == 16


def test_what_came_late_is_written_down_and_counted_all_the_same() -> None:
    """Both sides must count alike, and only one of them knows that it came late."""
    with node_pair() as pair:
        attack(pair, "INCIDENT", opened(), expires_after_ms=1, created_ms=START_MS - HOUR_MS)
        assert "DELAYED" in pair.rules("blue")
        assert "INCIDENT_OPENED" not in pair.rules("blue")
        assert pair.line("blue").count(*PERIOD, drill=False).incidents
