"""Terms in words: every field, and what a proposal changes against the terms in force.

What is signed has to be read first, so nothing is left out and no figure is rounded: a change of
one millimetre shows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from deconflict.airspace.notation import echo
from deconflict.line.precedence import Precedence
from deconflict.messages.private_terms_rows import check_rows
from deconflict.messages.terms import PartyTerms, Terms, TheatreTerms
from deconflict.messages.terms_wording import TermsWording

__all__ = ["TermsChange", "TermsRow", "changed_rows", "terms_rows"]

_DAY_MS: Final = 86_400_000


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
    none = TermsWording(language).value("none")
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


class _Writer(TermsWording):
    """Writes terms in one language."""

    def rows(self, terms: Terms) -> Iterator[TermsRow]:
        parts: tuple[tuple[str, Iterable[tuple[str, str]]], ...] = (
            (self.section("document"), self._document(terms)),
            (self.section("parties"), self._parties(terms.parties)),
            (self.section("theatre"), self._theatre(terms.theatre)),
            (self.section("third_parties"), self._third_parties(terms)),
            (self.section("minima"), self._minima(terms)),
            (self.section("conversions"), self._conversions(terms)),
            (self.section("lead_times"), self._lead_times(terms)),
            *(
                (self.section("precedence", precedence=each.value), self._timers(terms, each))
                for each in Precedence
            ),
            (self.section("sooner"), self._sooner(terms)),
            (self.section("readback"), self._readback(terms)),
            (self.section("scopes"), self._scopes(terms)),
            (self.section("clocks"), self._clocks(terms)),
        )
        for section, pairs in parts:
            yield from (TermsRow(section, name, value) for name, value in pairs)
        yield from (TermsRow(*row) for row in check_rows(terms.private_check, self))

    def _document(self, terms: Terms) -> Iterator[tuple[str, str]]:
        yield self.name("format"), self.apart(terms.format)
        yield self.name("line"), self.apart(terms.line)
        yield self.name("version"), self.apart(str(terms.version))
        replaces = self.value("none") if terms.replaces is None else self.apart(terms.replaces)
        yield self.name("replaces"), replaces
        yield self.name("kept"), self.span(terms.retention_days * _DAY_MS)

    def _parties(self, parties: Iterable[PartyTerms]) -> Iterator[tuple[str, str]]:
        for each in parties:
            party = each.party
            yield self.name("main_desk", party=party), self.apart(each.main_desk)
            yield self.name("second_desk", party=party), self.apart(each.second_desk)
            yield self.name("languages", party=party), self.listed(each.languages)
            yield self.name("persons", party=party), self.value(f"persons_{each.answer_persons}")

    def _theatre(self, theatre: TheatreTerms) -> Iterator[tuple[str, str]]:
        yield self.name("theatre"), self.apart(theatre.name)
        if theatre.outline is None:
            yield self.name("outline"), self.value("everywhere")
        else:
            corners = self.value("corners", count=str(len(theatre.outline)))
            yield self.name("outline"), corners
            for number, corner in enumerate(theatre.outline, 1):
                yield self.name("corner", number=str(number)), self.place(corner)
        for landmark in theatre.landmarks:
            name = self.name("landmark", landmark=landmark.name)
            yield name, self.place(landmark.position)

    def _third_parties(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for third in terms.third_parties:
            if third.where is None:
                yield self.apart(third.name), self.value("wherever")
            else:
                corners = "; ".join(echo(place.position).decimal for place in third.where)
                yield self.apart(third.name), self.value("inside", corners=corners)

    def _minima(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for pair in terms.minima.pairs:
            name = self.joined("pair", map(self.purpose, pair.between))
            yield name, self.minimum(pair.lateral_mm, pair.vertical_tmm)
        default = terms.minima.default
        yield self.name("every_pair"), self.minimum(default.lateral_mm, default.vertical_tmm)

    def _conversions(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for one in terms.altitude_conversions:
            name = self.name("conversion", source=one.source.value, to=one.to.value)
            least, most = self.metres(one.lo_tmm), self.metres(one.hi_tmm)
            yield name, self.value("added", least=least, most=most)
        if not terms.altitude_conversions:
            yield self.value("none"), self.value("not_compared")

    def _lead_times(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for purpose, lead in terms.lead_times.items():
            least, aim = self.span(lead.least_ms), self.span(lead.aim_ms)
            yield self.purpose(purpose), self.plain("lead_time", least=least, aim=aim)

    def _timers(self, terms: Terms, precedence: Precedence) -> Iterator[tuple[str, str]]:
        timers = terms.timers
        limits = timers.limits[precedence]
        yield self.name("signed_for"), self.span(limits.lack_ms)
        yield self.name("read"), self.span(limits.seen_ms)
        yield self.name("answered"), self.span(limits.answer_ms)
        yield self.name("expires"), self.span(timers.expires_after_ms[precedence])
        rungs = self.joined("rungs", map(self.rung, timers.ladders[precedence]))
        yield self.name("ladder"), rungs

    def _sooner(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for kind, limit_ms in terms.timers.answer_within_ms.items():
            yield self.kind(kind), self.plain("within", span=self.span(limit_ms))

    def _readback(self, terms: Terms) -> Iterator[tuple[str, str]]:
        back = terms.readback
        yield self.name("position"), self.apart(self.lateral(back.position_mm))
        yield self.name("distance"), self.apart(self.lateral(back.distance_mm))
        yield self.name("bearing"), self.apart(f"{self.exact(Decimal(back.bearing_ddeg) / 10)}°")
        yield self.name("altitude"), self.apart(self.vertical(back.altitude_tmm))
        yield self.name("time"), self.span(back.time_ms)

    def _scopes(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for scope in terms.suspension_scopes:
            stops = self.kinds(scope.stops) or self.value("none")
            yield self.apart(scope.name), stops

    def _clocks(self, terms: Terms) -> Iterator[tuple[str, str]]:
        yield self.name("clocks_apart"), self.span(terms.clock_error_ms)
        yield self.name("accounts_agree"), self.span(terms.time_tolerance_ms)
        yield self.name("line_check"), self.span(terms.line_check_every_ms)
