"""The figures in what is said: where an aircraft is, what a plot shows."""

import msgspec

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.geodesy import direct, inverse
from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.airspace.position import Position
from deconflict.errors import InvalidDocumentError
from deconflict.messages.bodies import Query, SafetyOfFlight
from deconflict.messages.phrases import phrase_named
from deconflict.messages.wire_form import Level, Place
from deconflict.replay.case import Case
from deconflict.replay.items import MessageItem, TrackItem
from deconflict.units import TMM_PER_FOOT

__all__ = ["query_of", "safety_of", "unplayable"]


def safety_of(case: Case, party: str, at_ms: int, note: str | None) -> SafetyOfFlight:
    """Return a safety message: where the sender's own aircraft is, if it has one."""
    for track in case.tracks:
        seen = figures_of(track, at_ms) if track.party == party else None
        if seen is not None:
            values = msgspec.to_builtins(seen)
            values["where"] = values.pop("position")
            values["course"] = values.pop("course_ddeg")
            values["speed"] = values.pop("speed_mmps")
            values["at"] = values.pop("at_utc")
            return SafetyOfFlight(
                phrase=phrase_named("OWN_AIRCRAFT_HERE").number, values=values, not_binding=note
            )
    # A safety message says where; what the case does not tell stands at a place nobody flies over.
    return SafetyOfFlight(
        phrase=phrase_named("OWN_PERSONNEL_HERE").number,
        values={
            "where": msgspec.to_builtins(Place.of(Position(0, 0))),
            "reach": 1_000,
            "since": format_utc(at_ms),
        },
        not_binding=note or "the case gives no figures",
    )


def query_of(case: Case, item: MessageItem, at_ms: int) -> Query:
    """Return the query of a message: figures of the track it cites, else of the last plot."""
    plots = [
        seen
        for seen in case.observations
        if seen.by == item.from_ and seen.range_m is not None and parse_utc(seen.t) <= at_ms
    ]
    for track in case.tracks:
        figures = figures_of(track, at_ms) if track.id == item.ref else None
        if figures is not None:
            return figures
    for plot in reversed(plots):
        if None not in (plot.observer, plot.azimuth_deg, plot.course_deg):
            return Query(
                position=Place.of(
                    direct(plot.observer.position, plot.azimuth_deg, plot.range_m)  # type: ignore[union-attr, arg-type]
                ),
                level=Level(AltitudeReference.AMSL, 0),
                course_ddeg=round(plot.course_deg * 10) % 3600,  # type: ignore[operator]
                speed_mmps=0,
                at_utc=format_utc(parse_utc(plot.t)),
                not_binding="level and speed were not measured",
            )
    raise unplayable(f"{item.type} at {item.t}", "no track, no plot", "what to ask about")


def figures_of(track: TrackItem, at_ms: int) -> Query | None:
    """Return where a track is, how high, whither and how fast; None before and after it."""
    for one, two in zip(track.points, track.points[1:], strict=False):
        start_ms, end_ms = parse_utc(one.t), parse_utc(two.t)
        if not start_ms <= at_ms <= end_ms:
            continue
        part = (at_ms - start_ms) / (end_ms - start_ms)
        here = Position.from_degrees(one.lat, one.lon)
        there = Position.from_degrees(two.lat, two.lon)
        leg = inverse(here, there)
        return Query(
            position=Place.of(
                Position.from_degrees(
                    one.lat + (two.lat - one.lat) * part, one.lon + (two.lon - one.lon) * part
                )
            ),
            level=Level(
                AltitudeReference.AMSL,
                round((one.alt_ft + (two.alt_ft - one.alt_ft) * part) * TMM_PER_FOOT),
            ),
            course_ddeg=round(leg.azimuth_ab_deg * 10) % 3600,
            speed_mmps=round(leg.distance_m * 1_000_000 / (end_ms - start_ms)),
            at_utc=format_utc(at_ms),
        )
    return None


def unplayable(what: str, given: str, expected: str) -> InvalidDocumentError:
    """Return the error of an item that the format allows and nobody can play."""
    return InvalidDocumentError(
        f"{what} cannot be played", given=given, expected=expected, remedy="see scenarios/README.md"
    )
