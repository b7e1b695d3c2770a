"""``deconflict declare --interactive``: asked step by step, every place echoed before it counts.

A wrong place is the oldest way to hit the wrong one. So whatever is pasted comes back in every
notation, with distance and bearing from the nearest agreed landmark, and a person confirms it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Corridor,
    Geometry,
    Outline,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
    format_utc,
    geometry_to_wire,
    parse_utc,
)
from deconflict.airspace.landmark import Landmark
from deconflict.airspace.notation import parse_position
from deconflict.airspace.quantity import (
    Altitude,
    OpenLimit,
    parse_altitude,
    parse_band,
    parse_distance,
    parse_duration,
    parse_height,
)
from deconflict.cli.echoing import heading
from deconflict.cli.output import clean
from deconflict.cli.places import geometry_lines, place_words
from deconflict.cli.reply import show_readback
from deconflict.errors import InvalidAltitudeError, InvalidInputError, InvalidTimeError
from deconflict.messages.declaration import MAX_LABEL, Declaration, Purpose
from deconflict.messages.readback import readback_of
from deconflict.messages.words import check_text, check_words

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["ask_declaration"]

T = TypeVar("T")

PURPOSES = {
    "FLIGHT": "own aircraft fly there",
    "ACTIVITY": "own forces act there, or drop or fire something",
    "HAZARD": "something there endangers whoever enters",
    "OWN_PRESENCE": "own people are there, to be kept safe",
    "PROTECTED_SITE": "a hospital, a convoy, a camp, to be kept safe",
}
SHAPES = ("circle", "polygon", "corridor", "trajectory")
ANY_NOTATION = "any notation: 35.4012, 35.9487 · 35 24 04 N 35 56 55 E · 36SYE6779321530"


def ask_declaration(node: "NodeClient", *, drill: bool = False) -> dict[str, Any]:
    """Return one declaration that a person gave and confirmed, as the node's API takes it.

    Args:
        node: whose agreed landmarks are named at each place.
        drill: said in the last look; the exercise itself is marked by the caller.

    Raises:
        click.Abort: the person does not confirm it, or stops.
    """
    landmarks = _landmarks(node)
    click.echo("Why do you tell it?")
    for name, meaning in PURPOSES.items():
        click.echo(f"  {name.replace('_', ' ').lower():<15} {meaning}")
    purpose = _choose("Purpose", [name.replace("_", " ").lower() for name in PURPOSES])
    shape = _choose("Shape", SHAPES if purpose == "flight" else SHAPES[:3])
    geometry: Geometry
    if shape == "trajectory":
        geometry = _trajectory(landmarks)
    else:
        outline = _outline(shape, landmarks)
        band = _ask(_band)
        span = _ask(_span)
        geometry = (Volume(outline, band, span),)
    label = _ask(_label)
    draft: dict[str, Any] = {
        "purpose": purpose.upper().replace(" ", "_"),
        "geometry": geometry_to_wire(geometry),
        "label": label or None,
    }
    click.echo(f"\nTo be declared: {heading(draft, drill=drill)}\n")
    for line in geometry_lines(geometry, landmarks):
        click.echo(f"  {line}")
    click.echo("\nWhat the peer will be asked to read back:\n")
    show_readback(
        readback_of(Declaration("0" * 32, Purpose(draft["purpose"]), geometry), landmarks)
    )
    click.confirm("Is all of it right?", abort=True)
    return draft


def _outline(shape: str, landmarks: Sequence[Landmark]) -> Outline:
    if shape == "circle":
        center = _place("Centre", landmarks)
        return Circle(center, _asked("Radius (10 NM, 5 km, 800 m)", parse_distance))
    if shape == "corridor":
        half = _asked("Half width, to each side (5 NM, 2 km)", parse_distance)
        return _of_places(
            "Place on the path", landmarks, least=2, make=lambda way: Corridor(tuple(way), half)
        )
    return _of_places("Corner", landmarks, least=3, make=lambda ring: Polygon(tuple(ring)))


def _of_places(
    question: str,
    landmarks: Sequence[Landmark],
    *,
    least: int,
    make: Callable[[Sequence[Position]], Outline],
) -> Outline:
    """Return the outline through places; when they make none, one of them is typed again."""
    places = _places(question, landmarks, least=least)
    while True:
        try:
            return make(places)
        except InvalidInputError as error:
            _say(error)
        click.echo(
            f"    Edge 0 runs from {question.lower()} 1 to 2, edge 1 from 2 to 3, and so on."
        )
        wrong = click.prompt(
            f"Which {question.lower()} is to be typed again? (1 to {len(places)}; 0 for all)",
            type=click.IntRange(0, len(places)),
        )
        if wrong == 0:
            places = _places(question, landmarks, least=least)
        else:
            places[wrong - 1] = _place(f"{question} {wrong}", landmarks)


def _band() -> AltitudeBand:
    click.echo("Altitudes with unit and reference: FL210 · 3000 ft AMSL · 900 m W84 · SFC · UNL")
    lower = click.prompt("Floor")
    upper = click.prompt("Ceiling")
    return parse_band(lower, upper)


def _span() -> TimeSpan:
    click.echo("Times in UTC, as 2015-09-30T06:12:00Z")
    start = _asked("From", parse_utc)
    return TimeSpan(start, _asked("To", parse_utc))


def _label() -> str:
    text: str = click.prompt(
        "Label, if you like (the peer sees it)", default="", show_default=False
    )
    # What the node would refuse at the end is refused here, where it costs one line.
    return check_words(check_text(text, what="label", max_chars=MAX_LABEL)) if text else ""


def _trajectory(landmarks: Sequence[Landmark]) -> Trajectory:
    click.echo("Waypoints in order of time; an empty place ends them.")
    reference, first = _ask(lambda: _waypoint(_place("Place 1", landmarks), None, None))
    waypoints = [first]

    def following() -> Waypoint | None:
        number = len(waypoints) + 1
        place = (_place_or_end if number > 2 else _place)(f"Place {number}", landmarks)
        return None if place is None else _waypoint(place, reference, waypoints[-1])[1]

    while (waypoint := _ask(following)) is not None:
        waypoints.append(waypoint)
    click.echo("How far may the flight be from this plan?")
    lateral = _asked("  To each side (1 NM, 500 m)", parse_distance)
    vertical = _asked("  Above and below (500 ft, 100 m)", parse_height)

    def whole(text: str) -> Trajectory:
        contained = Containment(lateral, vertical, parse_duration(text))
        return Trajectory(reference, tuple(waypoints), contained)

    return _asked("  Early or late (60 s, 2 min)", whole)


def _waypoint(
    place: Position, reference: AltitudeReference | None, before: Waypoint | None
) -> tuple[AltitudeReference, Waypoint]:
    """Return the waypoint at a place, and its altitude's reference.

    Held against what stands before it at once: a slip costs the value it is in, not the flight.
    """
    at_ms = _asked("  UTC", lambda text: _later(text, before))
    altitude = _asked("  Altitude (FL210, 3000 ft AMSL)", lambda text: _flown(text, reference))
    found = Waypoint(at_ms, place, altitude.tmm)
    if before is not None:
        Trajectory(altitude.reference, (before, found))  # a leg that cannot be is refused here
    return altitude.reference, found


def _later(text: str, before: Waypoint | None) -> int:
    at_ms = parse_utc(text)
    if before is not None and at_ms <= before.at_ms:
        raise InvalidTimeError(
            "a waypoint is not later than the one before it",
            given=text,
            expected=f"later than {format_utc(before.at_ms)}",
        )
    return at_ms


def _flown(text: str, reference: AltitudeReference | None) -> Altitude:
    altitude = parse_altitude(text)
    if isinstance(altitude, OpenLimit):
        raise InvalidAltitudeError(
            "a flight needs an altitude", given=text, expected="such as FL210 or 3000 ft AMSL"
        )
    if reference not in (None, altitude.reference):
        raise InvalidAltitudeError(
            "one flight has one altitude reference",
            given=text,
            expected=f"{reference}, as at the first waypoint",
        )
    return altitude


def _places(question: str, landmarks: Sequence[Landmark], *, least: int) -> list[Position]:
    click.echo("One place a line; an empty line ends them.")
    found: list[Position] = []
    while True:
        ask = _place_or_end if len(found) >= least else _place
        place = ask(f"{question} {len(found) + 1}", landmarks)
        if place is None:
            return found
        found.append(place)


def _place(question: str, landmarks: Sequence[Landmark]) -> Position:
    """Return a confirmed place."""
    while (place := _place_or_end(question, landmarks)) is None:
        click.echo(f"  {ANY_NOTATION}")
    return place


def _place_or_end(question: str, landmarks: Sequence[Landmark]) -> Position | None:
    """Return a confirmed place, or None when the person ends the list."""
    while True:
        typed = click.prompt(question, default="", show_default=False)
        if not typed:
            return None
        try:
            position = parse_position(typed)
        except InvalidInputError as error:
            _say(error)
            continue
        for line in place_words(position, landmarks):
            click.echo(f"    {line}")
        if click.confirm("  Is this the place?", default=None):
            return position


def _choose(question: str, words: Sequence[str]) -> str:
    chosen: str = click.prompt(question, type=click.Choice(words, case_sensitive=False))
    return chosen


def _asked(question: str, read: Callable[[str], T]) -> T:
    return _ask(lambda: read(click.prompt(question)))


def _ask(step: Callable[[], T]) -> T:
    """Return what the step reads; what cannot be is said, and the step asked again."""
    while True:
        try:
            return step()
        except InvalidInputError as error:
            _say(error)


def _say(error: InvalidInputError) -> None:
    click.echo(click.style(f"  {clean(error.problem)}", fg="red"))
    for label, value in (
        ("given", error.given),
        ("expected", error.expected),
        ("to do", error.remedy),
    ):
        if value:
            click.echo(f"    {label}: {clean(value)}")


def _landmarks(node: "NodeClient") -> list[Landmark]:
    from deconflict.cli.check import landmarks_of

    known = landmarks_of(node) if node.may("read") else []
    return [Landmark(name, position) for name, position in known]
