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
from deconflict.cli.figures import exact, lateral, metres, span, vertical
from deconflict.cli.output import clean, fields
from deconflict.cli.private_terms_words import check_rows
from deconflict.line.precedence import Precedence
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import word_for
from deconflict.messages.terms import PartyTerms, RungTerms, Terms, TheatreTerms
from deconflict.messages.values import ValueType
from deconflict.messages.wire_form import Place

__all__ = ["changed_rows", "show_terms", "terms_rows"]

Row: TypeAlias = tuple[str, str, str]  # section, name, value

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
            (f"{one.source} to {one.to}", f"add {metres(one.lo_tmm)} to {metres(one.hi_tmm)}")
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
                f"at least {span(lead.least_ms)}, aimed at {span(lead.aim_ms)}",
            )
            for purpose, lead in terms.lead_times.items()
        ),
    )
    for precedence in Precedence:
        limits = timers.limits[precedence]
        add(
            f"{precedence} MESSAGES",
            (
                ("signed for within", span(limits.lack_ms)),
                ("read within", span(limits.seen_ms)),
                ("answered within", span(limits.answer_ms)),
                ("not acted on after", span(timers.expires_after_ms[precedence])),
                ("past the last limit", "; ".join(map(_rung, timers.ladders[precedence]))),
            ),
        )
    add(
        "ANSWERED SOONER",
        (
            (_kind(kind), f"within {span(limit_ms)}")
            for kind, limit_ms in timers.answer_within_ms.items()
        ),
    )
    add(
        "A READBACK AGREES WITHIN",
        (
            ("position", lateral(back.position_mm)),
            ("distance from the landmark", lateral(back.distance_mm)),
            ("bearing from the landmark", f"{exact(Decimal(back.bearing_ddeg) / 10)}°"),
            ("altitude", vertical(back.altitude_tmm)),
            ("time", span(back.time_ms)),
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
            ("clocks apart by at most", span(terms.clock_error_ms)),
            ("times of accounts agree within", span(terms.time_tolerance_ms)),
            ("line checked every", span(terms.line_check_every_ms)),
        ),
    )
    rows.extend(check_rows(terms.private_check))
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
    return f"{span(rung.after_ms)}: {steps}" if rung.after_ms else f"at once: {steps}"


def _place(place: Place) -> str:
    written = echo(place.position)
    return f"{written.decimal} (MGRS {written.mgrs})"


def _places(places: Iterable[Place]) -> str:
    return "inside " + "; ".join(echo(place.position).decimal for place in places)


def _minimum(lateral_mm: int, vertical_tmm: int) -> str:
    return f"{lateral(lateral_mm)} lateral, {vertical(vertical_tmm)} vertical"
