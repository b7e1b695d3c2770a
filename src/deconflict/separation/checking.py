"""The check: extents in, findings out."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from deconflict import _kernel
from deconflict.airspace.position import Position
from deconflict.errors import InvalidGeometryError, InvalidInputError
from deconflict.separation.arrays import UNLIMITED, Packed, pack, pack_minima, pack_references
from deconflict.separation.extent import Extent
from deconflict.separation.finding import Finding, FindingKind, Verdict
from deconflict.separation.minima import AltitudeConversions, Minima, MinimaTable

__all__ = ["check", "refused"]

US_PER_MS = 1_000
UNDEFINED_TMM = -UNLIMITED - 1
VERDICTS = (Verdict.CONFLICT, Verdict.WITHIN_TOLERANCE, Verdict.INCOMPARABLE)


def check(
    extents: Sequence[Extent],
    *,
    others: Sequence[Extent] | None = None,
    minima: MinimaTable,
    conversions: AltitudeConversions,
) -> tuple[Finding, ...]:
    """Return every pair that comes, or cannot be shown not to come, under its minima.

    Nothing is missed: every approximation's bound is added to the minima. Two trajectories
    conflict exactly when they are under both minima for longer than a microsecond; anything with
    a volume conflicts as soon as it touches, in outline, altitude and time.

    Args:
        extents: what to check.
        others: None checks all pairs of ``extents`` of different parties; otherwise all pairs of
            an extent and another of a different key, whoever declared them.
        minima: by pair of purposes.
        conversions: which altitude references compare; the others are INCOMPARABLE, never clear.

    Returns:
        Findings in the order of the first extent, the second, the start; with ``others``, all of
        those count after all ``extents``. A declaration of several volumes has one finding for
        each stretch of time and verdict.

    Raises:
        InvalidGeometryError: an extent that the kernel refuses, named by its key.

    Source: ``docs/reference/separation.md``.
    """
    everything = [*extents, *(others or ())]
    purposes = {purpose: k for k, purpose in enumerate(sorted({e.purpose for e in everything}))}
    if others is None:
        groups = _numbered([extent.party for extent in everything])
        sides = [0] * len(everything)
    else:
        groups = _numbered([extent.key for extent in everything])
        sides = [1] * len(extents) + [2] * len(others)
    packed = pack(everything, purposes=purposes, groups=groups, sides=sides)
    try:
        found = _kernel.screen(
            packed.trajectories,
            packed.volumes,
            pack_minima(minima, purposes),
            pack_references(conversions),
        )
    except _kernel.RefusedInput as refusal:
        raise refused(refusal, packed, everything) from refusal
    return _findings(found, packed, everything, conversions)


def _numbered(names: Sequence[str]) -> list[int]:
    numbers: dict[str, int] = {}
    return [numbers.setdefault(name, len(numbers)) for name in names]


def refused(
    refusal: _kernel.RefusedInput, packed: Packed, extents: Sequence[Extent]
) -> InvalidInputError:
    """Return the kernel's refusal as the error that names the extent."""
    table, row, field, problem = refusal.args
    if table not in ("trajectories", "volumes"):
        return InvalidInputError(f"{field} of the {table} cannot be used", given=problem)
    index = row if table == "trajectories" else packed.trajectory_count + row
    key = extents[packed.owner[index]].key
    return InvalidGeometryError(
        f"the extent {key!r} cannot be checked",
        given=f"{table[:-1]} {row}, {field}: {problem}",
        expected="a geometry within the limits of the separation check",
        remedy="correct the declaration; until then it is not clear of anything",
    )


def _findings(
    found: dict[str, NDArray[Any]],
    packed: Packed,
    extents: Sequence[Extent],
    conversions: AltitudeConversions,
) -> tuple[Finding, ...]:
    columns = {name: column.tolist() for name, column in found.items()}
    rows: list[tuple[int, int, Finding]] = []
    for k in range(len(columns["i"])):
        row = {name: column[k] for name, column in columns.items()}
        rows.append(_finding(row, packed, extents, conversions))
    rows.sort(key=lambda row: (row[0], row[1], row[2].start_ms, row[2].end_ms, row[2].verdict))
    return _joined(rows)


def _finding(
    row: dict[str, Any],
    packed: Packed,
    extents: Sequence[Extent],
    conversions: AltitudeConversions,
) -> tuple[int, int, Finding]:
    first, second = packed.owner[row["i"]], packed.owner[row["j"]]
    points = (
        Position.from_degrees(row["first_lat_deg"], _wrapped(row["first_lon_deg"])),
        Position.from_degrees(row["second_lat_deg"], _wrapped(row["second_lon_deg"])),
    )
    vertical: int | None = row["cpa_vertical_tmm"]
    if vertical == UNDEFINED_TMM:
        vertical = None
    if first > second:
        # The kernel counts trajectories before volumes; we count as the caller did.
        first, second = second, first
        points = (points[1], points[0])
        vertical = None if vertical is None else -vertical
    verdict = VERDICTS[row["verdict"]]
    if verdict is Verdict.INCOMPARABLE:
        kind = FindingKind.INCOMPARABLE
    elif row["j"] < packed.trajectory_count:
        kind = FindingKind.PREDICTED_LOSS
    else:
        kind = FindingKind.STRATEGIC_CONFLICT
    # Outward to whole milliseconds; the epoch is a whole second, so it does not matter here.
    start_ms = packed.epoch_ms + row["t_in_us"] // US_PER_MS
    end_ms = packed.epoch_ms - (-row["t_out_us"] // US_PER_MS)
    cpa_ms = packed.epoch_ms + round(row["cpa_time_us"] / US_PER_MS)
    finding = Finding(
        kind=kind,
        verdict=verdict,
        first=extents[first].key,
        second=extents[second].key,
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
        margin_reference_tmm=conversions.slack_tmm(
            packed.reference_of(row["i"]), packed.reference_of(row["j"])
        ),
    )
    return first, second, finding


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
