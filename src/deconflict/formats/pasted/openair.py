"""OpenAir, as glider pilots and airspace services write it: a block of commands an airspace.

Read are AC, AN, AL, AH, DP, DC, DA, DB, DY and V. A command that has a place and is not understood
leaves its airspace out; every other is told. Source: OpenAir terrain and airspace description
language 0.92 (WinPilot, 1998), and the extended format of Naviter (2024).
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.geodesy import direct
from deconflict.airspace.notation import MAX_POSITION_TEXT, parse_position
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.quantity import Altitude, OpenLimit
from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError, InvalidGeometryError
from deconflict.formats.pasted.arcs import Arc, excess_m, ring_around
from deconflict.formats.pasted.draft import BareShape, DraftVolume, Limit, ReadDraft
from deconflict.formats.pasted.gathering import Gathering
from deconflict.formats.pasted.losses import LossReport, quoted
from deconflict.units import (
    FEET_PER_FLIGHT_LEVEL,
    MILLIMETRES_PER_NAUTICAL_MILE,
    TMM_PER_FOOT,
    TMM_PER_METRE,
)

__all__ = ["looks_like_openair", "read_openair"]

MAX_LINES: Final = 400_000
MAX_DRAWN: Final = 50_000  # lines that name places: to read one takes a tenth of a millisecond
_LONGEST_LINE: Final = 1_000
_MAX_ARCS: Final = 500  # in one airspace
_MAX_ARCS_IN_ALL: Final = 5_000  # of a document: each is a hundred geodesics
_SIGN: Final = re.compile(
    r"^[ \t]*(?:D[PB][ \t]+[0-9]|DC[ \t]+[0-9.]|DA[ \t]+[0-9.]|V[ \t]+[XDW][ \t]*=)",
    re.ASCII | re.MULTILINE | re.IGNORECASE,
)
_COMMAND: Final = re.compile(r"([A-Za-z]{1,2})(?:[ \t]+(.*))?", re.DOTALL)
_ASSIGN: Final = re.compile(r"([A-Za-z])[ \t]*=[ \t]*(.+)", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?|\.[0-9]{1,12}", re.ASCII)
_LEVEL: Final = re.compile(r"FL[ ]*([0-9]{1,3})", re.ASCII)
_HEIGHT: Final = re.compile(
    r"([0-9]{1,6}(?:\.[0-9]{1,4})?) ?(FT|F|FEET|M)?[ ]*(AMSL|MSL|ALT|AGL|GND|SFC|ASFC|STD)?",
    re.ASCII,
)
_REFERENCES: Final = {
    "AMSL": AltitudeReference.AMSL,
    "MSL": AltitudeReference.AMSL,
    "ALT": AltitudeReference.AMSL,
    "AGL": AltitudeReference.AGL,
    "GND": AltitudeReference.AGL,
    "SFC": AltitudeReference.AGL,
    "ASFC": AltitudeReference.AGL,
    "STD": AltitudeReference.FL,
}
# Without a place: pens and brushes, labels, and what the extended format says beside the shape.
_WITHOUT_PLACE: Final = frozenset({"AT", "SP", "SB", "AY", "AI", "AF", "AG", "AX", "AA"})
_TERRAIN: Final = frozenset({"TO", "TC", "TX"})


def looks_like_openair(text: str) -> bool:
    """True exactly when a line of the text is a command that draws."""
    return _SIGN.search(text) is not None


def read_openair(text: str, losses: LossReport) -> tuple[ReadDraft, ...]:
    """Return a draft for each airspace.

    Raises:
        InvalidDocumentError: too many or too long lines, or nothing that can be declared.
        InvalidInputError: why the first airspace cannot be, where none of them can.
    """
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise InvalidDocumentError(
            "there are too many lines", given=f"{len(lines)}", expected=f"at most {MAX_LINES}"
        )
    gathering = Gathering(losses)
    drawn = 0
    block = _Block(0, 1)
    pen = _Pen()

    def close(one: "_Block") -> None:
        if one.lines:
            gathering.take(f"airspace of line {one.line}", lambda: one.draft(losses, pen))

    for number, line in enumerate(lines, start=1):
        said = line.partition("*")[0].strip()
        if not said:
            continue
        if len(said) > _LONGEST_LINE:
            raise InvalidDocumentError(
                f"line {number} is too long", expected=f"at most {_LONGEST_LINE} characters"
            )
        match = _COMMAND.fullmatch(said)
        command = "" if match is None else match[1].upper()
        drawn += command.startswith(("D", "V"))
        if drawn > MAX_DRAWN:
            raise InvalidDocumentError(
                "the document draws too much",
                expected=f"at most {MAX_DRAWN:,} lines that draw",
                remedy="split it",
            )
        if command in {"AC", *_TERRAIN} and block.lines:
            close(block)
            block = _Block(len(gathering.drafts), number)
        elif not block.lines:
            block = _Block(len(gathering.drafts), number)
        argument = "" if match is None or match[2] is None else match[2].strip()
        block.lines.append((number, command, argument or said))
    close(block)
    return gathering.all("OpenAir text")


@dataclass(slots=True)
class _Pen:
    """What ``V`` has set; the centre stays from airspace to airspace, the direction does not."""

    center: Position | None = None
    clockwise: bool = True
    width_mm: int | None = None
    arcs: int = 0  # of the whole document


@dataclass(slots=True)
class _Block:
    """The commands of one airspace, each with its line."""

    index: int
    line: int
    lines: list[tuple[int, str, str]] = field(default_factory=list)
    name: str | None = None
    lower: Limit | None = None
    upper: Limit | None = None
    ring: list[Position | Arc] = field(default_factory=list)
    airway: list[Position] = field(default_factory=list)
    outlines: list[Outline | BareShape] = field(default_factory=list)
    arcs: int = 0

    def draft(self, losses: LossReport, pen: _Pen) -> ReadDraft | None:
        """Return what the commands draw; None for nothing."""
        pen.clockwise = True
        for number, command, argument in self.lines:
            with located(f"line {number}"):
                self._obey(command, argument, number, pen, losses)
        where = f"airspace of line {self.line}"
        if self.ring:
            self.outlines.append(self._polygon(losses, where))
        if self.airway:
            path = tuple(self.airway)
            self.outlines.append(
                BareShape("corridor", path)
                if pen.width_mm is None
                else Corridor(path, math.ceil(pen.width_mm / 2))
            )
        if not self.outlines:
            losses.set_aside("airspace without a shape", where)
            return None
        volumes = tuple(DraftVolume(one, self.lower, self.upper) for one in self.outlines)
        return ReadDraft(self.index, where, volumes, name=self.name)

    def _obey(
        self, command: str, argument: str, number: int, pen: _Pen, losses: LossReport
    ) -> None:
        where = f"line {number}"
        draws = {
            "DP": self._point,
            "DY": self._leg,
            "DC": self._circle,
            "DA": self._arc_by_angles,
            "DB": self._arc_by_ends,
        }
        if command in draws:
            draw: Callable[[str, _Pen], None] = draws[command]
            draw(argument, pen)
        elif command == "V":
            _assign(argument, pen)
        elif command == "AN":
            self.name = argument[:80]
        elif command == "AC":
            losses.set_aside("class of airspace (AC)", where)
        elif command in {"AL", "AH"}:
            limit = _limit(argument, where, losses)
            if command == "AL":
                self.lower = limit
            else:
                self.upper = limit
        elif command in _WITHOUT_PLACE:
            losses.set_aside(f"command {command}", where)
        elif command in _TERRAIN:
            raise InvalidDocumentError(
                "terrain is not declared", given=command, expected="airspaces: AC"
            )
        elif command.startswith("D"):
            raise InvalidDocumentError(
                "this command draws something that is not understood",
                given=quoted(f"{command} {argument}"), expected="DP, DC, DA, DB or DY",
            )  # fmt: skip
        else:
            losses.set_aside(f"command {quoted(command or argument)}", where)

    def _point(self, argument: str, _pen: _Pen) -> None:
        self.ring.append(_place(argument))

    def _leg(self, argument: str, _pen: _Pen) -> None:
        place = _place(argument)
        if not self.airway or self.airway[-1] != place:
            self.airway.append(place)

    def _circle(self, argument: str, pen: _Pen) -> None:
        self.outlines.append(Circle(_center(pen), _miles_mm(argument)))

    def _arc_by_angles(self, argument: str, pen: _Pen) -> None:
        parts = [part.strip() for part in argument.split(",")]
        if len(parts) != 3:
            raise InvalidDocumentError(
                "an arc by angles needs three numbers", given=quoted(argument),
                expected="DA radius,angle of its start,angle of its end",
            )  # fmt: skip
        radius_mm = _miles_mm(parts[0])
        center = _center(pen)
        angles = [_number(part) for part in parts[1:]]
        if any(angle > 360.0 for angle in angles):
            raise InvalidDocumentError(
                "an angle is out of range", given=quoted(argument), expected="0 to 360 degrees"
            )
        if angles[0] % 360.0 == angles[1] % 360.0 and len(self.ring) == 0:
            self.outlines.append(Circle(center, radius_mm))
            return
        start, end = (direct(center, angle, radius_mm / 1000) for angle in angles)
        self._arc(Arc(center, start, end, pen.clockwise), pen)

    def _arc_by_ends(self, argument: str, pen: _Pen) -> None:
        parts = [part.strip() for part in argument.split(",")]
        if len(parts) != 2:
            raise InvalidDocumentError(
                "an arc by its ends needs two places", given=quoted(argument),
                expected="DB place of its start, place of its end",
            )  # fmt: skip
        start, end = _place(parts[0]), _place(parts[1])
        self._arc(Arc(_center(pen), start, end, pen.clockwise), pen)

    def _arc(self, arc: Arc, pen: _Pen) -> None:
        self.arcs += 1
        pen.arcs += 1
        if self.arcs > _MAX_ARCS or pen.arcs > _MAX_ARCS_IN_ALL:
            raise InvalidGeometryError(
                "there are too many arcs",
                expected=f"at most {_MAX_ARCS} in an airspace, {_MAX_ARCS_IN_ALL:,} in a document",
                remedy="split it",
            )
        self.ring.append(arc)

    def _polygon(self, losses: LossReport, where: str) -> Polygon:
        arcs = [part for part in self.ring if isinstance(part, Arc)]
        polygon = Polygon(ring_around(self.ring))
        if arcs:
            radii_m = [arc.radii_m for arc in arcs]
            apart_m = max(abs(pair[0] - pair[1]) for pair in radii_m)
            bound_m = excess_m(max(max(pair) for pair in radii_m)) + apart_m
            losses.changed(
                where,
                f"{len(arcs)} {'arc is' if len(arcs) == 1 else 'arcs are'} drawn as edges that "
                f"hold the whole shape and reach at most {bound_m:,.1f} m beyond it",
            )
            if apart_m > 1.0:
                losses.changed(
                    where,
                    f"the ends of an arc lie {apart_m:,.0f} m differently far from its centre: "
                    "its radius is taken to change evenly",
                )
        return polygon


def _assign(argument: str, pen: _Pen) -> None:
    match = _ASSIGN.fullmatch(argument)
    name = "" if match is None else match[1].upper()
    value = "" if match is None else match[2].strip()
    if name == "X":
        pen.center = _place(value)
    elif name == "D" and value in {"+", "-"}:
        pen.clockwise = value == "+"
    elif name == "W":
        pen.width_mm = _miles_mm(value)
    elif name != "Z":  # the zoom at which it is shown
        raise InvalidDocumentError(
            "this variable is not understood", given=quoted(f"V {argument}"),
            expected="V X=place, V D=+ or -, V W=width in NM",
        )  # fmt: skip


def _center(pen: _Pen) -> Position:
    if pen.center is None:
        raise InvalidDocumentError(
            "a circle or an arc has no centre", expected="V X=place in a line before it"
        )
    return pen.center


def _place(text: str) -> Position:
    return parse_position(text[: MAX_POSITION_TEXT + 1])


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise InvalidDocumentError(
            "this is no number", given=quoted(text), expected="a number, decimals with a point"
        )
    return float(text)


def _miles_mm(text: str) -> int:
    """Return a distance in nautical miles as millimetres, rounded up: a circle is never smaller."""
    return math.ceil(round(_number(text) * MILLIMETRES_PER_NAUTICAL_MILE, 3))


def _limit(text: str, where: str, losses: LossReport) -> Limit | None:
    """Return a floor or ceiling; None, and a loss that says why, where it cannot be known."""
    plain = " ".join(text.upper().replace(",", "").split()) if "," not in text else ""
    if plain in {"GND", "SFC", "0", "0 AGL", "0FT AGL", "0 FT AGL", "0 GND", "SURFACE"}:
        return OpenLimit.SURFACE
    if plain in {"UNL", "UNLIM", "UNLIMITED"}:
        return OpenLimit.UNLIMITED
    level = _LEVEL.fullmatch(plain)
    if level is not None:
        feet = int(level[1]) * FEET_PER_FLIGHT_LEVEL
        return Altitude(AltitudeReference.FL, feet * TMM_PER_FOOT)
    match = _HEIGHT.fullmatch(plain)
    if match is None:
        losses.set_aside(f"limit {quoted(text)}, which is no altitude", where)
        return None
    if match[3] is None:
        losses.changed(where, f"{text[:40]} is taken as above mean sea level, which OpenAir means")
    if match[2] is None:
        losses.changed(where, f"{text[:40]} is taken as feet, which OpenAir means")
    unit = TMM_PER_METRE if match[2] == "M" else TMM_PER_FOOT
    reference = _REFERENCES[match[3] or "AMSL"]
    return Altitude(reference, round(float(match[1]) * unit))
