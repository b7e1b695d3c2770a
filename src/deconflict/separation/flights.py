"""Many flights as columns: what a table says of them, checked whole columns at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deconflict.airspace.altitude import MAX_ALTITUDE_TMM, AltitudeReference
from deconflict.airspace.outline import MAX_RADIUS_MM
from deconflict.airspace.trajectory import MAX_TIME_CONTAINMENT_MS
from deconflict.errors import InvalidDocumentError
from deconflict.separation.batch import Batch, offsets_of
from deconflict.separation.given import batch_of_arrays, columns_of
from deconflict.separation.labels import Labels
from deconflict.separation.rows import Rows

__all__ = [
    "FLIGHT_COLUMNS",
    "NO_REFERENCE",
    "SAY_REFERENCE",
    "Flights",
    "Room",
    "flights_of_batch",
    "reference_of",
]

ALTITUDES: Final = ("altitude_tmm", "altitude_ft", "altitude_m", "altitude_fl")
VERTICALS: Final = ("vertical_tmm", "vertical_ft", "vertical_m")
TIMES: Final = ("time_s", "time")
WAYPOINT: Final = frozenset({"lat_deg", "lon_deg", *TIMES, *ALTITUDES})
TEXTS: Final = ("party", "purpose", "altitude_reference")
FLIGHT_COLUMNS: Final = WAYPOINT | {"flight", "lateral_m", "window_s", *VERTICALS, *TEXTS}
FLIGHT: Final = "FLIGHT"
NO_REFERENCE: Final = 255
SAY_REFERENCE: Final = (
    "add the column altitude_reference; or say one for all: --altitude-reference FL on the command "
    "line, reference='FL' in Python"
)


@dataclass(frozen=True, slots=True, eq=False)
class Flights:
    """Flights as NumPy columns; flight ``k`` owns the waypoints ``offsets[k]:offsets[k + 1]``.

    Made by `Flights.of`, which checks what it is given.

    Attributes:
        offsets: int64, one longer than there are flights.
        lat_deg: of each waypoint, float64, north positive.
        lon_deg: of each waypoint, float64, east positive.
        time_s: of each waypoint, float64, seconds since 1970 or any other instant that all share.
        altitude_tmm: of each waypoint, int64, tenths of a millimetre in the flight's reference.
        lateral_m: how far aside each flight may be, float64.
        vertical_tmm: how far above or below, int64.
        window_s: how much early or late, float64.
        reference: place of each flight's altitude reference in ``AltitudeReference``, uint8.
        party: whose; flights of no party are each their own.
        purpose: what the minima are chosen by.
        ids: the names that findings are told with; None for numbers.
        rows: where each flight stands in its file; None for arrays.
    """

    offsets: NDArray[np.int64]
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    time_s: NDArray[np.float64]
    altitude_tmm: NDArray[np.int64]
    lateral_m: NDArray[np.float64]
    vertical_tmm: NDArray[np.int64]
    window_s: NDArray[np.float64]
    reference: NDArray[np.uint8]
    party: Labels
    purpose: Labels
    ids: NDArray[np.object_] | None = None
    rows: Rows | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(
        cls,
        columns: Mapping[str, ArrayLike],
        *,
        offsets: ArrayLike | None = None,
        reference: AltitudeReference | str | None = None,
        ignore: Sequence[str] = (),
    ) -> "Flights":
        """Return the flights that arrays say, without copying what has its final type already.

        Args:
            columns: by name. Of each waypoint, one long array over all flights: ``lat_deg`` and
                ``lon_deg`` (degrees, WGS84), ``time_s`` (float64 seconds, one zero for all) or
                ``time`` (``datetime64``, UTC), and one of ``altitude_ft``, ``altitude_m``,
                ``altitude_fl``, ``altitude_tmm``. Of each flight, all optional: ``flight`` (its
                name), ``party``, ``purpose`` (else FLIGHT), ``altitude_reference``, ``lateral_m``,
                ``vertical_ft`` or ``vertical_m``, ``window_s``.
            offsets: flight ``k`` owns the waypoints ``offsets[k]:offsets[k + 1]``. Without it all
                arrays are of waypoints, and ``flight`` says whose each one is; those of a flight
                follow one another.
            reference: what altitudes are measured from where ``altitude_reference`` says nothing:
                W84, AMSL, FL or AGL. Without either they are refused, except ``altitude_fl``.
            ignore: names of columns to leave out; others that mean nothing are refused.

        Raises:
            BadRowsError: naming flight, waypoint and column, all counted from 0.
            InvalidDocumentError: a column is missing, unknown, or of another type or length.

        >>> made = Flights.of(
        ...     {
        ...         "lat_deg": [48.0, 48.0, 47.8, 48.2],
        ...         "lon_deg": [8.0, 9.0, 8.5, 8.5],
        ...         "time_s": [0.0, 600.0, 0.0, 600.0],
        ...         "altitude_ft": [35000, 35000, 35000, 35000],
        ...     },
        ...     offsets=[0, 2, 4],
        ...     reference="FL",
        ... )
        >>> len(made)
        2
        """
        batch = batch_of_arrays(columns_of(columns, "flights"), offsets, WAYPOINT, "flights")
        return flights_of_batch(batch, reference=reference_of(reference), ignore=frozenset(ignore))

    @classmethod
    def none(cls) -> "Flights":
        """Return no flights."""
        made: dict[str, Any] = {name: np.zeros(0, dtype=kind) for name, kind in FIELD_TYPES.items()}
        made["offsets"] = np.zeros(1, dtype=np.int64)
        return cls(party=Labels.none(0), purpose=Labels.none(0), **made)

    def ways(self) -> NDArray[np.int64]:
        """Return the number of waypoints of each flight."""
        return np.diff(self.offsets)

    def taken(self, flights: NDArray[np.integer[Any]]) -> "Flights":
        """Return these flights, in this order."""
        lengths = self.ways()[flights]
        offsets = offsets_of(lengths)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        points = np.repeat(self.offsets[flights], lengths) + within
        changed = {name: getattr(self, name)[points] for name in POINT_FIELDS}
        changed |= {name: getattr(self, name)[flights] for name in ROW_FIELDS}
        return replace(
            self,
            offsets=offsets,
            party=self.party.taken(flights),
            purpose=self.purpose.taken(flights),
            ids=None if self.ids is None else self.ids[flights],
            rows=None if self.rows is None else self.rows.taken(flights),
            **changed,
        )

    @classmethod
    def joined(cls, parts: list["Flights"]) -> "Flights":
        """Return the flights of all parts, one after another; the list is emptied.

        Column by column, so that no more than one column is held twice; and none that lies one
        part after another already, as `Room` puts them.
        """
        if not parts:
            return cls.none()
        if len(parts) == 1:
            return parts.pop()
        held = [{f.name: getattr(part, f.name) for f in fields(cls)} for part in parts]
        parts.clear()
        lengths = [np.diff(part.pop("offsets")) for part in held]
        made: dict[str, Any] = {"offsets": offsets_of(_joined(lengths, np.int64))}
        for name in POINT_FIELDS + ROW_FIELDS:
            made[name] = _joined([part.pop(name) for part in held], FIELD_TYPES[name])
        ids = [part["ids"] for part in held]
        rows = [part["rows"] for part in held]
        return cls(
            party=Labels.joined([part["party"] for part in held]),
            purpose=Labels.joined([part["purpose"] for part in held]),
            ids=None if any(some is None for some in ids) else _joined(ids, np.object_),
            rows=None if any(some is None for some in rows) else Rows.joined(rows),
            **made,
        )


POINT_FIELDS: Final = ("lat_deg", "lon_deg", "time_s", "altitude_tmm")
ROW_FIELDS: Final = ("lateral_m", "vertical_tmm", "window_s", "reference")
FIELD_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "lat_deg": np.float64,
    "lon_deg": np.float64,
    "time_s": np.float64,
    "altitude_tmm": np.int64,
    "lateral_m": np.float64,
    "vertical_tmm": np.int64,
    "window_s": np.float64,
    "reference": np.uint8,
}


def _joined(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    whole, at = parts[0].base, parts[0].ctypes.data
    for part in parts:
        if whole is None or part.base is not whole or part.ctypes.data != at:
            return np.concatenate(parts).astype(kind, copy=False)
        at += part.nbytes
    if whole is None:
        raise AssertionError("joined above")
    first = (parts[0].ctypes.data - whole.ctypes.data) // whole.itemsize
    joined: NDArray[Any] = whole[first : first + sum(map(len, parts))]
    return joined


class Room:
    """Room for the waypoints of all parts of a table, so that no part is held twice.

    Args:
        waypoints: how many there will be.
    """

    def __init__(self, waypoints: int) -> None:
        self._columns = {
            name: np.empty(waypoints, dtype=FIELD_TYPES[name]) for name in POINT_FIELDS
        }

    def put(self, part: Flights, at: int) -> Flights:
        """Return the same flights, their waypoints copied to where they belong: from ``at`` on.

        Several threads may put different parts at once.
        """
        moved: dict[str, Any] = {}
        for name, column in self._columns.items():
            moved[name] = column[at : at + len(part.lat_deg)]
            moved[name][:] = getattr(part, name)
        return replace(part, **moved)


def reference_of(said: AltitudeReference | str | None) -> AltitudeReference | None:
    """Return the altitude reference of that name.

    Raises:
        InvalidDocumentError: there is none.
    """
    if said is None:
        return None
    try:
        return AltitudeReference(said)
    except ValueError as error:
        raise InvalidDocumentError(
            "no altitude reference", given=f"{said!r:.40}", expected=", ".join(AltitudeReference)
        ) from error


def flights_of_batch(
    batch: Batch, *, reference: AltitudeReference | None, ignore: frozenset[str] = frozenset()
) -> Flights:
    """Return the flights of a table in either form: a row a flight, or a row a waypoint.

    Raises:
        BadRowsError: naming row and column.
        InvalidDocumentError: a column is missing, unknown, or of another type or length.
    """
    batch.expect_only(FLIGHT_COLUMNS, ignore)
    times = batch.one_of(TIMES, needed=True)
    altitudes = batch.one_of(ALTITUDES, needed=True)
    verticals = batch.one_of(VERTICALS, needed=False)
    batch.one_of(("lat_deg",), needed=True)
    batch.one_of(("lon_deg",), needed=True)
    _same_lengths(batch)
    if batch.offsets is None:
        batch = _grouped(batch)
    offsets, rows = batch.offsets, batch.rows
    if offsets is None or times is None or altitudes is None:
        raise AssertionError("refused above")
    _at_least_two(batch)
    lat_deg = batch.within("lat_deg", -90.0, 90.0, "degrees, -90 to 90, north positive")
    lon_deg = batch.within("lon_deg", -180.0, 180.0, "degrees, -180 to 180, east positive")
    time_s = batch.seconds(times)
    batch.need(altitudes)
    altitude_tmm = batch.tmm(altitudes)
    _in_order(batch, times, time_s, lat_deg, lon_deg, altitude_tmm)
    if altitudes == "altitude_fl" and reference is None:
        reference = AltitudeReference.FL
    references = batch.references("altitude_reference", otherwise=reference)
    _referenced(batch, references)
    if altitudes == "altitude_fl" and not _all_flight_levels(references):
        raise InvalidDocumentError(
            f"{batch.name}: altitude_fl is pressure altitude",
            given="another altitude_reference",
            expected="FL, or altitude_ft or altitude_m with the reference",
        )
    purpose = batch.labels("purpose")
    if (purpose.codes < 0).any():
        purpose = Labels.joined([Labels.same(FLIGHT, 1), purpose]).taken(slice(1, None))
        purpose = Labels(np.where(purpose.codes < 0, 0, purpose.codes), purpose.names)
    return Flights(
        offsets=offsets,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        time_s=time_s,
        altitude_tmm=altitude_tmm,
        lateral_m=_margin(batch, "lateral_m", MAX_RADIUS_MM / 1000, "metres, 0 to 5,000 km", rows),
        vertical_tmm=np.zeros(rows, dtype=np.int64)
        if verticals is None
        else batch.tmm(verticals, least=0, most=MAX_ALTITUDE_TMM),
        window_s=_margin(
            batch, "window_s", MAX_TIME_CONTAINMENT_MS / 1000, "seconds, 0 to one day", rows
        ),
        reference=references,
        party=batch.labels("party"),
        purpose=purpose,
        ids=batch.names_of("flight"),
        rows=Rows.of(batch.name, batch.numbers(), batch.row_word) if batch.base else None,
    )


def _same_lengths(batch: Batch) -> None:
    """Refuse columns of different lengths, and offsets that do not fit them."""
    rows = batch.rows
    points = rows if batch.offsets is None else int(batch.offsets[-1]) if len(batch.offsets) else 0
    if batch.offsets is not None and (
        len(batch.offsets) == 0 or batch.offsets[0] != 0 or (np.diff(batch.offsets) < 0).any()
    ):
        raise InvalidDocumentError(
            f"{batch.name}: the offsets cannot be used",
            given=f"{len(batch.offsets)} of them",
            expected="one more than there are flights, from 0, never falling",
        )
    for name, column in batch.columns.items():
        wanted = points if name in batch.lists else rows
        if getattr(column, "ndim", 1) != 1 or len(column) != wanted:
            raise InvalidDocumentError(
                f"{batch.name}: {name} has another length than it should",
                given=f"{len(column)} values",
                expected=f"{wanted}: one for each {'waypoint' if wanted == points else 'flight'}",
            )


def _grouped(batch: Batch) -> Batch:
    """Return a table of waypoints as a table of flights."""
    batch.one_of(("flight",), needed=True)
    batch.need("flight")
    column = batch.columns["flight"]
    keys = column.codes if isinstance(column, Labels) else column
    begins = np.ones(len(keys), dtype=np.bool_)
    if len(keys):
        begins[1:] = np.asarray(keys[1:] != keys[:-1], dtype=np.bool_)
    starts = np.flatnonzero(begins)
    columns = dict(batch.columns)
    missing = dict(batch.missing)
    for name in columns.keys() - WAYPOINT:
        values = columns[name]
        said = values.codes if isinstance(values, Labels) else values
        if name != "flight" and len(said):
            differs = np.zeros(len(said), dtype=np.bool_)
            differs[1:] = np.asarray(said[1:] != said[:-1], dtype=np.bool_)
            if said.dtype.kind == "f":
                differs[1:] &= ~(np.isnan(said[1:]) & np.isnan(said[:-1]))
            if name in missing:
                differs[1:] |= missing[name][1:] != missing[name][:-1]
            differs &= ~begins
            if differs.any():
                batch.refuse(
                    name,
                    differs,
                    "differs from the row before, of the same flight",
                    expected="one value for all waypoints of a flight",
                )
        columns[name] = values.taken(starts) if isinstance(values, Labels) else values[starts]
        if name in missing:
            missing[name] = missing[name][starts]
    return Batch(
        columns=columns,
        lists=WAYPOINT & columns.keys(),
        offsets=np.append(starts, len(keys)).astype(np.int64),
        missing=missing,
        name=batch.name,
        base=batch.base,
        row_word=batch.row_word,
        row_numbers=batch.numbers()[starts],
        point_numbers=batch.numbers(),
    )


def _at_least_two(batch: Batch) -> None:
    if batch.offsets is None:
        return
    waypoints = np.diff(batch.offsets)
    short = waypoints < 2
    if short.any():
        said = int(waypoints[np.flatnonzero(short)[0]])
        apart = "sort by flight and time where rows of one flight stand apart; "
        batch.refuse(
            "waypoints",
            short,
            "a flight has fewer than two waypoints",
            given="1 waypoint" if said else "no waypoint",
            expected="2 or more",
            remedy=(apart if batch.point_numbers is not None else "")
            + "say one place as a circle with a time span",
        )


def _in_order(
    batch: Batch,
    name: str,
    time_s: NDArray[np.float64],
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    altitude_tmm: NDArray[np.int64],
) -> None:
    """Refuse waypoints that are not later than the one before; a repeated one counts once."""
    offsets = batch.offsets
    if offsets is None or len(time_s) < 2:
        return
    late = np.empty(len(time_s), dtype=np.bool_)
    np.greater(time_s[1:], time_s[:-1], out=late[1:])
    late[offsets[:-1]] = True
    if late.all():
        return
    early = np.flatnonzero(~late)
    before = early - 1
    repeated = (
        (time_s[early] == time_s[before])
        & (lat_deg[early] == lat_deg[before])
        & (lon_deg[early] == lon_deg[before])
        & (altitude_tmm[early] == altitude_tmm[before])
    )
    if not repeated.all():
        late[early[repeated]] = True
        batch.refuse(
            name,
            ~late,
            "not later than the waypoint before",
            expected="times that increase along a flight",
            remedy="put the waypoints in order of time",
        )


def _referenced(batch: Batch, references: NDArray[np.uint8]) -> None:
    silent = references == NO_REFERENCE
    if silent.any():
        batch.refuse(
            "altitude_reference",
            silent,
            "what the altitudes are measured from is not said",
            expected=", ".join(AltitudeReference),
            remedy=SAY_REFERENCE,
        )


def _all_flight_levels(references: NDArray[np.uint8]) -> bool:
    return bool((references == list(AltitudeReference).index(AltitudeReference.FL)).all())


def _margin(batch: Batch, name: str, most: float, expected: str, rows: int) -> NDArray[np.float64]:
    """Return a column of margins; an empty cell, or no column, is none."""
    if name not in batch.columns:
        return np.zeros(rows)
    values = batch.number(name)
    empty = batch.missing.get(name)
    if empty is not None and empty.any():
        values = np.where(empty, 0.0, values)
    if len(values) and not (values.min() >= 0.0 and values.max() <= most):
        batch.refuse(
            name, ~((values >= 0.0) & (values <= most)), "not a usable margin", expected=expected
        )
    return values
