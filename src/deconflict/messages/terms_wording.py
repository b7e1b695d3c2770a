"""The words and figures in which terms are written, in one language.

Nothing is rounded. The words are ``data/terms.LANGUAGE.toml``; a value that may run another way
than the text around it stands in an isolate, as in phrases.
"""

import tomllib
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from deconflict.airspace.notation import echo
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import set_apart, word_for, wording
from deconflict.messages.terms import RungTerms
from deconflict.messages.values import ValueType
from deconflict.messages.wire_form import Place
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_FOOT, TMM_PER_METRE

__all__ = ["TermsWording"]

_DAY_MS: Final = 86_400_000
_UNITS: Final = ((_DAY_MS, "day"), (3_600_000, "hour"), (60_000, "minute"))


class TermsWording:
    """Writes what terms say in one language.

    Args:
        language: its two letters.

    Raises:
        InvalidInputError: no such language.
    """

    def __init__(self, language: str) -> None:
        texts = _texts(language)
        self._sections: dict[str, str] = texts["sections"]
        self._names: dict[str, str] = texts["names"]
        self._values: dict[str, str] = texts["values"]
        self._units: dict[str, Any] = texts["units"]
        self._steps: dict[str, str] = texts["steps"]
        self._list: str = wording(language)["formats"]["list"]
        self._language = language

    def section(self, key: str, **values: str) -> str:
        """Return a heading."""
        return self._filled(self._sections[key], values)

    def name(self, key: str, **values: str) -> str:
        """Return the name of a field."""
        return self._filled(self._names[key], values)

    def value(self, key: str, **values: str) -> str:
        """Fill what is no word into words: each value in an isolate."""
        return self._filled(self._values[key], values)

    def _filled(self, text: str, values: dict[str, str]) -> str:
        return text.format_map({name: self.apart(value) for name, value in values.items()})

    def plain(self, key: str, **values: str) -> str:
        """Fill in what is in words of the language already."""
        return self._values[key].format_map(values)

    def apart(self, written: str) -> str:
        """Return a value in an isolate where the language needs one."""
        return set_apart(written, self._language)

    def listed(self, values: Iterable[str]) -> str:
        """Return several, none of them a word."""
        return self._list.join(map(self.apart, values))

    def purpose(self, purpose: Purpose) -> str:
        """Return the word for a purpose."""
        return word_for(ValueType.PURPOSE, purpose, self._language)

    def kinds(self, kinds: Iterable[Kind]) -> str:
        """Return the words for kinds of message; empty for none."""
        return self._list.join(map(self.kind, kinds))

    def kind(self, kind: Kind) -> str:
        """Return the word for a kind of message."""
        return word_for(ValueType.KIND, kind, self._language)

    def rung(self, rung: RungTerms) -> str:
        """Return what is done on a rung of the ladder, and when."""
        steps = self._list.join(self._steps[step.value] for step in rung.steps)
        if not rung.after_ms:
            return self.plain("rung_at_once", steps=steps)
        return self.plain("rung", after=self.span(rung.after_ms), steps=steps)

    def place(self, place: Place) -> str:
        """Return a place in two notations."""
        written = echo(place.position)
        return self.apart(f"{written.decimal} (MGRS {written.mgrs})")

    def joined(self, key: str, several: Iterable[str]) -> str:
        """Return several that are in words already, with the words between them."""
        return self._values[key].join(several)

    def minimum(self, lateral_mm: int, vertical_tmm: int) -> str:
        """Return a minimum aside and above."""
        lateral, vertical = self.lateral(lateral_mm), self.vertical(vertical_tmm)
        return self.value("minimum", lateral=lateral, vertical=vertical)

    def lateral(self, mm: int) -> str:
        """Return a distance in metres, and about in nautical miles."""
        miles = f"{Decimal(mm) / MILLIMETRES_PER_NAUTICAL_MILE:,.2f}"
        metres = self.exact(Decimal(mm) / 1000)
        return f"{metres} {self._units['metre']} ({self.grouped(miles)} NM)"

    def vertical(self, tmm: int) -> str:
        """Return a height in metres, and about in feet."""
        return f"{self.metres(tmm)} ({self.grouped(f'{Decimal(tmm) / TMM_PER_FOOT:,.0f}')} ft)"

    def metres(self, tmm: int) -> str:
        """Return an altitude or a height in metres."""
        return f"{self.exact(Decimal(tmm) / TMM_PER_METRE)} {self._units['metre']}"

    def span(self, ms: int) -> str:
        """Return a length of time, exact, in the largest unit that it is whole in."""
        for length, unit in _UNITS:
            if ms and ms % length == 0 and (unit != "day" or ms > length):
                return self.apart(f"{self.grouped(f'{ms // length:,}')} {self._units[unit]}")
        return self.apart(f"{self.exact(Decimal(ms) / 1000)} {self._units['second']}")

    def exact(self, value: Decimal) -> str:
        """Return a number whole, without noughts at its end."""
        text = self.grouped(f"{value:,f}")
        return text.rstrip("0").rstrip(".") if "." in text else text

    def count(self, number: int) -> str:
        """Return a whole number."""
        return self.grouped(f"{number:,}")

    def grouped(self, figures: str) -> str:
        """Return figures in groups of three, or without where that would mislead."""
        # Where a comma parts the fraction from the whole, 9,260 would read as nine and a quarter.
        return figures if self._units["grouped"] else figures.replace(",", "")


@cache
def _texts(language: str) -> dict[str, Any]:
    wording(language)  # refuses a language that there is none of
    found = files("deconflict.messages").joinpath("data", f"terms.{language}.toml")
    return tomllib.loads(found.read_text(encoding="utf-8"))
