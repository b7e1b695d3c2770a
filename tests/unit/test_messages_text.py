"""What a desk reads: messages (R3, R9) and conflict cards (R19, R25, R51) in every language."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Corridor,
    Outline,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
    format_utc,
)
from deconflict.airspace.notation import echo
from deconflict.line.epoch import EpochReason
from deconflict.messages.bodies import Body, Declared, Epoch, parse_body
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.direction import without_isolates
from deconflict.messages.in_force import conversions_of, landmarks_of, minima_of
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_phrases, message_text
from deconflict.messages.phrases import check_values, render, render_named, say_aloud, wording
from deconflict.messages.plain import (
    ConflictCard,
    ConflictSide,
    Unanswered,
    conflict_card,
)
from deconflict.messages.summary import summarise
from deconflict.messages.values import ValueType, write_value
from deconflict.messages.words import LANGUAGES, find_banned
from deconflict.separation import Extent, check, shifts_of
from geometry_strategies import trajectories, volumes
from key_samples import changed
from messages_samples import (
    END_MS,
    OTHER_ID,
    START_MS,
    activity,
    band,
    bodies,
    circle,
    flight,
    terms,
)

TERMS = terms()
SINCE_MS = START_MS - 3_600_000


def aloud(kind: Kind, body: Body, language: str) -> str:
    """Return what is said of a message over a telephone."""
    said = message_phrases(kind, body, party="red", language=language)
    return " ".join(say_aloud(number, values, language) for number, values in said)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_told_in_words_without_banned_ones(kind: Kind, language: str) -> None:
    body = parse_body(kind, bodies()[kind])
    text = message_text(kind, body, party="red", language=language)
    assert text
    assert "{" not in text
    assert find_banned(text) == ()
    script = aloud(kind, body, language)
    assert not re.search(r"\d", script)


def test_a_declaration_tells_place_levels_and_times() -> None:
    text = message_text(Kind.NOTIFY, Declared.of(activity()), party="blue", language="en")
    assert text.startswith("blue declares: activity, declaration d1d1d1d1. Place: 35.1757200, ")
    assert "reaching 2.00 NM (3.70 km) from there" in text
    assert "from 0 ft above mean sea level (0 m) to 25000 ft above mean sea level (7620 m)" in text
    assert "From 2016-09-17 12:45:00Z to 2016-09-17 14:30:00Z." in text


FAR = Position.from_degrees(35.4, 41.0)
PATH = (Position.from_degrees(35.2, 40.0), Position.from_degrees(35.3, 40.5), FAR)


def of_volumes(*outlines: Outline, label: str | None = None) -> Declared:
    volumes = tuple(Volume(one, band(), TimeSpan(START_MS, END_MS)) for one in outlines)
    return Declared.of(replace(activity(*volumes), label=label))


def told(body: Declared, language: str = "en") -> str:
    return message_text(Kind.NOTIFY, body, party="blue", language=language)


def test_a_flight_is_told_from_where_and_when_to_where_and_when() -> None:
    declared = flight()
    assert isinstance(declared.geometry, Trajectory)
    first, last = declared.geometry.waypoints[0], declared.geometry.waypoints[-1]
    text = told(Declared.of(declared))
    assert f"Trajectory of {len(declared.geometry.waypoints)} waypoints: from " in text
    for waypoint in (first, last):
        assert echo(waypoint.position).decimal in text
        assert format_utc(waypoint.at_ms).replace("T", " ").replace(".000Z", "Z") in text
    assert "FL300 (30000 ft pressure altitude, 9144 m), at" in text
    assert "1.00 NM (1.85 km) aside, 300 ft (91.4 m) above or below, 1 min early or late" in text


def test_a_corridor_is_told_by_its_ends_its_width_and_its_length() -> None:
    text = told(of_volumes(Corridor(PATH, 5_556_000)))
    assert "Corridor 3.00 NM (5.56 km) to each side of a path from 35.2000000, 40.0" in text
    assert "to 35.4000000, 41.0000000" in text
    assert "long with 3 places." in text


def test_a_polygon_is_told_by_its_corners_and_its_middle() -> None:
    text = told(of_volumes(Polygon((*PATH[:2], Position.from_degrees(35.6, 40.2)))))
    assert re.search(r"Polygon of 3 corners around 35\.\d+, 40\.\d+ .*, the farthest corner ", text)


def test_of_many_parts_the_first_are_told_and_the_rest_counted() -> None:
    text = told(of_volumes(*(Circle(place, 1_000_000) for place in (*PATH, *PATH))))
    assert text.count("Circle of 0.54 NM (1.00 km) around") == 3
    assert "Part 3 of 6, from" in text
    assert "Further parts: 3" in text


def test_what_is_to_be_read_back_stands_in_every_declaration() -> None:
    body = of_volumes(Corridor(PATH, 5_556_000))
    reach_mm = summarise(body.value.geometry).reach_mm
    reach = write_value(ValueType.DISTANCE, reach_mm, wording("en"))
    assert f"reaching {reach} from there." in told(body)


@pytest.mark.parametrize(("language", "words"), [("en", "Label: ALPHA"), ("ru", "Метка: ALPHA")])
def test_the_label_is_told(language: str, words: str) -> None:
    assert words in told(of_volumes(Circle(FAR, 1_000_000), label="ALPHA"), language)
    script = aloud(Kind.NOTIFY, of_volumes(Circle(FAR, 1_000_000), label="ALPHA"), language)
    assert "ALPHA" not in script


def test_free_text_stands_last_and_is_marked() -> None:
    body = parse_body("NOTIFY", bodies()["NOTIFY"])
    text = message_text(Kind.NOTIFY, body, party="blue", language="ru")
    assert text.endswith("Не имеет обязательной силы: wind from the sea")


def test_a_drill_says_so_first() -> None:
    body = parse_body("CEASE", bodies()["CEASE"])
    text = message_text(Kind.CEASE, body, party="red", language="en", drill=True)
    assert text.startswith("DRILL DRILL DRILL. red requests")


def test_ours_and_yours_say_whose() -> None:
    body = parse_body("SAFETY", bodies()["SAFETY"])
    assert message_text(Kind.SAFETY, body, party="red", language="en").startswith(
        "red: Our aircraft is at 35.4000000"
    )


def test_an_acknowledgement_says_what_it_is_not() -> None:
    body = parse_body("ACK", {"answer": "WILCO"})
    text = message_text(Kind.ACK, body, party="red", language="en")
    assert text == "red answers: will comply. Acknowledged is not permission."


def test_a_cease_about_a_place_names_the_place() -> None:
    wire = {
        "effective_utc": "2016-09-17T13:25:00.000Z",
        "position": {"lat_e7": 352_566_600, "lon_e7": 401_407_900},
        "reach_mm": 5_000_000,
        "reason": 321,
    }
    body = parse_body("CEASE", wire)
    text = message_text(Kind.CEASE, body, party="red", language="en")
    assert "activity within 2.70 NM (5.00 km) of 35.2566600, 40.1407900" in text
    assert text.endswith("effective 2016-09-17 13:25:00Z. Our personnel are there.")


def card(
    first: Declaration, second: Declaration, unanswered: tuple[Unanswered, ...] = ()
) -> ConflictCard:
    sides = {"blue": first, "red": second}
    extents = [
        Extent(party, party, declared.purpose, declared.geometry)
        for party, declared in sides.items()
    ]
    finding = check(extents, minima=minima_of(TERMS), conversions=conversions_of(TERMS))[0]
    by_key = {extent.key: extent for extent in extents}
    return conflict_card(
        finding,
        ConflictSide(finding.first, sides[finding.first]),
        ConflictSide(finding.second, sides[finding.second]),
        landmarks=landmarks_of(TERMS),
        known_since_ms=SINCE_MS,
        unanswered=unanswered,
        shifts=shifts_of(
            finding, by_key[finding.first], by_key[finding.second], conversions_of(TERMS)
        ),
    )


def presence(lower_ft: int | None = None, upper_ft: int | None = 1_000) -> Declaration:
    return activity(
        circle(35.2, 40.15, 1_000_000, band=band(lower_ft, upper_ft)),
        declaration_id=OTHER_ID,
        purpose=Purpose.OWN_PRESENCE,
    )


def test_a_card_says_who_where_when_how_close_which_minimum_since_when_and_what_is_open() -> None:
    waiting = Unanswered(Kind.CONCERN, "red", SINCE_MS + 60_000)
    text = card(activity(), presence(), (waiting,)).text("en")
    assert "blue (activity, d1d1d1d1) and red (own presence, d2d2d2d2)" in text
    assert "From 2016-09-17 12:45:00Z to 2016-09-17 14:30:00Z, 1 h 45 min." in text
    assert re.search(r"Closest at .*: 0 m lateral, 0 ft \(0 m\) vertical\.", text)
    assert re.search(r"Then at 35\.\d{7}, 40\.\d{7} \(35°.*\"N 040°.*\"E; MGRS 37S", text)
    assert "true from Deir ez-Zor airfield: blue, red." in text
    assert "Agreed minimum: 1.08 NM (2.00 km) lateral, 1000 ft (304.8 m) vertical." in text
    assert "Known since 2016-09-17 11:45:00Z." in text
    assert text.endswith("Unanswered: concern to red, sent at 2016-09-17 11:46:00Z.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_says_no_banned_word_and_orders_nothing(language: str) -> None:
    text = card(activity(), presence()).text(language)
    assert find_banned(text) == ()
    orders = r"\b(climb|descend|turn|must|should|do not|набор|снизьтесь|отверните|должны)\b"
    assert not re.search(orders, text, re.IGNORECASE)


def test_two_flights_are_told_apart_from_two_areas() -> None:
    other = flight(declaration_id="d3" * 16)
    text = card(flight(), other).text("en")
    assert "will come closer than the agreed minimum" in text
    assert "Added to it for declared containment and error of calculation: 2.0" in text
    assert text.endswith("Nothing is unanswered.")


def crossing(*, south: bool, window_min: int, later_min: int = 0) -> Declaration:
    """Return a flight of 40 minutes at FL300, over 35.5 N 38.0 E after 20 of them."""
    ends = ((34.5, 38.0), (36.5, 38.0)) if south else ((35.5, 37.0), (35.5, 39.0))
    start_ms = START_MS + later_min * 60_000
    trajectory = Trajectory(
        AltitudeReference.FL,
        tuple(
            Waypoint(at_ms, Position.from_degrees(*end), 91_440_000)
            for at_ms, end in zip((start_ms, start_ms + 2_400_000), ends, strict=True)
        ),
        Containment(time_ms=window_min * 60_000),
    )
    return flight(geometry=trajectory, declaration_id=f"{1 + south:032x}")


def test_a_card_of_two_windows_says_by_which_shifts_and_how_long_they_are() -> None:
    text = card(
        crossing(south=False, window_min=0), crossing(south=True, window_min=20, later_min=21)
    ).text("en")
    assert "will come closer" not in text
    assert "come closer than the agreed minimum when their declared containment is counted" in text
    assert "red declared that it may be up to 20 min early or late." in text
    assert "blue declared" not in text
    assert "some shift within these windows could bring them so near lies between" in text
    assert "So near they come if blue is on time." in text
    assert re.search(r"So near they come if red is (1\d|20) min .*early\.", text)
    assert "If both keep exactly to their plans, they do not come closer" in text


def test_flights_that_meet_on_time_will_come_closer_whatever_their_windows() -> None:
    text = card(crossing(south=False, window_min=1), crossing(south=True, window_min=1)).text("en")
    assert "will come closer than the agreed minimum" in text
    assert "blue declared that it may be up to 1 min early or late." in text
    assert "If both keep exactly to their plans, they come closer" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_windows_do_is_told_without_banned_words(language: str) -> None:
    text = card(
        crossing(south=False, window_min=5), crossing(south=True, window_min=20, later_min=24)
    ).text(language)
    assert find_banned(text) == ()


def test_margin_between_two_altitude_references_is_named_as_what_it_is() -> None:
    levels = AltitudeBand(AltitudeReference.W84, 0, 3_048_000)
    area = activity(circle(35.2, 40.15, 1_000_000, band=levels), declaration_id=OTHER_ID)
    found = card(activity(), area)
    assert found.margin_vertical_tmm == found.margin_reference_tmm == 1_000_000
    text = found.text("en")
    margin = "Added to it as the agreed margin between the two altitude references: "
    assert f"{margin}328 ft (100 m) vertical." in text
    assert "между двумя системами отсчёта высоты: 100 м (328 ft)" in found.text("ru")


def test_one_reference_has_no_margin_of_its_own() -> None:
    found = card(activity(), presence())
    assert found.margin_reference_tmm == 0
    assert "references" not in found.text("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_parties_at_one_place_share_a_sentence(language: str) -> None:
    text = without_isolates(card(activity(), presence()).text(language))
    assert ": blue, red." in text
    assert "is then" not in text


def test_levels_that_do_not_compare_are_told_as_a_possible_conflict() -> None:
    area = activity(circle(35.4, 36.0, 40_000_000, band=band(19_000, 33_000)))
    found = card(flight(), area)
    text = found.text("en")
    assert found.closest_vertical_tmm is None
    assert "the terms name no conversion between their altitude references" in text
    assert "vertical distance unknown" in text


def test_an_instant_is_told_as_one() -> None:
    before = activity(circle(span=TimeSpan(START_MS, START_MS + 60_000)))
    after = activity(circle(span=TimeSpan(START_MS + 60_000, END_MS)), declaration_id=OTHER_ID)
    assert "At 2016-09-17 12:46:00Z. Closest at" in card(before, after).text("en")


def test_alerts_are_told_by_the_name_of_their_phrase() -> None:
    values = {
        "peer": "red",
        "kind": "CEASE",
        "sent": "2016-09-17T13:25:00.000Z",
        "limit": 30_000,
    }
    assert render_named("NO_ANSWER", values, "en") == (
        "NO ANSWER from red to cease request sent at 2016-09-17 13:25:00Z; the limit was 30 s. "
        "No answer is not consent."
    )
    assert "Отсутствие ответа не есть согласие" in render_named("NO_ANSWER", values, "ru")


def test_flight_levels_are_told_as_such() -> None:
    body = Declared.of(flight())
    text = message_text(Kind.NOTIFY, body, party="blue", language="en")
    assert "from FL200 (20000 ft pressure altitude, 6096 m) to FL320" in text
    assert flight().geometry.reference is AltitudeReference.FL  # type: ignore[union-attr]


def test_a_fresh_epoch_claims_no_more_than_the_line_carries() -> None:
    """RESTORED is said of a start that nobody answered as well as of a copy put back."""
    restored = parse_body("EPOCH", bodies()["EPOCH"])
    said = message_text(Kind.EPOCH, restored, party="red", language="en")
    assert "which of these, red alone can say" in said
    for reason in ("before the other side has answered it", "guard", "put back from a copy"):
        assert reason in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fresh_epoch_for_another_key_does_not_speak_of_a_copy(language: str) -> None:
    body = Epoch(follows=None, reason=EpochReason.KEY_CHANGED, key=changed())
    said = message_text(Kind.EPOCH, body, party="red", language=language)
    assert {"en": "another key", "ru": "другой ключ", "ar": "بمفتاح آخر"}[language] in said
    assert {"en": "copy", "ru": "копии", "ar": "نسخة"}[language] not in said


@given(st.one_of(trajectories(), st.lists(volumes, min_size=1, max_size=5).map(tuple)))
def test_figures_of_a_sound_declaration_would_pass_if_they_were_looked_at(
    geometry: Trajectory | tuple[Volume, ...],
) -> None:
    """So a desk's words for it need not look at each again."""
    body = Declared.of(Declaration("0a" * 16, Purpose.FLIGHT, geometry))
    for number, values in message_phrases(Kind.NOTIFY, body, party="red", language="en"):
        assert check_values(number, values) == values
        for language in LANGUAGES:
            assert render(number, values, language, sound=True) == render(number, values, language)
