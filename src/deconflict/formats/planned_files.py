"""Plans from files of any format that a screening reads, each as the declaration it would be."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.geometry import Geometry, check_volumes
from deconflict.airspace.instant import TimeSpan
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Containment, Trajectory, Waypoint, merge_repeated
from deconflict.airspace.volume import Volume
from deconflict.airspace.where import located
from deconflict.formats.declaration_input import DeclarationInput
from deconflict.formats.geojson_stream import FeatureNames
from deconflict.formats.screen_files import ReadPart, read_parts
from deconflict.separation.arrays import CIRCLE, CORRIDOR, SURFACE, UNLIMITED
from deconflict.separation.flights import Flights
from deconflict.separation.screening import require_names_apart
from deconflict.separation.volumes import Volumes

__all__ = ["Planned", "read_planned_file"]

REFERENCES: Final = tuple(AltitudeReference)
SLIGHT: Final = 1e-6  # of a unit: what multiplying by 1,000 may add to a whole number of them


@dataclass(frozen=True, slots=True)
class Planned:
    """A flight, or the volumes of one declaration, as a file has it.

    Attributes:
        said: as it would be declared: places to 1e-7 degrees, times to the millisecond.
        name: what findings are told with; one of a kind among the flights and volumes of a file.
        number: of its row, line or feature, as refusals count them.
    """

    said: DeclarationInput
    name: str
    number: int


def read_planned_file(
    path: Path,
    *,
    reference: AltitudeReference | None = None,
    ignore: frozenset[str] = frozenset(),
    threads: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Planned, ...]:
    """Return what a file of any format that `read_screen_files` reads plans, in its order.

    It is read by the same code. Places and times are rounded to what a declaration can say;
    containment, windows and radii upward, so that nothing becomes less than it was.

    Args:
        path, reference, ignore, threads, advance: as `read_screen_files` takes them.

    Raises:
        InvalidInputError, MissingExtraError: as `read_screen_files`; and a flight or volume that
            cannot be declared, named by file and row: more than 10,000 waypoints, a time before
            1970.
    """
    planned: list[Planned] = []
    flights: list[Flights] = []
    volumes: list[Volumes] = []
    for part in read_parts(
        path, reference=reference, ignore=ignore, threads=threads, advance=advance
    ):
        named = part.names()
        planned += _flights(part, named)
        planned += _areas(part, named)
        flights += [part.flights] if len(part.flights) else []
        volumes += [part.volumes] if len(part.volumes) else []
    require_names_apart(Flights.joined(flights), Volumes.joined(volumes))
    return tuple(sorted(planned, key=lambda one: one.number))


def _flights(part: ReadPart, named: Mapping[int, FeatureNames]) -> Iterator[Planned]:
    flights = part.flights
    for row in range(len(flights)):
        points = slice(int(flights.offsets[row]), int(flights.offsets[row + 1]))
        with located(_where(flights, row)):
            geometry = Trajectory(
                REFERENCES[int(flights.reference[row])],
                merge_repeated(
                    [
                        Waypoint(round(time_s * 1000), Position.from_degrees(lat, lon), tmm)
                        for time_s, lat, lon, tmm in zip(
                            flights.time_s[points].tolist(),
                            flights.lat_deg[points].tolist(),
                            flights.lon_deg[points].tolist(),
                            flights.altitude_tmm[points].tolist(),
                            strict=True,
                        )
                    ]
                ),
                Containment(
                    _thousandths(float(flights.lateral_m[row])),
                    int(flights.vertical_tmm[row]),
                    _thousandths(float(flights.window_s[row])),
                ),
            )
            yield _planned(flights, row, geometry, named)


def _areas(part: ReadPart, named: Mapping[int, FeatureNames]) -> Iterator[Planned]:
    volumes = part.volumes
    if not len(volumes):
        return
    begins = np.flatnonzero(np.diff(volumes.item, prepend=volumes.item[:1] + np.uint32(1)))
    for start, end in zip(begins.tolist(), [*begins[1:].tolist(), len(volumes)], strict=True):
        with located(_where(volumes, start)):
            geometry = check_volumes(tuple(_volume(volumes, row) for row in range(start, end)))
            yield _planned(volumes, start, geometry, named)


def _volume(volumes: Volumes, row: int) -> Volume:
    points = slice(int(volumes.offsets[row]), int(volumes.offsets[row + 1]))
    places = tuple(
        Position.from_degrees(lat, lon)
        for lat, lon in zip(
            volumes.lat_deg[points].tolist(), volumes.lon_deg[points].tolist(), strict=True
        )
    )
    lower, upper = int(volumes.lower_tmm[row]), int(volumes.upper_tmm[row])
    return Volume(
        _outline(int(volumes.shape[row]), places, _thousandths(float(volumes.reach_m[row]))),
        AltitudeBand(
            REFERENCES[int(volumes.reference[row])],
            None if lower == SURFACE else lower,
            None if upper == UNLIMITED else upper,
        ),
        TimeSpan(
            math.floor(volumes.start_s[row] * 1000 + SLIGHT),
            math.ceil(volumes.end_s[row] * 1000 - SLIGHT),
        ),
    )


def _outline(shape: int, places: tuple[Position, ...], reach_mm: int) -> Outline:
    if shape == CIRCLE:
        return Circle(places[0], reach_mm)
    return Corridor(places, reach_mm) if shape == CORRIDOR else Polygon(places)


def _planned(
    held: Flights | Volumes, row: int, geometry: Geometry, named: Mapping[int, FeatureNames]
) -> Planned:
    if held.ids is None or held.rows is None:
        raise AssertionError("what is read from a file has names and rows")
    name, number = str(held.ids[row]), int(held.rows.number[row])
    # In tables the name is all there is.
    names = named.get(number) or FeatureNames(None, None, name)
    said = DeclarationInput(
        purpose=held.purpose.name(row) or "",
        geometry=geometry,
        label=names.label,
        declaration_id=names.declaration_id,
        source_index=number,
        feature_id=names.feature_id,
        party=held.party.name(row),
    )
    return Planned(said, name, number)


def _where(held: Flights | Volumes, row: int) -> str:
    if held.rows is None or held.ids is None:
        raise AssertionError("what is read from a file has names and rows")
    return f"{held.rows.where(row)} ({held.ids[row]!s:.40})"


def _thousandths(value: float) -> int:
    """Return metres or seconds in thousandths, rounded up: a margin never becomes smaller."""
    return math.ceil(value * 1000 - SLIGHT)
