"""The screening of many flights and volumes at once: arrays in, arrays out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deconflict import _kernel
from deconflict.airspace.altitude import AltitudeReference
from deconflict.errors import BadRowsError, InvalidInputError
from deconflict.separation.arrays import Columns, pack_minima, pack_references
from deconflict.separation.arrow import flights_of_arrow, is_arrow, volumes_of_arrow
from deconflict.separation.conflicts import Conflicts
from deconflict.separation.flights import Flights
from deconflict.separation.given import columns_of, expect_flag, expect_whole
from deconflict.separation.labels import numbered
from deconflict.separation.minima import AltitudeConversions
from deconflict.separation.minima_classes import MinimaClasses
from deconflict.separation.said_minima import AnyMinima, SaidMinima, said_minima
from deconflict.separation.volumes import Volumes

__all__ = ["ScreenProgress", "require_names_apart", "screen"]

ScreenProgress = _kernel.ScreenProgress
MAX_THREADS: Final = 1_024


def screen(
    flights: Flights | Mapping[str, ArrayLike] | Any,
    volumes: Volumes | Mapping[str, ArrayLike] | Any | None = None,
    *,
    minima: AnyMinima | SaidMinima | Iterable[str],
    conversions: AltitudeConversions | None = None,
    reference: AltitudeReference | str | None = None,
    within_parties: bool = False,
    threads: int | None = None,
    progress: ScreenProgress | None = None,
) -> Conflicts:
    """Return every pair that comes, or cannot be shown not to come, under its minima.

    Nothing is missed: every approximation's bound is added to the minima. Two flights conflict
    exactly when they are under both minima for longer than a microsecond; anything with a volume
    conflicts as soon as it touches, in outline, altitude and time. Flights and volumes of one
    party are not held against one another; what names no party is its own.

    Other threads of Python run meanwhile. The arrays must not be changed by one of them: they are
    read without a copy where they have the types that `Flights` lists.

    Args:
        flights: a `Flights` value; a mapping with ``offsets`` beside the columns of `Flights.of`,
            or with ``flight`` for each waypoint; or an Arrow table or anything that hands one over
            by the PyCapsule interface (pyarrow, polars, pandas, DuckDB), a row a flight with lists
            of waypoints, or a row a waypoint.
        volumes: likewise, with the columns of `Volumes.of`.
        minima: ``"5NM,1000ft"``; several of these, some for a pair of purposes,
            ``"FLIGHT:ACTIVITY=3NM,500ft"``, or of parties, ``"red:blue=3NM,500ft"``; or the
            values. Those of two parties hold whatever the purposes. There is no default.
        conversions: which altitude references compare; the others are INCOMPARABLE, never left
            out.
        reference: what altitudes are measured from where no column says it.
        within_parties: also hold flights and volumes of one party against each other.
        threads: how many to use; None takes one for each processor. Any number finds the same.
        progress: counts what is done, for another thread to look at.

    Returns:
        The conflicts, in order of the first flight, the second, the time; flights count from 0,
        volumes go on counting after the last flight.

    Raises:
        BadRowsError: a row cannot be used; it names row and column.
        InvalidInputError: a column is missing or unknown, or minima are.
        MissingExtraError: Arrow data without pyarrow installed.

    Source: ``docs/reference/separation.md``; columns: ``docs/reference/screen-formats.md``.

    >>> found = screen(
    ...     {
    ...         "offsets": [0, 2, 4],
    ...         "lat_deg": [48.0, 48.0, 47.8, 48.2],
    ...         "lon_deg": [8.0, 9.0, 8.5, 8.5],
    ...         "time_s": [0.0, 600.0, 0.0, 600.0],
    ...         "altitude_ft": [35000, 35000, 35000, 35000],
    ...     },
    ...     minima="5NM,1000ft",
    ...     reference="FL",
    ... )
    >>> found.first.tolist(), found.second.tolist(), found.cpa_distance_m.round().tolist()
    ([0], [1], [104.0])
    """
    said = minima if isinstance(minima, SaidMinima) else said_minima(minima)
    within_parties = expect_flag(within_parties, "within_parties")
    if threads is not None:
        threads = expect_whole(threads, "threads", 1, MAX_THREADS)
    if progress is not None and not isinstance(progress, ScreenProgress):
        raise InvalidInputError(
            "progress cannot be used",
            given=f"{type(progress).__name__} {progress!r:.60}",
            expected="a ScreenProgress, or None",
        )
    if conversions is not None and not isinstance(conversions, AltitudeConversions):
        raise InvalidInputError(
            "conversions cannot be used",
            given=f"{type(conversions).__name__} {conversions!r:.60}",
            expected="an AltitudeConversions, or None",
            remedy="AltitudeConversions({(AltitudeReference.FL, AltitudeReference.AMSL): "
            "(least_tmm, most_tmm)})",
        )
    ours = _flights(flights, reference)
    theirs = _volumes(volumes, reference)
    require_names_apart(ours, theirs)
    purposes = numbered([*ours.purpose.used(), *theirs.purpose.used()])
    parties = numbered([*ours.party.used(), *theirs.party.used()])
    classes = MinimaClasses.of(said, purposes=purposes, parties=parties)
    known = AltitudeConversions() if conversions is None else conversions
    try:
        found = _kernel.screen(
            _trajectory_columns(ours, classes, parties, within_parties),
            _volume_columns(theirs, len(ours), classes, parties, within_parties),
            pack_minima(classes.between, classes.classes),
            pack_references(known),
            threads=threads,
            progress=progress,
        )
    except _kernel.RefusedInput as refusal:
        raise _refused(refusal, ours, theirs) from refusal
    except (TypeError, ValueError) as error:
        # Columns that `Flights.of` checked are never refused so: somebody put others in.
        raise InvalidInputError(
            "the columns of a Flights or Volumes value are not as its class says",
            given=f"{error}"[:160],
            expected="columns as they are documented, each of its type",
            remedy="make the value by Flights.of or Volumes.of, which check what they are given",
        ) from error
    return _conflicts(found, ours, theirs)


def _flights(given: Any, reference: AltitudeReference | str | None) -> Flights:
    if isinstance(given, Flights):
        return given
    if is_arrow(given):
        return flights_of_arrow(given, reference=reference)
    columns = columns_of(given, "flights")
    return Flights.of(columns, offsets=columns.pop("offsets", None), reference=reference)


def _volumes(given: Any, reference: AltitudeReference | str | None) -> Volumes:
    if given is None:
        return Volumes.none()
    if isinstance(given, Volumes):
        return given
    if is_arrow(given):
        return volumes_of_arrow(given, reference=reference)
    columns = columns_of(given, "volumes")
    return Volumes.of(columns, offsets=columns.pop("offsets", None), reference=reference)


def require_names_apart(flights: Flights, volumes: Volumes) -> None:
    """Refuse a name that two flights or volumes share: findings could not say which is meant.

    The volumes of one declaration, which are of one item, share theirs.

    Raises:
        InvalidInputError: two do; it names both places.
    """
    ids = [] if flights.ids is None else flights.ids.tolist()
    if volumes.ids is not None and len(volumes):
        _, first = np.unique(volumes.item, return_index=True)
        ids += volumes.ids[first].tolist()
    if len(set(ids)) == len(ids):
        return
    twice = next(name for name, count in Counter(ids).items() if count > 1)
    places = [
        f"{word} {row}" if part.rows is None else part.rows.where(row)
        for word, part in (("flight", flights), ("volume", volumes))
        if part.ids is not None
        for row in np.flatnonzero(part.ids == twice).tolist()[:3]
    ]
    raise InvalidInputError(
        "one name stands for two, or the rows of one do not follow one another",
        given=f"{twice!r:.60} in " + " and ".join(places),
        expected="a name for each flight and volume; the waypoints of a flight in a row",
        remedy="sort by flight and time, or give each its own name",
    )


def _trajectory_columns(
    flights: Flights, classes: MinimaClasses, parties: Mapping[str, int], within: bool
) -> Columns:
    count = len(flights)
    own = np.arange(len(parties), len(parties) + count, dtype=np.uint32)
    whose = flights.party.by(parties, without=-1)
    return {
        "offsets": flights.offsets,
        "lat_deg": flights.lat_deg,
        "lon_deg": flights.lon_deg,
        "time_s": flights.time_s,
        "altitude_tmm": flights.altitude_tmm,
        "lateral_m": flights.lateral_m,
        "vertical_tmm": flights.vertical_tmm,
        "window_s": flights.window_s,
        "party": own if within else np.where(whose < 0, own, whose).astype(np.uint32),
        "purpose": classes.numbers(flights.purpose, flights.party),
        "reference": flights.reference,
        "side": np.zeros(count, dtype=np.uint8),
    }


def _volume_columns(
    volumes: Volumes,
    flights: int,
    classes: MinimaClasses,
    parties: Mapping[str, int],
    within: bool,
) -> Columns:
    count = len(volumes)
    own = (volumes.item.astype(np.int64) + len(parties) + flights).astype(np.uint32)
    whose = volumes.party.by(parties, without=-1)
    return {
        "offsets": volumes.offsets,
        "lat_deg": volumes.lat_deg,
        "lon_deg": volumes.lon_deg,
        "shape": volumes.shape,
        "reach_m": volumes.reach_m,
        "lower_tmm": volumes.lower_tmm,
        "upper_tmm": volumes.upper_tmm,
        "start_s": volumes.start_s,
        "end_s": volumes.end_s,
        "party": own if within else np.where(whose < 0, own, whose).astype(np.uint32),
        "purpose": classes.numbers(volumes.purpose, volumes.party),
        "reference": volumes.reference,
        "item": volumes.item,
        "side": np.zeros(count, dtype=np.uint8),
    }


def _conflicts(found: Mapping[str, NDArray[Any]], flights: Flights, volumes: Volumes) -> Conflicts:
    return Conflicts(
        first=found["i"].astype(np.int64),
        second=found["j"].astype(np.int64),
        verdict=found["verdict"],
        time_in_us=found["t_in_us"],
        time_out_us=found["t_out_us"],
        cpa_time_us=found["cpa_time_us"],
        cpa_distance_m=found["cpa_distance_m"],
        cpa_vertical_tmm=found["cpa_vertical_tmm"],
        first_lat_deg=found["first_lat_deg"],
        first_lon_deg=found["first_lon_deg"],
        second_lat_deg=found["second_lat_deg"],
        second_lon_deg=found["second_lon_deg"],
        minimum_lateral_m=found["lateral_m"],
        minimum_vertical_tmm=found["vertical_tmm"],
        margin_lateral_m=found["margin_m"],
        margin_vertical_tmm=found["margin_vertical_tmm"],
        flights=flights,
        volumes=volumes,
    )


def _refused(
    refusal: _kernel.RefusedInput, flights: Flights, volumes: Volumes
) -> InvalidInputError:
    table, row, field, problem = refusal.args
    if table not in ("trajectories", "volumes"):
        return InvalidInputError(f"{field} of the {table} cannot be used", given=problem)
    held: Flights | Volumes = flights if table == "trajectories" else volumes
    word = "flight" if table == "trajectories" else "volume"
    where = held.rows.where(row) if held.rows is not None else f"{word}s: row {row}"
    name = "" if held.ids is None else f" ({word} {held.ids[row]})"
    number = int(held.rows.number[row]) if held.rows is not None else row
    remedy = "correct it: nothing was screened"
    if table == "trajectories" and field == "offsets":
        # Where a file is read there is no such column; and `Flights.of` let through what has two
        # waypoints, so that one of them is the other said again.
        field, problem = "waypoints", "a flight of one waypoint, said more than once"
        remedy = f"say one place as a circle with a time span, or {remedy}"
    return BadRowsError(
        f"{where}{name}, {field}: {problem}",
        expected="a geometry within the limits of the separation check"
        if field != "waypoints"
        else "2 or more that differ",
        remedy=remedy,
        rows=(number,),
        field=field,
    )
