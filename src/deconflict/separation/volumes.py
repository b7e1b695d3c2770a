"""Many 4D volumes as columns: circles, corridors and polygons with altitudes and times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.outline import MAX_RADIUS_MM
from deconflict.airspace.position import Position
from deconflict.airspace.ring import check_ring
from deconflict.errors import BadRowsError, InvalidDocumentError, InvalidGeometryError
from deconflict.separation.arrays import CIRCLE, CORRIDOR, POLYGON, SURFACE, UNLIMITED
from deconflict.separation.batch import Batch, offsets_of
from deconflict.separation.flights import NO_REFERENCE, SAY_REFERENCE, reference_of
from deconflict.separation.given import batch_of_arrays, columns_of
from deconflict.separation.labels import Labels
from deconflict.separation.rows import Rows

__all__ = ["VOLUME_COLUMNS", "Volumes", "volumes_of_batch"]

LOWERS: Final = ("lower_tmm", "lower_ft", "lower_m", "lower_fl")
UPPERS: Final = ("upper_tmm", "upper_ft", "upper_m", "upper_fl")
STARTS: Final = ("start_s", "start")
ENDS: Final = ("end_s", "end")
VERTEX: Final = frozenset({"lat_deg", "lon_deg"})
REACHES: Final = ("radius_m", "half_width_m")
TEXTS: Final = ("party", "purpose", "altitude_reference")
VOLUME_COLUMNS: Final = VERTEX | {"volume", *REACHES, *LOWERS, *UPPERS, *STARTS, *ENDS, *TEXTS}
ACTIVITY: Final = "ACTIVITY"


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """Volumes as NumPy columns; volume ``k`` owns the places ``offsets[k]:offsets[k + 1]``.

    Made by `Volumes.of`, which checks what it is given.

    Attributes:
        offsets: int64, one longer than there are volumes.
        lat_deg: of each place, float64: the centre, the path, or the corners, not closed.
        lon_deg: of each place, float64.
        shape: 0 circle, 1 corridor, 2 polygon; uint8.
        reach_m: radius or half width, 0 for polygons; float64.
        lower_tmm: int64; the least int64 is the surface.
        upper_tmm: int64; the greatest int64 is unlimited.
        start_s: float64, on the same scale as the flights' times.
        end_s: float64.
        reference: place of the altitude reference in ``AltitudeReference``, uint8.
        item: volumes of one number belong to one declaration and never meet; uint32.
        party: whose; volumes of no party are each their own.
        purpose: what the minima are chosen by.
        ids: the names that findings are told with; None for numbers.
        rows: where each stands in its file; None for arrays.
    """

    offsets: NDArray[np.int64]
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    shape: NDArray[np.uint8]
    reach_m: NDArray[np.float64]
    lower_tmm: NDArray[np.int64]
    upper_tmm: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    reference: NDArray[np.uint8]
    item: NDArray[np.uint32]
    party: Labels
    purpose: Labels
    ids: NDArray[np.object_] | None = None
    rows: Rows | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def none(cls) -> "Volumes":
        """Return no volumes."""
        made: dict[str, Any] = {name: np.zeros(0, dtype=kind) for name, kind in FIELD_TYPES.items()}
        made["offsets"] = np.zeros(1, dtype=np.int64)
        return cls(party=Labels.none(0), purpose=Labels.none(0), **made)

    @classmethod
    def of(
        cls,
        columns: Mapping[str, ArrayLike],
        *,
        offsets: ArrayLike | None = None,
        reference: AltitudeReference | str | None = None,
        ignore: Sequence[str] = (),
    ) -> "Volumes":
        """Return the volumes that arrays say.

        Args:
            columns: by name. Of each place, one long array over all volumes: ``lat_deg`` and
                ``lon_deg``. Of each volume: ``radius_m`` (a circle) or ``half_width_m`` (a
                corridor), NaN where it is neither, which is a polygon; ``lower_ft``, ``lower_m``,
                ``lower_fl`` or ``lower_tmm``, NaN or left out for the surface; ``upper_…`` alike,
                for unlimited; ``start`` and ``end`` (``datetime64``, UTC) or ``start_s`` and
                ``end_s``; ``altitude_reference``; optional ``volume`` (its name), ``party``,
                ``purpose`` (else ACTIVITY).
            offsets: volume ``k`` owns the places ``offsets[k]:offsets[k + 1]``; may be left out
                where each volume has one place, or where ``volume`` names it at every place.
            reference: what altitudes are measured from where ``altitude_reference`` says nothing.
            ignore: names of columns to leave out; others that mean nothing are refused.

        Raises:
            BadRowsError: naming volume and column, counted from 0.
            InvalidDocumentError: a column is missing, unknown, or of another type or length.

        >>> made = Volumes.of(
        ...     {"lat_deg": [48.0], "lon_deg": [8.5], "radius_m": [5_000.0], "upper_ft": [2500],
        ...      "start_s": [0.0], "end_s": [3_600.0]},
        ...     reference="AMSL",
        ... )
        >>> len(made)
        1
        """
        batch = batch_of_arrays(columns_of(columns, "volumes"), offsets, VERTEX, "volumes")
        for name in (*LOWERS, *UPPERS, *REACHES):
            column = batch.columns.get(name)
            if isinstance(column, np.ndarray) and column.dtype.kind == "f":
                batch.missing = {**batch.missing, name: np.isnan(column)}
        return volumes_of_batch(batch, reference=reference_of(reference), ignore=frozenset(ignore))

    def taken(self, volumes: NDArray[np.integer[Any]]) -> "Volumes":
        """Return these volumes, in this order."""
        lengths = np.diff(self.offsets)[volumes]
        offsets = offsets_of(lengths)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        points = np.repeat(self.offsets[volumes], lengths) + within
        rows = set(FIELD_TYPES) - VERTEX
        return replace(
            self,
            offsets=offsets,
            party=self.party.taken(volumes),
            purpose=self.purpose.taken(volumes),
            ids=None if self.ids is None else self.ids[volumes],
            rows=None if self.rows is None else self.rows.taken(volumes),
            **{name: getattr(self, name)[points] for name in VERTEX},
            **{name: getattr(self, name)[volumes] for name in rows},
        )

    @classmethod
    def joined(cls, parts: list["Volumes"]) -> "Volumes":
        """Return the volumes of all parts, one after another; the list is emptied."""
        if not parts:
            return cls.none()
        if len(parts) == 1:
            return parts.pop()
        held = [{f.name: getattr(part, f.name) for f in fields(cls)} for part in parts]
        parts.clear()
        ids = [part["ids"] for part in held]
        rows = [part["rows"] for part in held]
        first = 0
        for part in held:
            items = part["item"]
            part["item"] = items + np.uint32(first)
            first += int(items.max()) + 1 if len(items) else 0
        return cls(
            offsets=offsets_of(np.concatenate([np.diff(part["offsets"]) for part in held])),
            party=Labels.joined([part["party"] for part in held]),
            purpose=Labels.joined([part["purpose"] for part in held]),
            ids=None if any(some is None for some in ids) else np.concatenate(ids),
            rows=None if any(some is None for some in rows) else Rows.joined(rows),
            **{name: np.concatenate([part[name] for part in held]) for name in FIELD_TYPES},
        )


FIELD_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "lat_deg": np.float64,
    "lon_deg": np.float64,
    "shape": np.uint8,
    "reach_m": np.float64,
    "lower_tmm": np.int64,
    "upper_tmm": np.int64,
    "start_s": np.float64,
    "end_s": np.float64,
    "reference": np.uint8,
    "item": np.uint32,
}


def volumes_of_batch(
    batch: Batch, *, reference: AltitudeReference | None, ignore: frozenset[str] = frozenset()
) -> Volumes:
    """Return the volumes of a table: a row a volume, or a row a corner.

    Raises:
        BadRowsError: naming row and column.
        InvalidDocumentError: a column is missing, unknown, or of another type or length.
    """
    batch.expect_only(VOLUME_COLUMNS, ignore)
    starts = batch.one_of(STARTS, needed=True) or ""
    ends = batch.one_of(ENDS, needed=True) or ""
    batch.one_of(("lat_deg",), needed=True)
    batch.one_of(("lon_deg",), needed=True)
    batch = _grouped(batch)
    offsets, rows = batch.offsets, batch.rows
    if offsets is None:
        raise AssertionError("grouped above")
    for name, column in batch.columns.items():
        if len(column) != (offsets[-1] if name in batch.lists else rows):
            raise InvalidDocumentError(
                f"{batch.name}: {name} has another length than it should",
                given=f"{len(column)} values",
                expected="one for each place" if name in batch.lists else "one for each volume",
            )
    lat_deg = batch.within("lat_deg", -90.0, 90.0, "degrees, -90 to 90, north positive")
    lon_deg = batch.within("lon_deg", -180.0, 180.0, "degrees, -180 to 180, east positive")
    shape, reach_m = _shapes(batch, rows)
    lower, lower_open = _limits(batch, LOWERS, SURFACE)
    upper, upper_open = _limits(batch, UPPERS, UNLIMITED)
    flight_levels = any(name in batch.columns for name in ("lower_fl", "upper_fl"))
    if flight_levels and reference is None:
        reference = AltitudeReference.FL
    references = batch.references("altitude_reference", otherwise=reference)
    # From the surface to unlimited is every altitude, whatever it is measured from.
    references[lower_open & upper_open & (references == NO_REFERENCE)] = 0
    silent = references == NO_REFERENCE
    if silent.any():
        batch.refuse(
            "altitude_reference",
            silent,
            "what the altitudes are measured from is not said",
            expected=", ".join(AltitudeReference),
            remedy=SAY_REFERENCE,
        )
    flight_level = list(AltitudeReference).index(AltitudeReference.FL)
    if flight_levels and (references != flight_level).any():
        raise InvalidDocumentError(
            f"{batch.name}: lower_fl and upper_fl are pressure altitudes",
            given="another altitude_reference",
            expected="FL, or feet or metres with the reference",
        )
    above = lower > upper
    if above.any():
        name = batch.one_of(LOWERS, needed=False) or "lower"
        batch.refuse(name, above, "the floor is above the ceiling", expected="floor below ceiling")
    start_s, end_s = batch.seconds(starts), batch.seconds(ends)
    if (end_s <= start_s).any():
        batch.refuse(
            ends, end_s <= start_s, "the end is not after the start", expected="start before end"
        )
    purpose = batch.labels("purpose")
    named = Labels.joined([Labels.same(ACTIVITY, 1), purpose]).taken(slice(1, None))
    ids = batch.names_of("volume")
    made = Volumes(
        offsets=offsets,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        shape=shape,
        reach_m=reach_m,
        lower_tmm=lower,
        upper_tmm=upper,
        start_s=start_s,
        end_s=end_s,
        reference=references,
        item=np.arange(rows, dtype=np.uint32),
        party=batch.labels("party"),
        purpose=Labels(np.where(named.codes < 0, 0, named.codes), named.names),
        ids=ids,
        rows=Rows.of(batch.name, batch.numbers(), batch.row_word) if batch.base else None,
    )
    _check_rings(batch, made)
    return made


def _grouped(batch: Batch) -> Batch:
    """Return a table of places as a table of volumes; one place each where none is named."""
    if batch.offsets is not None:
        return batch
    rows = batch.rows
    begins = np.ones(rows, dtype=np.bool_)
    if "volume" in batch.columns and rows:
        column = batch.columns["volume"]
        keys = column.codes if isinstance(column, Labels) else column
        begins[1:] = np.asarray(keys[1:] != keys[:-1], dtype=np.bool_)
    starts = np.flatnonzero(begins)
    columns = dict(batch.columns)
    for name in columns.keys() - VERTEX:
        values = columns[name]
        said = values.codes if isinstance(values, Labels) else values
        differs = np.zeros(rows, dtype=np.bool_)
        if name != "volume" and rows:
            differs[1:] = np.asarray(said[1:] != said[:-1], dtype=np.bool_)
            empty = batch.missing.get(name)
            if empty is not None:
                differs[1:] &= ~(empty[1:] & empty[:-1])
            differs &= ~begins
        if differs.any():
            batch.refuse(
                name,
                differs,
                "differs from the row before, of the same volume",
                expected="one value for all places of a volume",
            )
        columns[name] = values.taken(starts) if isinstance(values, Labels) else values[starts]
    return Batch(
        columns=columns,
        lists=VERTEX & columns.keys(),
        offsets=np.append(starts, rows).astype(np.int64),
        missing={
            name: empty if name in VERTEX else empty[starts]
            for name, empty in batch.missing.items()
        },
        name=batch.name,
        base=batch.base,
        row_word=batch.row_word,
        row_numbers=batch.numbers()[starts],
        point_numbers=batch.numbers(),
    )


def _shapes(batch: Batch, rows: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the shape and the reach of each row; refused where they do not go together."""
    said = {}
    reach_m = np.zeros(rows)
    for name in REACHES:
        said[name] = np.zeros(rows, dtype=np.bool_)
        if name in batch.columns:
            values = batch.number(name)
            said[name] = ~batch.missing.get(name, np.zeros(rows, dtype=np.bool_))
            most = MAX_RADIUS_MM / 1000
            bad = said[name] & ~((values > 0.0) & (values <= most))
            if bad.any():
                batch.refuse(name, bad, "out of range", expected="above 0 m, up to 5,000 km")
            reach_m = np.where(said[name], values, reach_m)
    circle, corridor = said["radius_m"], said["half_width_m"]
    if (circle & corridor).any():
        batch.refuse(
            "half_width_m",
            circle & corridor,
            "radius and half width are both said",
            expected="radius_m for a circle, half_width_m for a corridor, neither for a polygon",
        )
    shape = np.where(circle, CIRCLE, np.where(corridor, CORRIDOR, POLYGON)).astype(np.uint8)
    places = np.diff(batch.offsets if batch.offsets is not None else np.zeros(1, np.int64))
    for kind, name, bad, expected in (
        (CIRCLE, "radius_m", places != 1, "one place: the centre"),
        (CORRIDOR, "half_width_m", places < 2, "two places or more: the path"),
        (POLYGON, "lat_deg", places < 3, "three places or more: the corners"),
    ):
        wrong = (shape == kind) & bad
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            at = wrong if name not in batch.lists else _points_of(batch, wrong)
            if not at.any():  # a row without any place has no cell to point at
                name, at = "places", wrong
            batch.refuse(
                name,
                at,
                f"{places[row]} places, and "
                + ("neither a radius nor a half width" if kind == POLYGON else f"{name} is said"),
                expected=expected,
            )
    return shape, reach_m


def _points_of(batch: Batch, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if batch.offsets is None:
        return rows
    return np.repeat(rows, np.diff(batch.offsets))


def _limits(
    batch: Batch, names: tuple[str, ...], open_tmm: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return floors or ceilings, and where they are open: an empty cell, or no column."""
    name = batch.one_of(names, needed=False)
    if name is None:
        return np.full(batch.rows, open_tmm, dtype=np.int64), np.ones(batch.rows, dtype=np.bool_)
    is_open = batch.missing.get(name, np.zeros(batch.rows, dtype=np.bool_))
    return np.where(is_open, open_tmm, batch.tmm(name)), is_open


def _check_rings(batch: Batch, made: Volumes) -> None:
    """Refuse polygons that cross or touch themselves: they have no one inside."""
    for row in np.flatnonzero(made.shape == POLYGON).tolist():
        part = slice(int(made.offsets[row]), int(made.offsets[row + 1]))
        lat_deg, lon_deg = made.lat_deg[part].tolist(), made.lon_deg[part].tolist()
        if len(lat_deg) > 3 and (lat_deg[0], lon_deg[0]) == (lat_deg[-1], lon_deg[-1]):
            problem: str | None = "the first corner is repeated at the end"
            given, remedy = "a closed ring", "leave the last corner out"
        else:
            problem = None
            given = remedy = ""
            try:
                check_ring(
                    [Position.from_degrees(*at) for at in zip(lat_deg, lon_deg, strict=True)]
                )
            except InvalidGeometryError as error:
                problem, given, remedy = error.problem, error.given, error.remedy
        if problem is not None:
            number = int(batch.numbers()[row])
            raise BadRowsError(
                f"{batch.name}: {batch.row_word} {number}, lat_deg and lon_deg: {problem}",
                given=given,
                expected="corners in order along an outline that does not meet itself",
                remedy=remedy,
                rows=(number,),
                field="lat_deg",
            )
