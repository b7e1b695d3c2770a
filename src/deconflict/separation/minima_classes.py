"""Minima told apart by who flies, as well as by what for; one class each for the kernel."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.purposes import PURPOSES
from deconflict.errors import InvalidInputError
from deconflict.separation.labels import Labels, numbered
from deconflict.separation.minima import Minima, MinimaTable
from deconflict.separation.said_minima import SaidMinima

__all__ = ["MAX_CLASSES", "MinimaClasses", "class_name"]

MAX_CLASSES: Final = 1_024  # the kernel holds a square of them
Class = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class MinimaClasses:
    """What minima a pair has: by the two parties where some are said for these, else by purposes.

    Attributes:
        table: by purposes.
        parties: by pairs of parties; a set of one is that party against itself.
        purposes: those that are there, with a number each.
    """

    table: MinimaTable
    parties: Mapping[frozenset[str], Minima]
    purposes: Mapping[str, int]

    @staticmethod
    def of(
        said: SaidMinima, *, purposes: Collection[str], parties: Collection[str]
    ) -> "MinimaClasses":
        """Return the classes that minima and what is there make.

        A pair of names is one of purposes or of parties, by what they are there; minima of a
        pair of parties hold whatever the purposes.

        Raises:
            InvalidInputError: a name is neither or both, a pair mixes the two, no minima are said
                for some pair of purposes, or there are too many classes.

        >>> from deconflict.separation.said_minima import said_minima
        >>> said = said_minima(["5NM,1000ft", "red:blue=3NM,500ft"])
        >>> found = MinimaClasses.of(said, purposes=["FLIGHT"], parties=["red", "blue", "grey"])
        >>> [found.between(("FLIGHT", "red"), ("FLIGHT", who)).lateral_m for who in ("blue", None)]
        [5556.0, 9260.0]
        """
        known = {*PURPOSES, *purposes}
        by_purpose: dict[frozenset[str], Minima] = {}
        by_party: dict[frozenset[str], Minima] = {}
        for pair, minima in said.pairs.items():
            which = by_purpose if pair <= known else by_party
            if which is by_party and not pair <= set(parties):
                raise _unknown(pair, known, parties)
            if which is by_purpose and pair & set(parties):
                raise InvalidInputError(
                    "a name is that of a party and of a purpose: whose minima are these?",
                    given=", ".join(sorted(pair & set(parties))),
                    expected="names of which each is one of the two",
                    remedy="call the party something else",
                )
            which[pair] = minima
        if by_party and said.for_all is None and not by_purpose:
            raise InvalidInputError(
                "minima are given for some pairs of parties only",
                given=", ".join(sorted(":".join(sorted(pair)) for pair in by_party)[:6]),
                expected="minima for all others too, such as 5NM,1000ft",
            )
        table = SaidMinima(said.for_all, by_purpose).table(purposes)
        made = MinimaClasses(table, by_party, numbered(purposes))
        if len(made.classes) > MAX_CLASSES:
            raise InvalidInputError(
                "minima name too many parties",
                given=f"{len(made._named)} parties and {len(made.purposes)} purposes",
                expected=f"at most {MAX_CLASSES} pairs of a party and a purpose",
                remedy="say minima for all, and for the few pairs of parties that have others",
            )
        return made

    @property
    def _named(self) -> list[str]:
        return sorted({name for pair in self.parties for name in pair})

    @property
    def classes(self) -> list[Class]:
        """Each purpose without a party that minima name, and with each of these."""
        whose: list[str | None] = [None, *self._named]
        return [(purpose, party) for purpose in self.purposes for party in whose]

    def between(self, one: Class, other: Class) -> Minima:
        """Return the minima between two classes."""
        by_purpose = self.table.of(one[0], other[0])
        if one[1] is None or other[1] is None:
            return by_purpose
        return self.parties.get(frozenset((one[1], other[1])), by_purpose)

    def by_name(self) -> MinimaTable:
        """Return the same as a table, in which a class is called by its `class_name`."""
        pairs: dict[frozenset[str], Minima] = {}
        for one, other in combinations_with_replacement(self.classes, 2):
            minima = self.between(one, other)
            if minima != self.table.default:
                pairs[frozenset((class_name(*one), class_name(*other)))] = minima
        return MinimaTable(self.table.default, pairs)

    def numbers(self, purpose: Labels, party: Labels) -> NDArray[np.uint16]:
        """Return each row's class, as its place in ``classes``."""
        named = {name: number for number, name in enumerate(self._named, 1)}
        whose = party.by(named, without=0)
        which = purpose.by(self.purposes, without=0)
        return (which * (len(named) + 1) + whose).astype(np.uint16)


def class_name(purpose: str, party: str | None) -> str:
    """Return what a class is called in a table; no purpose is spelled so.

    >>> class_name("FLIGHT", None), class_name("FLIGHT", "red")
    ('FLIGHT', 'FLIGHT of red')
    """
    return purpose if party is None else f"{purpose} of {party}"


def _unknown(
    pair: frozenset[str], purposes: Collection[str], parties: Collection[str]
) -> InvalidInputError:
    mixed = sorted(pair & set(purposes)) and sorted(pair & set(parties))
    shown = ", ".join(sorted(parties)[:12]) or "no party is named"
    return InvalidInputError(
        "minima for a purpose and a party together"
        if mixed
        else "minima for a purpose or a party that is not there",
        given=":".join(sorted(pair)),
        expected=f"two purposes ({', '.join(sorted(purposes))}) or two parties ({shown})",
    )
