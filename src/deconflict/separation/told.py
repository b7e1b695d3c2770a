"""What the kernel found, told as findings: in the caller's order, stretches of a pair joined."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from numpy.typing import NDArray

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.position import Position
from deconflict.separation.arrays import UNLIMITED, Packed
from deconflict.separation.extent import Extent
from deconflict.separation.finding import Finding, FindingKind, Verdict
from deconflict.separation.minima import AltitudeConversions, Minima

__all__ = ["Row", "row_of", "told"]

US_PER_MS: Final = 1_000
UNDEFINED_TMM: Final = -UNLIMITED - 1
VERDICTS: Final = (Verdict.CONFLICT, Verdict.WITHIN_TOLERANCE, Verdict.INCOMPARABLE)


@dataclass(frozen=True, slots=True)
class Row:
    """The trajectory or volume that a row of the kernel's columns stands for.

    Attributes:
        place: of its extent among all, in the order of the findings.
        key: of its extent.
        reference: what its altitudes are measured from.
        flies: True exactly when it is a trajectory.
    """

    place: int
    key: str
    reference: AltitudeReference
    flies: bool


def row_of(index: int, packed: Packed, extents: Sequence[Extent]) -> Row:
    """Return what a kernel index (trajectories first) of packed extents stands for."""
    place = packed.owner[index]
    flies = index < packed.trajectory_count
    return Row(place, extents[place].key, packed.reference_of(index), flies)


def told(
    found: Mapping[str, NDArray[Any]],
    pairs: Sequence[tuple[Row, Row]],
    *,
    epoch_ms: int,
    conversions: AltitudeConversions,
) -> tuple[Finding, ...]:
    """Return the findings, in the order of the first extent, the second, the start.

    Args:
        found: the kernel's columns. Where two findings of one pair of extents are alike in time
            and verdict and equally near, the earlier row is told.
        pairs: for each row, what it is told from, and the other.
        epoch_ms: the instant from which the columns count.
        conversions: what the altitudes were compared by.
    """
    columns = {name: column.tolist() for name, column in found.items()}
    rows: list[tuple[int, int, Finding]] = []
    for k, (first, second) in enumerate(pairs):
        row = {name: column[k] for name, column in columns.items()}
        finding = _finding(row, first, second, epoch_ms, conversions)
        places = first.place, second.place
        rows.append((min(places), max(places), finding))
    rows.sort(key=lambda row: (row[0], row[1], row[2].start_ms, row[2].end_ms, row[2].verdict))
    return _joined(rows)


def _finding(
    row: dict[str, Any],
    first: Row,
    second: Row,
    epoch_ms: int,
    conversions: AltitudeConversions,
) -> Finding:
    points = (
        Position.from_degrees(row["first_lat_deg"], _wrapped(row["first_lon_deg"])),
        Position.from_degrees(row["second_lat_deg"], _wrapped(row["second_lon_deg"])),
    )
    vertical: int | None = row["cpa_vertical_tmm"]
    if vertical == UNDEFINED_TMM:
        vertical = None
    if first.place > second.place:
        # The kernel counts trajectories before volumes; we count as the caller did.
        first, second = second, first
        points = (points[1], points[0])
        vertical = None if vertical is None else -vertical
    verdict = VERDICTS[row["verdict"]]
    if verdict is Verdict.INCOMPARABLE:
        kind = FindingKind.INCOMPARABLE
    elif first.flies and second.flies:
        kind = FindingKind.PREDICTED_LOSS
    else:
        kind = FindingKind.STRATEGIC_CONFLICT
    # Outward to whole milliseconds; the epoch is a whole second, so it does not matter here.
    start_ms = epoch_ms + row["t_in_us"] // US_PER_MS
    end_ms = epoch_ms - (-row["t_out_us"] // US_PER_MS)
    cpa_ms = epoch_ms + round(row["cpa_time_us"] / US_PER_MS)
    return Finding(
        kind=kind,
        verdict=verdict,
        first=first.key,
        second=second.key,
        start_ms=start_ms,
        end_ms=end_ms,
        cpa_time_ms=min(max(cpa_ms, start_ms), end_ms),
        cpa_distance_m=row["cpa_distance_m"],
        cpa_vertical_tmm=vertical,
        position_first=points[0],
        position_second=points[1],
        minima=Minima(row["lateral_m"], row["vertical_tmm"]),
        margin_m=row["margin_m"],
        margin_vertical_tmm=row["margin_vertical_tmm"],
        margin_reference_tmm=conversions.slack_tmm(first.reference, second.reference),
    )


def _joined(rows: Sequence[tuple[int, int, Finding]]) -> tuple[Finding, ...]:
    """Join findings of one pair and verdict that touch in time: several volumes, one conflict."""
    joined: list[Finding] = []
    last: dict[tuple[int, int, Verdict], int] = {}
    for first, second, finding in rows:
        place = last.get((first, second, finding.verdict))
        if place is not None and finding.start_ms <= joined[place].end_ms:
            held = joined[place]
            nearer = min(held, finding, key=_nearness)
            joined[place] = replace(
                nearer, start_ms=held.start_ms, end_ms=max(held.end_ms, finding.end_ms)
            )
        else:
            last[first, second, finding.verdict] = len(joined)
            joined.append(finding)
    return tuple(joined)


def _nearness(finding: Finding) -> tuple[float, int, int]:
    return (finding.cpa_distance_m, abs(finding.cpa_vertical_tmm or 0), finding.cpa_time_ms)


def _wrapped(lon_deg: float) -> float:
    return math.remainder(lon_deg, 360.0)
