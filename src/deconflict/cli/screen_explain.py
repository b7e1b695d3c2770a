"""One pair of a screening in plain words: how near, where, how high, by which minima."""

from typing import Any

import click
import numpy as np

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.quantity import Altitude, OpenLimit, format_altitude
from deconflict.cli.meeting import Meeting, meeting_of, reference_of
from deconflict.cli.output import clean, feet, metres, sentences
from deconflict.cli.screen_margins import (
    MEASURED,
    Margins,
    as_planned,
    length,
    margins_of,
    minima_words,
)
from deconflict.cli.screen_words import lasting, utc
from deconflict.separation.arrays import SURFACE, UNLIMITED
from deconflict.separation.conflicts import NOT_DEFINED_TMM, VERDICTS, Conflicts
from deconflict.separation.finding import Verdict
from deconflict.separation.labels import NO_LABEL, numbered
from deconflict.separation.minima import AltitudeConversions, Minima
from deconflict.separation.minima_classes import MinimaClasses
from deconflict.separation.said_minima import SaidMinima
from deconflict.separation.screening import screen
from deconflict.units import TMM_PER_METRE

__all__ = ["explain_pair", "headline", "height_words", "if_late"]

# Everything within reach: the pair's nearest approach is then a finding, whatever it is.
EVERYTHING = SaidMinima(Minima(1_000_000.0, 1_000_000_000))
ROUNDED_TMM = 11  # what is told of an altitude: a microsecond of a climb of 1,000 m/s, and a digit
RANGE = "the range of their altitudes"
CONTAINMENT = "their containment"


def headline(found: Conflicts, pair: tuple[str, str], conversions: AltitudeConversions) -> str:
    """Return in a sentence how two stand to each other, as certain as it is and no more."""
    one, other = (clean(name) for name in pair)
    if not len(found):
        return f"No conflict between {one} and {other} under these minima"
    verdicts = {VERDICTS[code] for code in found.verdict.tolist()}
    if verdicts == {Verdict.INCOMPARABLE}:
        return f"{one} and {other} cannot be compared: nothing says how their altitudes compare"
    if Verdict.CONFLICT not in verdicts:
        return f"{one} and {other} may come too close: it is at the edge of their minima"
    surest = [_sure(found, row, conversions) for row in _certain(found)]
    if "" in surest:
        return f"{one} and {other} come too close"
    return f"{one} and {other} come too close when {surest[0]} is counted"


def explain_pair(
    found: Conflicts,
    pair: tuple[str, str],
    *,
    minima: SaidMinima,
    conversions: AltitudeConversions,
    within_parties: bool,
) -> None:
    """Print how two stand to each other, in full."""
    again = f", {len(found)} times" if len(found) > 1 else ""
    click.echo(click.style(f"{headline(found, pair, conversions)}{again}.", bold=bool(len(found))))
    if not len(found):
        said = _without_conflict(found, minima, conversions, within_parties=within_parties)
        click.echo(sentences("\n".join(said), indent=2))
        return
    for row in np.argsort(found.time_in_us, kind="stable").tolist():
        click.echo(sentences("\n".join(_told(found, row, conversions)), indent=2))


def _told(found: Conflicts, row: int, conversions: AltitudeConversions) -> list[str]:
    margins = _margins(found, row, conversions)
    meeting = meeting_of(found, row, conversions)
    both = f"{margins.names[0]} and {margins.names[1]}"
    begin, end = utc(found.time_in_us[row]), utc(found.time_out_us[row], upward=True)
    lasts = lasting(int(found.time_out_us[row] - found.time_in_us[row]))
    said = [
        "Every instant at which some shift within their windows could bring them so near lies "
        f"between {begin} and {end}, {lasts}."
        if any(margins.window_s)
        else f"From {begin} to {end}, {lasts}.",
        *_nearest(found, row, margins, meeting, "In that time they are nearest at"),
        *minima_words(_minima(found, row), margins),
        *_at_the_edge(found, row, margins),
    ]
    verdict = VERDICTS[int(found.verdict[row])]
    bound_m = float(found.margin_lateral_m[row]) - sum(margins.lateral_m)
    if verdict is Verdict.INCOMPARABLE:
        return [*said, _incomparable(margins), f"{both} may be apart and may be not."]
    if verdict is Verdict.WITHIN_TOLERANCE:
        return [
            *said,
            f"This is at the edge: only with {_small(bound_m)} more, the bound of the computation, "
            "does it come under them. That is neither shown nor excluded, and told rather than "
            "left out.",
        ]
    apart = metres(float(found.cpa_distance_m[row]))
    certain = (
        f"the shortest way over the ground between the two places is {apart}, and any geodesic "
        "library gives the same length."
    )
    open_to = _sure(found, row, conversions)
    if not open_to:
        said.append(f"This is certain: {certain}")
    else:
        said.append(f"This distance is certain: {certain}")
        said.append(f"Whether they come too close depends on {open_to}.")
    if margins.contained:
        said.append(_exact_words(as_planned(found, _minima(found, row), conversions), conversions))
    return said


def _at_the_edge(found: Conflicts, row: int, margins: Margins) -> list[str]:
    """Say why two that are nearest as their altitudes come apart are a conflict all the same."""
    vertical_tmm = _vertical_tmm(found, row)
    minimum = int(found.minimum_vertical_tmm[row])
    ends_us = int(found.time_in_us[row]), int(found.time_out_us[row])
    at_an_end = min(abs(int(found.cpa_time_us[row]) - end_us) for end_us in ends_us) <= 2
    if vertical_tmm is None or margins.contained or margins.slack_tmm or not at_an_end:
        return []
    # What is told is rounded to a tenth of a millimetre, and the instants to a microsecond.
    if abs(abs(vertical_tmm) - minimum) > ROUNDED_TMM:
        return []
    return [
        "They are nearest over the ground just as their altitudes reach the minimum; in the rest "
        "of that time they are closer in altitude."
    ]


def _small(bound_m: float) -> str:
    return f"{bound_m:.2f} m" if bound_m >= 0.1 else f"{bound_m * 1000:.2g} mm"


def _certain(found: Conflicts) -> list[int]:
    code = VERDICTS.index(Verdict.CONFLICT)
    return [int(row) for row in np.flatnonzero(found.verdict == code)]


def _sure(found: Conflicts, row: int, conversions: AltitudeConversions) -> str:
    """Return what a conflict hangs on; nothing where both come too close exactly as planned."""
    margins = _margins(found, row, conversions)
    if not margins.contained:
        return "" if _in_any_case(found, row, margins) else RANGE
    exact = as_planned(found, _minima(found, row), conversions)
    if any(_in_any_case(exact, one, margins) for one in _certain(exact)):
        return ""
    return RANGE if _certain(exact) else CONTAINMENT


def _in_any_case(found: Conflicts, row: int, margins: Margins) -> bool:
    """Return True exactly when all of the range of their altitudes is under the minimum."""
    vertical_tmm = _vertical_tmm(found, row)
    minimum = int(found.minimum_vertical_tmm[row])
    return not margins.slack_tmm or (
        vertical_tmm is not None and abs(vertical_tmm) + margins.slack_tmm < minimum
    )


def _exact_words(exact: Conflicts, conversions: AltitudeConversions) -> str:
    if not len(exact):
        return "If both keep exactly to their plans, they do not come too close."
    row = int(exact.nearest_first()[0])
    may = "" if VERDICTS[int(exact.verdict[row])] is Verdict.CONFLICT else "may "
    margins = _margins(exact, row, conversions)
    return (
        f"If both keep exactly to their plans, they {may}come too close as well: at "
        f"{utc(exact.cpa_time_us[row])} they are {metres(float(exact.cpa_distance_m[row]))} apart "
        f"over the ground, and {_above(margins, _vertical_tmm(exact, row))}."
    )


def _nearest(
    found: Conflicts, row: int, margins: Margins, meeting: Meeting, begin: str
) -> list[str]:
    """Return when, if how late, how far apart, where and how high."""
    value: dict[str, Any] = {
        name: column[0] for name, column in found.taken(np.array([row])).columns().items()
    }
    apart_m = float(found.cpa_distance_m[row])
    inside = apart_m == 0.0 and margins.closed
    flies = int(found.first[row]) < len(found.flights)
    how_far = f"{metres(apart_m)} apart over the ground"
    if inside:
        how_far = "inside the outline" if flies else "the outlines meet"
    how_high = _above(margins, _vertical_tmm(found, row))
    first, second = margins.names
    when = f"{begin} {utc(found.cpa_time_us[row])}{if_late(margins, meeting)}"
    said = [f"{when if flies else 'They do not move'}: {how_far}, and {how_high}."]
    if int(found.second[row]) < len(found.flights):
        said.append(
            f"{first} is then at {_place(value, 'first')}, {second} at {_place(value, 'second')}."
        )
    elif flies:
        said.append(
            f"{first} is then at {_place(value, 'first')}"
            + ("." if inside else f", {second} nearest to it at {_place(value, 'second')}.")
        )
    else:
        said.append(
            f"{first} is nearest at {_place(value, 'first')}, {second} at "
            f"{_place(value, 'second')}."
        )
    high = height_words(found, row, margins, meeting)
    return [*said, f"{', '.join(high)}."] if high else said


def height_words(found: Conflicts, row: int, margins: Margins, meeting: Meeting) -> list[str]:
    """Return the altitude of each, with unit and reference, where it is known."""
    return [
        words
        for which, name, tmm in zip(
            (found.first, found.second), margins.names, meeting.altitude_tmm, strict=True
        )
        if (words := _height(found, int(which[row]), name, tmm))
    ]


def if_late(margins: Margins, meeting: Meeting) -> str:
    """Return by which shifts within their windows they meet so; nothing without windows."""
    if not any(margins.window_s):
        return ""
    if meeting.late_s is None:
        return ", for some shift within their windows"
    shifts = [
        f"{name} is {length(abs(late_s))} {'late' if late_s > 0 else 'early'}"
        for name, late_s in zip(margins.names, meeting.late_s, strict=True)
        if abs(late_s) >= 0.05
    ]
    return f", if {' and '.join(shifts)}" if shifts else ", if both are on time"


def _height(found: Conflicts, index: int, name: str, tmm: float | None) -> str:
    reference = reference_of(found, index)
    row = index - len(found.flights)
    if row < 0:
        return "" if tmm is None else f"{name} is at {_altitude(round(tmm), reference)}"
    limits = [
        open_limit.value if int(tmm) == given else _altitude(int(tmm), reference)
        for tmm, given, open_limit in (
            (found.volumes.lower_tmm[row], SURFACE, OpenLimit.SURFACE),
            (found.volumes.upper_tmm[row], UNLIMITED, OpenLimit.UNLIMITED),
        )
    ]
    return f"{name} reaches from {limits[0]} to {limits[1]}"


def _altitude(tmm: int, reference: AltitudeReference) -> str:
    """Return an altitude with its unit and reference.

    >>> _altitude(91_440_000, AltitudeReference.FL)
    'FL300 (pressure altitude)'
    >>> _altitude(91_440_000, AltitudeReference.AMSL)
    '30,000 ft (9,144 m) above mean sea level'
    """
    level = format_altitude(Altitude(reference, tmm))
    if level.startswith("FL"):
        return f"{level} ({MEASURED[reference]})"
    sign = "−" if tmm < 0 else ""
    return f"{sign}{feet(tmm / TMM_PER_METRE)} {MEASURED[reference]}"


def _above(margins: Margins, vertical_tmm: int | None) -> str:
    """Return where the second is above or below the first; a range where one is converted."""
    first, second = margins.names
    if not margins.matter:
        return "no altitude keeps them apart"
    if vertical_tmm is None:
        return "in altitudes that do not compare"
    if margins.slack_tmm and margins.closed:
        off = feet(margins.slack_tmm / TMM_PER_METRE)
        held = f"{second} {_side(vertical_tmm)} {first}" if vertical_tmm else _inside(margins)
        return f"{held}, give or take {off}"
    if margins.slack_tmm:
        low, high = vertical_tmm - margins.slack_tmm, vertical_tmm + margins.slack_tmm
        return f"{second} anywhere from {_side(low)} to {_side(high)} {first}"
    if vertical_tmm == 0:
        return _inside(margins) if margins.closed else "at one altitude"
    return f"{second} {_side(vertical_tmm)} {first}"


def _inside(margins: Margins) -> str:
    first, second = margins.names
    if not margins.flies:
        return "their altitudes meet"
    return f"{first} within the altitudes of {second}"


def _side(tmm: int) -> str:
    return f"{feet(tmm / TMM_PER_METRE)} {'below' if tmm < 0 else 'above'}"


def _incomparable(margins: Margins) -> str:
    first, second = margins.references
    if first == second:
        return (
            f"Their altitudes are both {MEASURED[first]}, which differs from place to place, and "
            "nothing says by how much."
        )
    return (
        f"The altitude of {margins.names[0]} is {MEASURED[first]}, that of {margins.names[1]} "
        f"{MEASURED[second]}, and nothing says how these compare (--altitudes "
        f"{first}:{second}=LEAST,MOST would)."
    )


def _without_conflict(
    found: Conflicts,
    minima: SaidMinima,
    conversions: AltitudeConversions,
    *,
    within_parties: bool,
) -> list[str]:
    said = []
    flights, volumes = found.flights, found.volumes
    shared = set(flights.party.used()) & set(volumes.party.used())
    codes = flights.party.codes
    if len(codes) == 2 and codes[0] == codes[1] != NO_LABEL:
        shared.update(flights.party.used())
    if shared and not within_parties:
        said.append(
            f"Both are of party {clean(shared.pop())}: what is of one party is held against each "
            "other only with --within-parties."
        )
    # How near they come, from a screening with minima beyond reach.
    near = screen(flights, volumes, minima=EVERYTHING, conversions=conversions, within_parties=True)
    if not len(near):
        return [*said, "They are never out at one time within 1,000 km of each other."]
    row = int(np.argmin(near.cpa_distance_m))
    margins = _margins(near, row, conversions)
    meeting = meeting_of(near, row, conversions)
    said += _nearest(near, row, margins, meeting, "Over the ground they are nearest at")
    return [*said, *minima_words(_minima_between(near, row, minima), margins)]


def _minima_between(near: Conflicts, row: int, minima: SaidMinima) -> Minima:
    flights, volumes = near.flights, near.volumes
    classes = MinimaClasses.of(
        minima,
        purposes=numbered([*flights.purpose.used(), *volumes.purpose.used()]),
        parties=numbered([*flights.party.used(), *volumes.party.used()]),
    )
    one, other = (_class(near, int(which[row])) for which in (near.first, near.second))
    return classes.between(one, other)


def _class(found: Conflicts, index: int) -> tuple[str, str | None]:
    flights = len(found.flights)
    part = found.flights if index < flights else found.volumes
    row = index if index < flights else index - flights
    return str(part.purpose.name(row)), part.party.name(row)


def _margins(found: Conflicts, row: int, conversions: AltitudeConversions) -> Margins:
    return margins_of(found, int(found.first[row]), int(found.second[row]), conversions)


def _minima(found: Conflicts, row: int) -> Minima:
    return Minima(float(found.minimum_lateral_m[row]), int(found.minimum_vertical_tmm[row]))


def _vertical_tmm(found: Conflicts, row: int) -> int | None:
    tmm = int(found.cpa_vertical_tmm[row])
    return None if tmm == NOT_DEFINED_TMM else tmm


def _place(value: dict[str, Any], who: str) -> str:
    lat, lon = float(value[f"{who}_lat_deg"]), float(value[f"{who}_lon_deg"])
    return f"{abs(lat):.5f}° {'N' if lat >= 0 else 'S'} {abs(lon):.5f}° {'E' if lon >= 0 else 'W'}"
