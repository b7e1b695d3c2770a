"""Changes and what they end, in the words of the command line."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from deconflict.advise import Advice, Change, Nearest, Plan
from deconflict.advise.nearest import TIMES
from deconflict.airspace import Geometry, Trajectory, format_utc, geometry_to_wire, span_of
from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.quantity import Altitude, format_altitude
from deconflict.cli.output import count, feet, metres, say_warnings, table, when
from deconflict.cli.situation import Named
from deconflict.separation import Finding
from deconflict.units import METRES_PER_NAUTICAL_MILE, feet_from_tmm, metres_from_tmm

__all__ = ["advice_view", "change_words", "plan_view", "show_advice", "show_plan"]

_FOOTER: Final = (
    "Each was screened against everything that is declared or in the files, and nothing else.\n"
    "Nothing was sent. "
    "Wind, ground, fuel and performance are not known here. What is flown, its planner decides."
)


def change_words(change: Change) -> str:
    """Return a change as its planner says it.

    >>> change_words(Change(shift_ms=252_000, level_tmm=-6_096_000))
    '4 min 12 s later, 2,000 ft (610 m) lower'
    """
    parts = []
    if change.shift_ms:
        parts.append(
            f"{_duration(change.shift_ms)} {'later' if change.shift_ms > 0 else 'earlier'}"
        )
    if change.level_tmm:
        up = "higher" if change.level_tmm > 0 else "lower"
        parts.append(f"{feet(metres_from_tmm(change.level_tmm))} {up}")
    if change.offset_mm:
        side = "right" if change.offset_mm > 0 else "left"
        parts.append(f"{metres(abs(change.offset_mm) / 1000)} to the {side}")
    return ", ".join(parts) or "as planned"


def show_advice(
    advice: Sequence[Advice],
    findings: Sequence[Finding],
    known: Mapping[str, Named],
    *,
    left: Sequence[Nearest | None],
    looked_at: int,
    warnings: Sequence[str],
    limits: str,
) -> None:
    """Print, for each declaration in conflict, what it conflicts with and what would end it.

    ``left`` is what each option of all of them, in order, then comes nearest to.
    """
    near = iter(left)
    say_warnings(warnings)
    if not advice:
        click.echo(f"No conflict found in {count(looked_at, 'declaration')}: nothing to change.")
        click.echo("This says nothing of what nobody declared.")
        return
    for number, one in enumerate(advice):
        if number:
            click.echo()
        named = known[one.key]
        click.echo(
            click.style(named.name, bold=True)
            + f" conflicts with {count(len(one.conflicts), 'declaration')} as planned:\n"
        )
        _conflicts([f for f in findings if one.key in (f.first, f.second)], one.key, known)
        click.echo()
        if one.under_way:
            click.echo("It began already. Only what has not begun is looked at here.")
        elif not one.options:
            click.echo(click.style("None within the limits: ", bold=True) + limits + ".")
        else:
            click.echo("Any one of these ends it:\n")
            table(
                ("", "CHANGE", "FROM", "TO", "ALTITUDES", "NEAREST THEN"),
                [
                    (
                        place,
                        change_words(option.change),
                        *_extent(option.geometry),
                        _nearest(next(near), known),
                    )
                    for place, option in enumerate(one.options, 1)
                ],
                right=(0,),
            )
    screened = any(one.options for one in advice)
    click.echo("\n" + (_FOOTER if screened else "Nothing was sent."))


def show_plan(
    made: Plan,
    findings: Sequence[Finding],
    known: Mapping[str, Named],
    *,
    left: Mapping[str, Nearest | None],
    warnings: Sequence[str],
    limits: str,
) -> None:
    """Print which declarations a plan changes, what is left, and how near each changed comes."""
    say_warnings(warnings)
    in_conflict = {key for f in findings for key in (f.first, f.second) if key in _own(made)}
    click.echo(
        f"{count(len(in_conflict), 'declaration')} of {len(made.extents):,} in conflict as "
        f"planned, {len(made.not_freed):,} after {count(len(made.changes), 'change')}."
    )
    if made.changes:
        click.echo()
        table(
            ("WHAT", "CHANGE", "FROM", "TO", "ALTITUDES", "NEAREST THEN"),
            [
                (
                    known[extent.key].name,
                    change_words(made.changes[extent.key]),
                    *_extent(extent.geometry),
                    _nearest(left[extent.key], known),
                )
                for extent in made.extents
                if extent.key in made.changes
            ],
        )
    if made.not_freed:
        click.echo(
            click.style("\nNot freed", bold=True)
            + f", none within the limits ({limits}): "
            + ", ".join(known[key].name for key in made.not_freed)
        )
        click.echo()
        _conflicts(made.remaining, None, known)
    if made.changes:
        click.echo("\n" + _FOOTER.replace("Each was", "All together were"))


def advice_view(
    advice: Sequence[Advice], known: Mapping[str, Named], left: Sequence[Nearest | None]
) -> list[dict[str, Any]]:
    """Return advice as programs read it; ``left`` as `show_advice` takes it."""
    near = iter(left)
    return [
        {
            **_identity(known[one.key]),
            "conflicts_with": [_identity(known[key]) for key in one.conflicts],
            "under_way": one.under_way,
            "options": [
                {
                    **_change(option.change),
                    "geometry": geometry_to_wire(option.geometry),
                    "nearest": _nearest_view(next(near), known),
                }
                for option in one.options
            ],
        }
        for one in advice
    ]


def plan_view(
    made: Plan, known: Mapping[str, Named], left: Mapping[str, Nearest | None]
) -> dict[str, Any]:
    """Return a plan as programs read it."""
    by_key = {extent.key: extent for extent in made.extents}
    return {
        "changes": [
            {
                **_identity(known[key]),
                **_change(change),
                "geometry": geometry_to_wire(by_key[key].geometry),
                "nearest": _nearest_view(left[key], known),
            }
            for key, change in made.changes.items()
        ],
        "not_freed": [_identity(known[key]) for key in made.not_freed],
        "remaining": [
            {
                "first": _identity(known[finding.first]),
                "second": _identity(known[finding.second]),
                "kind": finding.kind.value,
                "start_utc": format_utc(finding.start_ms),
                "end_utc": format_utc(finding.end_ms),
            }
            for finding in made.remaining
        ],
    }


def _nearest(near: Nearest | None, known: Mapping[str, Named]) -> str:
    if near is None:
        return f"nothing within {TIMES} times the minima"
    lateral = (
        f"{near.lateral_m / METRES_PER_NAUTICAL_MILE:.2f} of "
        f"{near.minima.lateral_m / METRES_PER_NAUTICAL_MILE:.2f} NM"
    )
    least = f"{feet_from_tmm(near.minima.vertical_tmm):,.0f} ft"
    vertical = (
        "altitudes do not compare"
        if near.vertical_tmm is None
        else f"{feet_from_tmm(near.vertical_tmm):,.0f} of {least}"
    )
    return f"{lateral}, {vertical}: {known[near.key].whose}"


def _nearest_view(near: Nearest | None, known: Mapping[str, Named]) -> dict[str, Any] | None:
    """Return what it comes nearest to; None for nothing within three times the minima."""
    if near is None:
        return None
    return {
        "to": _identity(known[near.key]),
        "lateral_m": near.lateral_m,
        "vertical_m": None if near.vertical_tmm is None else metres_from_tmm(near.vertical_tmm),
        "minimum_lateral_m": near.minima.lateral_m,
        "minimum_vertical_m": metres_from_tmm(near.minima.vertical_tmm),
    }


def _own(made: Plan) -> frozenset[str]:
    return frozenset(extent.key for extent in made.extents)


def _identity(named: Named) -> dict[str, Any]:
    return {
        "declaration_id": named.declaration_id,
        "party": named.party if named.own and named.place else named.shown_party,
        "purpose": named.purpose,
        "name": named.name,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "change": change_words(change),
        "kinds": [kind.value for kind in change.kinds],
        "shift_ms": change.shift_ms,
        "level_tmm": change.level_tmm,
        "offset_mm": change.offset_mm,
    }


def _conflicts(findings: Sequence[Finding], key: str | None, known: Mapping[str, Named]) -> None:
    def who(finding: Finding) -> str:
        sides = [finding.first, finding.second]
        if key is not None:
            sides.remove(key)
        return " / ".join(known[side].whose for side in sides)

    table(
        ("CLOSEST AT", "LATERAL", "VERTICAL", "WITH" if key else "WHO"),
        [
            (
                when(format_utc(finding.cpa_time_ms)),
                f"{finding.cpa_distance_m / METRES_PER_NAUTICAL_MILE:.2f} of "
                f"{finding.minima.lateral_m / METRES_PER_NAUTICAL_MILE:.2f} NM",
                _vertical(finding),
                who(finding),
            )
            for finding in sorted(findings, key=lambda f: (f.cpa_time_ms, f.first, f.second))
        ],
    )


def _vertical(finding: Finding) -> str:
    least = f"{feet_from_tmm(finding.minima.vertical_tmm):,.0f} ft"
    if finding.cpa_vertical_tmm is None:
        return f"unknown of {least}"
    return f"{abs(feet_from_tmm(finding.cpa_vertical_tmm)):,.0f} of {least}"


def _extent(geometry: Geometry) -> tuple[str, str, str]:
    if isinstance(geometry, Trajectory):
        points = geometry.waypoints
        heights = [point.altitude_tmm for point in points]
        start_ms, end_ms = points[0].at_ms, points[-1].at_ms
        low, high = (_level(geometry.reference, tmm) for tmm in (min(heights), max(heights)))
    else:
        span = span_of(geometry)
        start_ms, end_ms = span.start_ms, span.end_ms
        band = geometry[0].band
        low = "SFC" if band.lower_tmm is None else _level(band.reference, band.lower_tmm)
        high = "UNL" if band.upper_tmm is None else _level(band.reference, band.upper_tmm)
    levels = low if low == high else f"{low} to {high}"
    return when(format_utc(start_ms)), when(format_utc(end_ms)), levels


def _level(reference: AltitudeReference, tmm: int) -> str:
    return format_altitude(Altitude(reference, tmm))


def _duration(ms: int) -> str:
    seconds, rest = divmod(abs(ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{minutes} min"] if minutes else []
    if seconds or rest or not parts:
        parts.append(f"{seconds}.{rest:03d} s" if rest else f"{seconds} s")
    return " ".join(parts)
