"""What a screening found: one row for each stretch of time in which two come too close."""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from deconflict.separation.arrays import UNLIMITED
from deconflict.separation.finding import FindingKind, Verdict
from deconflict.separation.flights import Flights
from deconflict.separation.volumes import Volumes
from deconflict.units import TMM_PER_METRE

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NOT_DEFINED_TMM", "VERDICTS", "Conflicts"]

VERDICTS: Final = (Verdict.CONFLICT, Verdict.WITHIN_TOLERANCE, Verdict.INCOMPARABLE)
INCOMPARABLE: Final = VERDICTS.index(Verdict.INCOMPARABLE)
NOT_DEFINED_TMM: Final = -UNLIMITED - 1


@dataclass(frozen=True, slots=True, eq=False)
class Conflicts:
    """Conflicts as NumPy columns of one length, each row checkable with any geodesic library.

    Attributes:
        first: number of the first flight or volume, int64; volumes count after all flights.
        second: likewise of the second.
        verdict: 0 CONFLICT (shown by the geodesic), 1 WITHIN_TOLERANCE (neither shown nor
            excluded), 2 INCOMPARABLE (altitudes do not compare); uint8.
        time_in_us: begin, microseconds on the scale of the times given, rounded down; int64.
        time_out_us: end, rounded up.
        cpa_time_us: when they are nearest.
        cpa_distance_m: geodesic distance then, float64; 0 inside a volume.
        cpa_vertical_tmm: altitude of the second less that of the first then, int64;
            ``NOT_DEFINED_TMM`` where altitudes do not compare.
        first_lat_deg, first_lon_deg, second_lat_deg, second_lon_deg: where both are then.
        minimum_lateral_m, minimum_vertical_tmm: the minima of this pair.
        margin_lateral_m, margin_vertical_tmm: what was added to them: containment of both, the
            bound of the approximation, the room between two altitude references.
        flights, volumes: what was screened.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    verdict: NDArray[np.uint8]
    time_in_us: NDArray[np.int64]
    time_out_us: NDArray[np.int64]
    cpa_time_us: NDArray[np.int64]
    cpa_distance_m: NDArray[np.float64]
    cpa_vertical_tmm: NDArray[np.int64]
    first_lat_deg: NDArray[np.float64]
    first_lon_deg: NDArray[np.float64]
    second_lat_deg: NDArray[np.float64]
    second_lon_deg: NDArray[np.float64]
    minimum_lateral_m: NDArray[np.float64]
    minimum_vertical_tmm: NDArray[np.int64]
    margin_lateral_m: NDArray[np.float64]
    margin_vertical_tmm: NDArray[np.int64]
    flights: Flights
    volumes: Volumes

    def __len__(self) -> int:
        return len(self.first)

    def __repr__(self) -> str:
        return f"<{self.summary}>"

    @property
    def summary(self) -> str:
        """How many of how many, in words: ``5 conflicts among 2 flights and 1 volume``."""
        volumes = len(self.volumes)
        beside = f" and {_counted(volumes, 'volume')}" if volumes else ""
        return (
            f"{_counted(len(self), 'conflict')} among {_counted(len(self.flights), 'flight')}"
            + beside
        )

    def names(self, which: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return the names of flights and volumes by number, numbers where they have none."""
        flights = len(self.flights)
        known = [
            part.ids if part.ids is not None else np.arange(len(part)).astype(str).astype(object)
            for part in (self.flights, self.volumes)
        ]
        if not len(known[1]):
            return np.asarray(known[0][which], dtype=np.object_)
        everything = np.concatenate(known)
        if self.volumes.ids is None and len(everything) > flights:
            everything[flights:] = [f"volume {k}" for k in range(len(everything) - flights)]
        return np.asarray(everything[which], dtype=np.object_)

    def kinds(self) -> NDArray[np.uint8]:
        """Return each row's place in ``FindingKind``."""
        order = list(FindingKind)
        kind = np.where(
            self.second < len(self.flights),
            order.index(FindingKind.PREDICTED_LOSS),
            order.index(FindingKind.STRATEGIC_CONFLICT),
        )
        kind[self.verdict == INCOMPARABLE] = order.index(FindingKind.INCOMPARABLE)
        return kind.astype(np.uint8)

    def nearness(self) -> NDArray[np.float64]:
        """Return how near each comes, of what its minima and margins ask: 0 is one place.

        The greater of both shares, lateral and vertical; altitudes that do not compare count as
        one altitude.
        """
        lateral_m = np.maximum(self.minimum_lateral_m + self.margin_lateral_m, 1e-3)
        vertical = np.maximum(self.minimum_vertical_tmm + self.margin_vertical_tmm, 1)
        defined = self.cpa_vertical_tmm != NOT_DEFINED_TMM
        height = np.abs(np.where(defined, self.cpa_vertical_tmm, 0))
        return np.asarray(np.maximum(self.cpa_distance_m / lateral_m, height / vertical))

    def nearest_first(self) -> NDArray[np.int64]:
        """Return the rows in order of nearness."""
        return np.argsort(self.nearness(), kind="stable").astype(np.int64)

    def taken(self, rows: NDArray[np.integer[Any]]) -> "Conflicts":
        """Return these rows, in this order."""
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(
            self,
            **{
                name: column[rows]
                for name, column in columns.items()
                if name not in ("flights", "volumes")
            },
        )

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return what a file of conflicts says, by column: names, words, UTC, metres.

        ``cpa_vertical_m`` is NaN where altitudes do not compare.
        """
        defined = self.cpa_vertical_tmm != NOT_DEFINED_TMM
        vertical_m = np.where(defined, self.cpa_vertical_tmm, 0) / TMM_PER_METRE
        return {
            "first": self.names(self.first),
            "second": self.names(self.second),
            "kind": np.array([kind.value for kind in FindingKind], dtype=object)[self.kinds()],
            "verdict": np.array([word.value for word in VERDICTS], dtype=object)[self.verdict],
            "time_in": self.time_in_us.astype("datetime64[us]"),
            "time_out": self.time_out_us.astype("datetime64[us]"),
            "cpa_time": self.cpa_time_us.astype("datetime64[us]"),
            "cpa_distance_m": self.cpa_distance_m,
            "cpa_vertical_m": np.where(defined, vertical_m, np.nan),
            "first_lat_deg": self.first_lat_deg,
            "first_lon_deg": wrapped(self.first_lon_deg),
            "second_lat_deg": self.second_lat_deg,
            "second_lon_deg": wrapped(self.second_lon_deg),
            "minimum_lateral_m": self.minimum_lateral_m,
            "minimum_vertical_m": self.minimum_vertical_tmm / TMM_PER_METRE,
            "margin_lateral_m": self.margin_lateral_m,
            "margin_vertical_m": self.margin_vertical_tmm / TMM_PER_METRE,
        }

    def to_arrow(self) -> "pa.Table":
        """Return the columns of `columns` as a ``pyarrow.Table``; times are UTC timestamps.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        from deconflict.separation.arrow import conflicts_to_arrow

        return conflicts_to_arrow(self)

    def _repr_svg_(self) -> str:
        from deconflict.separation.sketch import sketch

        return sketch(self)

    def _repr_html_(self) -> str:
        from deconflict.separation.sketch import sketch_page

        return sketch_page(self)


def wrapped(lon_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return longitudes in [-180, 180]; those that are there already stay to the bit."""
    outside = np.abs(lon_deg) > 180.0
    return np.where(outside, lon_deg - 360.0 * np.round(lon_deg / 360.0), lon_deg)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
