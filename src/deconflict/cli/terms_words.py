"""Terms in words: every field, and what a proposal changes against the terms in force.

What is signed has to be read first, so nothing is left out and no figure is rounded: a change of
one millimetre shows.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import Final, TypeAlias

import click

from deconflict.airspace.notation import echo
from deconflict.cli.output import clean, fields
from deconflict.line.precedence import Precedence
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import word_for
from deconflict.messages.terms import PartyTerms, RungTerms, Terms, TheatreTerms
from deconflict.messages.values import ValueType
from deconflict.messages.wire_form import Place
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_FOOT, TMM_PER_METRE

__all__ = ["changed_rows", "show_terms", "terms_rows"]

Row: TypeAlias = tuple[str, str, str]  # section, name, value

_UNITS: Final = ((86_400_000, "days"), (3_600_000, "h"), (60_000, "min"))
_NONE: Final = "none"
_CONVERSIONS: Final = "ALTITUDES COMPARE BY (no other references compare)"


def show_terms(terms: Terms, in_force: Terms | None = None) -> None:
    """Print terms whole; before them, what they change against those in force."""
    rows = terms_rows(terms)
    changed: dict[tuple[str, str], str] = {}
    if in_force is not None:
        changes = changed_rows(terms, in_force)
        changed = {(section, name): value for section, name, value in changes}
        click.echo(click.style(f"CHANGES version {in_force.version}, in force:", bold=True))
        fields([(f"{section}: {clean(name)}", value) for section, name, value in changes], indent=2)
        if not changes:
            click.echo("  nothing but the order in which things are listed")
        click.echo()
    for section, group in groupby(rows, key=lambda row: row[0]):
        click.echo(click.style(section, bold=True))
        fields(
            [(clean(name), changed.get((section, name), value)) for _, name, value in group],
            indent=2,
        )


def changed_rows(proposed: Terms, in_force: Terms) -> list[Row]:
    """Return what differs, each as 'was …, proposed …', in the order in which terms are shown."""
    now = {(section, name): value for section, name, value in terms_rows(proposed)}
    was = {(section, name): value for section, name, value in terms_rows(in_force)}
    return [
        (*key, f"was {was.get(key, _NONE)}, proposed {now.get(key, _NONE)}")
        for key in dict.fromkeys((*now, *was))
        if now.get(key) != was.get(key)
    ]


def terms_rows(terms: Terms) -> list[Row]:
    """Return every field of terms in words; a section and a name stand for one field or a few."""
    minima, timers, back = terms.minima, terms.timers, terms.readback
    rows: list[Row] = []

    def add(section: str, pairs: Iterable[tuple[str, str]]) -> None:
        rows.extend((section, name, value) for name, value in pairs)

    add(
        "DOCUMENT",
        (
            ("format", terms.format),
            ("line", terms.line),
            ("version", str(terms.version)),
            ("replaces", terms.replaces or _NONE),
            ("record kept for", f"{terms.retention_days} days"),
        ),
    )
    for party in terms.parties:
        add("PARTIES", _party(party))
    add("THEATRE", _theatre(terms.theatre))
    for third in terms.third_parties:
        where = "wherever a declaration is" if third.where is None else _places(third.where)
        add("THIRD PARTIES WITHOUT A LINE", ((third.name, where),))
    add(
        "SEPARATION MINIMA",
        (
            *(
                (
                    " and ".join(map(_purpose, pair.between)),
                    _minimum(pair.lateral_mm, pair.vertical_tmm),
                )
                for pair in minima.pairs
            ),
            (
                "every other pair",
                _minimum(minima.default.lateral_mm, minima.default.vertical_tmm),
            ),
        ),
    )
    add(
        _CONVERSIONS,
        (
            (f"{one.source} to {one.to}", f"add {_metres(one.lo_tmm)} to {_metres(one.hi_tmm)}")
            for one in terms.altitude_conversions
        ),
    )
    if not terms.altitude_conversions:
        add(_CONVERSIONS, ((_NONE, "levels of two references cannot be compared"),))
    add(
        "DECLARED BEFORE THE START",
        (
            (
                _purpose(purpose),
                f"at least {_span(lead.least_ms)}, aimed at {_span(lead.aim_ms)}",
            )
            for purpose, lead in terms.lead_times.items()
        ),
    )
    for precedence in Precedence:
        limits = timers.limits[precedence]
        add(
            f"{precedence} MESSAGES",
            (
                ("signed for within", _span(limits.lack_ms)),
                ("read within", _span(limits.seen_ms)),
                ("answered within", _span(limits.answer_ms)),
                ("not acted on after", _span(timers.expires_after_ms[precedence])),
                ("past the last limit", "; ".join(map(_rung, timers.ladders[precedence]))),
            ),
        )
    add(
        "ANSWERED SOONER",
        (
            (_kind(kind), f"within {_span(limit_ms)}")
            for kind, limit_ms in timers.answer_within_ms.items()
        ),
    )
    add(
        "A READBACK AGREES WITHIN",
        (
            ("position", _lateral(back.position_mm)),
            ("distance from the landmark", _lateral(back.distance_mm)),
            ("bearing from the landmark", f"{_exact(Decimal(back.bearing_ddeg) / 10)}°"),
            ("altitude", _vertical(back.altitude_tmm)),
            ("time", _span(back.time_ms)),
        ),
    )
    add(
        "A SUSPENSION STOPS (safety messages and cease requests always pass)",
        (
            (scope.name, ", ".join(map(_kind, scope.stops)) or _NONE)
            for scope in terms.suspension_scopes
        ),
    )
    add(
        "CLOCKS AND CHECKS",
        (
            ("clocks apart by at most", _span(terms.clock_error_ms)),
            ("times of accounts agree within", _span(terms.time_tolerance_ms)),
            ("line checked every", _span(terms.line_check_every_ms)),
        ),
    )
    return rows


def _purpose(purpose: Purpose) -> str:
    return word_for(ValueType.PURPOSE, purpose, "en")


def _kind(kind: Kind) -> str:
    return word_for(ValueType.KIND, kind, "en")


def _party(party: PartyTerms) -> Iterator[tuple[str, str]]:
    yield f"{party.party}, main desk", party.main_desk
    yield f"{party.party}, second desk", party.second_desk
    yield f"{party.party}, languages read", ", ".join(party.languages)
    persons = "1 person" if party.answer_persons == 1 else f"{party.answer_persons} persons"
    yield f"{party.party}, an answer takes", persons


def _theatre(theatre: TheatreTerms) -> Iterator[tuple[str, str]]:
    yield "name", theatre.name
    if theatre.outline is None:
        yield "outline", "none: everywhere"
    else:
        yield "outline", f"{len(theatre.outline)} corners"
        for number, corner in enumerate(theatre.outline, 1):
            yield f"corner {number}", _place(corner)
    for landmark in theatre.landmarks:
        yield f"landmark {landmark.name}", _place(landmark.position)


def _rung(rung: RungTerms) -> str:
    steps = ", ".join(step.replace("_", " ").lower() for step in rung.steps)
    return f"{_span(rung.after_ms)}: {steps}" if rung.after_ms else f"at once: {steps}"


def _place(place: Place) -> str:
    written = echo(place.position)
    return f"{written.decimal} (MGRS {written.mgrs})"


def _places(places: Iterable[Place]) -> str:
    return "inside " + "; ".join(echo(place.position).decimal for place in places)


def _minimum(lateral_mm: int, vertical_tmm: int) -> str:
    return f"{_lateral(lateral_mm)} lateral, {_vertical(vertical_tmm)} vertical"


def _lateral(mm: int) -> str:
    miles = Decimal(mm) / MILLIMETRES_PER_NAUTICAL_MILE
    return f"{_exact(Decimal(mm) / 1000)} m ({miles:,.2f} NM)"


def _vertical(tmm: int) -> str:
    return f"{_metres(tmm)} ({Decimal(tmm) / TMM_PER_FOOT:,.0f} ft)"


def _metres(tmm: int) -> str:
    return f"{_exact(Decimal(tmm) / TMM_PER_METRE)} m"


def _span(ms: int) -> str:
    """Return a length of time, exact, in the largest unit that it is whole in.

    >>> _span(7_200_000), _span(90_000), _span(1_500), _span(0)
    ('2 h', '90 s', '1.5 s', '0 s')
    """
    for length, unit in _UNITS:
        if ms and ms % length == 0 and (unit != "days" or ms > length):
            return f"{ms // length:,} {unit}"
    return f"{_exact(Decimal(ms) / 1000)} s"


def _exact(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
