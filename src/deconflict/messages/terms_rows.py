"""Terms in words: every field, and what a proposal changes against the terms in force.

What is signed has to be read first, so nothing is left out and no figure is rounded: a change of
one millimetre shows. The words of each language are ``data/terms.LANGUAGE.toml``; a value that may
run another way than the text around it stands in an isolate, as in phrases.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from deconflict.airspace.notation import echo
from deconflict.line.precedence import Precedence
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import set_apart, word_for, wording
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.terms import PartyTerms, RungTerms, Terms, TheatreTerms
from deconflict.messages.values import ValueType
from deconflict.messages.wire_form import Place
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_FOOT, TMM_PER_METRE

__all__ = ["TermsChange", "TermsRow", "changed_rows", "terms_rows"]

_DAY_MS: Final = 86_400_000
_UNITS: Final = ((_DAY_MS, "day"), (3_600_000, "hour"), (60_000, "minute"))


@dataclass(frozen=True, slots=True)
class TermsRow:
    """One thing that terms say, under its heading; section and name together stand once."""

    section: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TermsChange:
    """One thing that proposed terms say otherwise; what is not there at all is said as such."""

    section: str
    name: str
    was: str
    proposed: str


def changed_rows(proposed: Terms, in_force: Terms, language: str) -> list[TermsChange]:
    """Return what differs, in the order in which terms are shown; empty when nothing does."""
    now, was = (_by_name(terms_rows(terms, language)) for terms in (proposed, in_force))
    none = _texts(language)["values"]["none"]
    return [
        TermsChange(*key, was.get(key, none), now.get(key, none))
        for key in dict.fromkeys((*now, *was))
        if now.get(key) != was.get(key)
    ]


def _by_name(rows: Iterable[TermsRow]) -> dict[tuple[str, str], str]:
    return {(row.section, row.name): row.value for row in rows}


def terms_rows(terms: Terms, language: str) -> list[TermsRow]:
    """Return every field of terms in words of a language.

    Raises:
        InvalidInputError: no such language.
    """
    return list(_Writer(language).rows(terms))


class _Writer:
    """Writes terms in one language."""

    def __init__(self, language: str) -> None:
        texts = _texts(language)
        self._sections: dict[str, str] = texts["sections"]
        self._names: dict[str, str] = texts["names"]
        self._values: dict[str, str] = texts["values"]
        self._units: dict[str, Any] = texts["units"]
        self._steps: dict[str, str] = texts["steps"]
        self._list: str = wording(language)["formats"]["list"]
        self._language = language

    def rows(self, terms: Terms) -> Iterator[TermsRow]:
        parts: tuple[tuple[str, Iterable[tuple[str, str]]], ...] = (
            (self._section("document"), self._document(terms)),
            (self._section("parties"), self._parties(terms.parties)),
            (self._section("theatre"), self._theatre(terms.theatre)),
            (self._section("third_parties"), self._third_parties(terms)),
            (self._section("minima"), self._minima(terms)),
            (self._section("conversions"), self._conversions(terms)),
            (self._section("lead_times"), self._lead_times(terms)),
            *(
                (self._section("precedence", precedence=each.value), self._timers(terms, each))
                for each in Precedence
            ),
            (self._section("sooner"), self._sooner(terms)),
            (self._section("readback"), self._readback(terms)),
            (self._section("scopes"), self._scopes(terms)),
            (self._section("clocks"), self._clocks(terms)),
            *self._private(terms.private_check),
        )
        for section, pairs in parts:
            yield from (TermsRow(section, name, value) for name, value in pairs)

    def _document(self, terms: Terms) -> Iterator[tuple[str, str]]:
        yield self._name("format"), self._apart(terms.format)
        yield self._name("line"), self._apart(terms.line)
        yield self._name("version"), self._apart(str(terms.version))
        replaces = self._value("none") if terms.replaces is None else self._apart(terms.replaces)
        yield self._name("replaces"), replaces
        yield self._name("kept"), self._span(terms.retention_days * _DAY_MS)

    def _parties(self, parties: Iterable[PartyTerms]) -> Iterator[tuple[str, str]]:
        for each in parties:
            party = each.party
            yield self._name("main_desk", party=party), self._apart(each.main_desk)
            yield self._name("second_desk", party=party), self._apart(each.second_desk)
            yield self._name("languages", party=party), self._listed(each.languages)
            yield self._name("persons", party=party), self._value(f"persons_{each.answer_persons}")

    def _theatre(self, theatre: TheatreTerms) -> Iterator[tuple[str, str]]:
        yield self._name("theatre"), self._apart(theatre.name)
        if theatre.outline is None:
            yield self._name("outline"), self._value("everywhere")
        else:
            corners = self._value("corners", count=str(len(theatre.outline)))
            yield self._name("outline"), corners
            for number, corner in enumerate(theatre.outline, 1):
                yield self._name("corner", number=str(number)), self._place(corner)
        for landmark in theatre.landmarks:
            name = self._name("landmark", landmark=landmark.name)
            yield name, self._place(landmark.position)

    def _third_parties(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for third in terms.third_parties:
            if third.where is None:
                yield self._apart(third.name), self._value("wherever")
            else:
                corners = "; ".join(echo(place.position).decimal for place in third.where)
                yield self._apart(third.name), self._value("inside", corners=corners)

    def _minima(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for pair in terms.minima.pairs:
            name = self._values["pair"].join(map(self._purpose, pair.between))
            yield name, self._minimum(pair.lateral_mm, pair.vertical_tmm)
        default = terms.minima.default
        yield self._name("every_pair"), self._minimum(default.lateral_mm, default.vertical_tmm)

    def _conversions(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for one in terms.altitude_conversions:
            name = self._name("conversion", source=one.source.value, to=one.to.value)
            least, most = self._metres(one.lo_tmm), self._metres(one.hi_tmm)
            yield name, self._value("added", least=least, most=most)
        if not terms.altitude_conversions:
            yield self._value("none"), self._value("not_compared")

    def _lead_times(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for purpose, lead in terms.lead_times.items():
            least, aim = self._span(lead.least_ms), self._span(lead.aim_ms)
            yield self._purpose(purpose), self._plain("lead_time", least=least, aim=aim)

    def _timers(self, terms: Terms, precedence: Precedence) -> Iterator[tuple[str, str]]:
        timers = terms.timers
        limits = timers.limits[precedence]
        yield self._name("signed_for"), self._span(limits.lack_ms)
        yield self._name("read"), self._span(limits.seen_ms)
        yield self._name("answered"), self._span(limits.answer_ms)
        yield self._name("expires"), self._span(timers.expires_after_ms[precedence])
        rungs = self._values["rungs"].join(map(self._rung, timers.ladders[precedence]))
        yield self._name("ladder"), rungs

    def _sooner(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for kind, limit_ms in terms.timers.answer_within_ms.items():
            yield self._kind(kind), self._plain("within", span=self._span(limit_ms))

    def _readback(self, terms: Terms) -> Iterator[tuple[str, str]]:
        back = terms.readback
        yield self._name("position"), self._apart(self._lateral(back.position_mm))
        yield self._name("distance"), self._apart(self._lateral(back.distance_mm))
        yield self._name("bearing"), self._apart(f"{self._exact(Decimal(back.bearing_ddeg) / 10)}°")
        yield self._name("altitude"), self._apart(self._vertical(back.altitude_tmm))
        yield self._name("time"), self._span(back.time_ms)

    def _scopes(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for scope in terms.suspension_scopes:
            stops = self._list.join(map(self._kind, scope.stops)) or self._value("none")
            yield self._apart(scope.name), stops

    def _clocks(self, terms: Terms) -> Iterator[tuple[str, str]]:
        yield self._name("clocks_apart"), self._span(terms.clock_error_ms)
        yield self._name("accounts_agree"), self._span(terms.time_tolerance_ms)
        yield self._name("line_check"), self._span(terms.line_check_every_ms)

    # ---- private checks -----------------------------------------------------------------------

    def _private(
        self, check: PrivateCheckTerms | None
    ) -> tuple[tuple[str, Iterable[tuple[str, str]]], ...]:
        """Return the sections of the document on private checks."""
        if check is None:
            return ((self._section("private"), ((self._name("agreed"), self._value("none")),)),)
        return (
            (self._section("private"), self._private_cells(check)),
            (self._section("private_when"), self._private_when(check)),
            (self._section("private_asked"), self._private_asked(check)),
            (self._section("private_kept"), self._private_kept(check)),
        )

    def _private_cells(self, check: PrivateCheckTerms) -> Iterator[tuple[str, str]]:
        minima = check.minima
        yield self._name("document"), self._apart(check.document_hash)
        near = self._minimum(minima.horizontal_mm, minima.vertical_tmm)
        yield self._name("finds"), self._plain("near", near=near, time=self._span(minima.time_ms))
        yield self._name("origin"), self._place(check.origin)
        size = self._minimum(check.cell_mm, check.level_tmm)
        yield self._name("cells"), self._plain("near", near=size, time=self._span(check.slot_ms))
        for name, count, rim_mm in (
            ("west_to_east", check.columns, check.west_mm),
            ("south_to_north", check.rows, check.south_mm),
        ):
            far_mm = rim_mm + count * check.cell_mm
            yield (
                self._name(name),
                self._value(
                    "stretch",
                    count=self._count(count),
                    least=self._offset(rim_mm),
                    most=self._offset(far_mm),
                ),
            )
        ceiling_tmm = check.floor_tmm + check.levels * check.level_tmm
        yield (
            self._name("levels", reference=check.reference.value),
            self._value(
                "stretch",
                count=self._count(check.levels),
                least=self._metres(check.floor_tmm),
                most=self._metres(ceiling_tmm),
            ),
        )
        cut = self._listed(map(str, check.refinements)) or self._value("none")
        yield self._name("closer_looks"), cut

    def _private_when(self, check: PrivateCheckTerms) -> Iterator[tuple[str, str]]:
        lasts_ms = check.slots * check.slot_ms
        slots = self._value("slots", count=self._count(check.slots))
        yield self._name("period"), self._plain("near", near=slots, time=self._span(lasts_ms))
        yield self._name("cadence"), self._span(check.cadence_ms)
        if check.cadence_ms > lasts_ms:
            yield self._name("gap"), self._span(check.cadence_ms - lasts_ms)
        yield self._name("ahead"), self._span(check.ahead_ms)
        yield self._name("run_limit"), self._span(check.run_limit_ms)
        yield self._name("tags_after"), self._span(check.tags_after_ms)

    def _private_asked(self, check: PrivateCheckTerms) -> Iterator[tuple[str, str]]:
        for name, count in (
            ("points", check.points),
            ("tags", check.bucket),
            ("bytes", check.bytes_of_run()),
            ("sorties", check.sorties),
            ("sortie_cells", check.cells_per_sortie_slot),
            ("runs_per_slot", check.runs_per_slot),
        ):
            yield self._name(name), self._apart(self._count(count))

    def _private_kept(self, check: PrivateCheckTerms) -> Iterator[tuple[str, str]]:
        rate = self._value("per_mille", count=str(check.audit_per_mille))
        yield self._name("audited"), rate if check.audit_per_mille else self._value("none")
        arbiter = self._value("none") if check.arbiter is None else self._apart(check.arbiter)
        yield self._name("arbiter"), arbiter
        yield self._name("opened_after"), self._span(check.opened_after_days * _DAY_MS)
        yield self._name("plans_kept"), self._span(check.retention_days * _DAY_MS)

    # ---- words and figures ------------------------------------------------------------------

    def _section(self, key: str, **values: str) -> str:
        return self._filled(self._sections[key], values)

    def _name(self, key: str, **values: str) -> str:
        return self._filled(self._names[key], values)

    def _value(self, key: str, **values: str) -> str:
        return self._filled(self._values[key], values)

    def _filled(self, text: str, values: dict[str, str]) -> str:
        return text.format_map({name: self._apart(value) for name, value in values.items()})

    def _plain(self, key: str, **values: str) -> str:
        """Fill in what is in words of the language already."""
        return self._values[key].format_map(values)

    def _apart(self, written: str) -> str:
        return set_apart(written, self._language)

    def _listed(self, values: Iterable[str]) -> str:
        return self._list.join(map(self._apart, values))

    def _purpose(self, purpose: Purpose) -> str:
        return word_for(ValueType.PURPOSE, purpose, self._language)

    def _kind(self, kind: Kind) -> str:
        return word_for(ValueType.KIND, kind, self._language)

    def _rung(self, rung: RungTerms) -> str:
        steps = self._list.join(self._steps[step.value] for step in rung.steps)
        if not rung.after_ms:
            return self._plain("rung_at_once", steps=steps)
        return self._plain("rung", after=self._span(rung.after_ms), steps=steps)

    def _place(self, place: Place) -> str:
        written = echo(place.position)
        return self._apart(f"{written.decimal} (MGRS {written.mgrs})")

    def _minimum(self, lateral_mm: int, vertical_tmm: int) -> str:
        lateral, vertical = self._lateral(lateral_mm), self._vertical(vertical_tmm)
        return self._value("minimum", lateral=lateral, vertical=vertical)

    def _lateral(self, mm: int) -> str:
        miles = f"{Decimal(mm) / MILLIMETRES_PER_NAUTICAL_MILE:,.2f}"
        metres = self._exact(Decimal(mm) / 1000)
        return f"{metres} {self._units['metre']} ({self._grouped(miles)} NM)"

    def _vertical(self, tmm: int) -> str:
        return f"{self._metres(tmm)} ({self._grouped(f'{Decimal(tmm) / TMM_PER_FOOT:,.0f}')} ft)"

    def _metres(self, tmm: int) -> str:
        return f"{self._exact(Decimal(tmm) / TMM_PER_METRE)} {self._units['metre']}"

    def _offset(self, mm: int) -> str:
        return f"{self._exact(Decimal(mm) / 1000)} {self._units['metre']}"

    def _count(self, count: int) -> str:
        return self._grouped(f"{count:,}")

    def _span(self, ms: int) -> str:
        """Return a length of time, exact, in the largest unit that it is whole in."""
        for length, unit in _UNITS:
            if ms and ms % length == 0 and (unit != "day" or ms > length):
                return self._apart(f"{self._grouped(f'{ms // length:,}')} {self._units[unit]}")
        return self._apart(f"{self._exact(Decimal(ms) / 1000)} {self._units['second']}")

    def _exact(self, value: Decimal) -> str:
        text = self._grouped(f"{value:,f}")
        return text.rstrip("0").rstrip(".") if "." in text else text

    def _grouped(self, figures: str) -> str:
        # Where a comma parts the fraction from the whole, 9,260 would read as nine and a quarter.
        return figures if self._units["grouped"] else figures.replace(",", "")


@cache
def _texts(language: str) -> dict[str, Any]:
    wording(language)  # refuses a language that there is none of
    found = files("deconflict.messages").joinpath("data", f"terms.{language}.toml")
    return tomllib.loads(found.read_text(encoding="utf-8"))
