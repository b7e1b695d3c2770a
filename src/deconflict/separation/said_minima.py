"""Minima as people write them: ``5NM,1000ft``, for all or for a pair of purposes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from deconflict.airspace.altitude import MAX_ALTITUDE_TMM
from deconflict.airspace.quantity import parse_distance, parse_height
from deconflict.errors import InvalidInputError
from deconflict.separation.minima import MAX_LATERAL_M, Minima, MinimaTable

__all__ = ["AnyMinima", "SaidMinima", "parse_minima", "said_minima"]


@dataclass(frozen=True, slots=True)
class SaidMinima:
    """What was said: perhaps for all pairs, perhaps for some only.

    ``pairs`` has a set of one purpose for that purpose against itself.
    """

    for_all: Minima | None = None
    pairs: Mapping[frozenset[str], Minima] = field(default_factory=dict)

    def table(self, purposes: Iterable[str]) -> MinimaTable:
        """Return minima for every pair of these purposes.

        Raises:
            InvalidInputError: none are said, or none for some pair: nothing is taken for granted.
        """
        if self.for_all is not None:
            return MinimaTable(self.for_all, self.pairs)
        if not self.pairs:
            raise InvalidInputError(
                "how near is too near? No minima are given",
                expected="lateral and vertical minima, such as 5NM,1000ft or 50m,50ft",
                remedy="say them; there is no default, because a wrong one would hide conflicts",
            )
        names = sorted(set(purposes))
        open_pairs = [
            f"{a}:{b}"
            for k, a in enumerate(names)
            for b in names[k:]
            if frozenset((a, b)) not in self.pairs
        ]
        if open_pairs:
            raise InvalidInputError(
                "no minima are given between some of what is there",
                given="none for " + ", ".join(open_pairs[:6]),
                expected=f"such as {open_pairs[0]}=3NM,500ft, or 5NM,1000ft for all others",
            )
        return MinimaTable(next(iter(self.pairs.values())), self.pairs)


AnyMinima = str | Minima | MinimaTable | Mapping[str | tuple[str, str], "str | Minima"]


def parse_minima(text: str) -> Minima:
    """Return the minima that ``LATERAL,VERTICAL`` says, each with its unit.

    Raises:
        InvalidInputError: there are not two quantities, or one cannot be read or is too great; in
            the units that were typed.

    >>> parse_minima("5NM,1000ft") == Minima(9_260.0, 3_048_000)
    True
    """
    lateral, comma, vertical = text.partition(",")
    if not comma or "," in vertical:
        raise InvalidInputError(
            "the minima cannot be read",
            given=f"{text!r:.60}",
            expected="lateral,vertical, each with its unit: 5NM,1000ft or 50m,50ft or 9260m,300m",
        )
    lateral_mm = _said(lateral, text, "lateral", parse_distance, "5NM, 50m, 9.26km")
    vertical_tmm = _said(vertical, text, "vertical", parse_height, "1000ft, 300m")
    for which, typed, value, most, said in (
        ("lateral", lateral, lateral_mm, MAX_LATERAL_M * 1000, "1,000 km (539 NM)"),
        ("vertical", vertical, vertical_tmm, MAX_ALTITUDE_TMM, "100 km (328,083 ft)"),
    ):
        if value > most:
            raise InvalidInputError(
                f"the {which} minimum is too great",
                given=f"{typed.strip():.40} in {text!r:.60}",
                expected=f"0 to {said}",
                remedy="check the unit",
            )
    return Minima(lateral_mm / 1000, vertical_tmm)


def _said(part: str, text: str, which: str, parse: Callable[[str], int], such: str) -> int:
    try:
        return parse(part)
    except InvalidInputError as error:
        negative = part.strip().startswith("-")
        raise InvalidInputError(
            f"the {which} minimum is below 0"
            if negative
            else f"the {which} minimum cannot be read",
            given=f"{part.strip() or 'nothing':.40} in {text!r:.60}",
            expected=f"a number with its unit, such as {such}",
            remedy="" if negative else error.remedy,
        ) from error


def said_minima(said: AnyMinima | Iterable[str]) -> SaidMinima:
    """Return minima in whatever form they are said.

    Args:
        said: ``"5NM,1000ft"``; several of these, of which some begin with a pair of purposes as in
            ``"FLIGHT:ACTIVITY=3NM,500ft"`` or with one as in ``"FLIGHT=5NM,1000ft"``, which is
            that purpose against itself; a mapping from a purpose or a pair of them to minima; or
            the value itself.

    Raises:
        InvalidInputError: one cannot be read, or is said twice.

    >>> said = said_minima(["5NM,1000ft", "ACTIVITY:FLIGHT=3NM,500ft"])
    >>> said.table(["FLIGHT", "ACTIVITY"]).of("FLIGHT", "ACTIVITY").lateral_m
    5556.0
    """
    if isinstance(said, MinimaTable):
        return SaidMinima(said.default, said.pairs)
    if isinstance(said, Minima):
        return SaidMinima(said)
    pairs: dict[frozenset[str], Minima] = {}
    if isinstance(said, Mapping):
        for key, value in said.items():
            _add(pairs, _names(key), _value(value), str(key))
        return SaidMinima(None, pairs)
    for_all: Minima | None = None
    for text in _texts(said):
        whom, equals, distances = text.rpartition("=")
        minima = parse_minima(distances)
        if equals:
            _add(pairs, tuple(name.strip() for name in whom.split(":")), minima, text)
        elif for_all is not None:
            raise InvalidInputError(
                "minima for all are said twice", given=text, expected="once, or for a pair each"
            )
        else:
            for_all = minima
    return SaidMinima(for_all, pairs)


def _texts(said: object) -> list[str]:
    if isinstance(said, str):
        return [said]
    if not isinstance(said, bytes) and isinstance(said, Iterable):
        texts = list(said)
        if all(isinstance(text, str) for text in texts):
            return texts
    raise _no_minima(said)


def _names(key: object) -> tuple[str, ...]:
    names = (key,) if isinstance(key, str) else key
    if not isinstance(names, tuple | list | frozenset) or not all(
        isinstance(name, str) for name in names
    ):
        raise InvalidInputError(
            "whose minima are these?",
            given=f"{type(key).__name__} {key!r:.60}",
            expected="a purpose, or two purposes or parties: ('FLIGHT', 'ACTIVITY')",
        )
    return tuple(names)


def _value(value: object) -> Minima:
    if isinstance(value, str):
        return parse_minima(value)
    if not isinstance(value, Minima):
        raise _no_minima(value)
    return value


def _no_minima(said: object) -> InvalidInputError:
    return InvalidInputError(
        "these are no minima",
        given=f"{type(said).__name__} {said!r:.60}",
        expected="text with units, '5NM,1000ft'; several of these; or Minima(lateral_m, "
        "vertical_tmm), or a mapping to them",
        remedy="say both with their unit: no number is taken without one",
    )


def _add(
    pairs: dict[frozenset[str], Minima], names: tuple[str, ...], minima: Minima, text: str
) -> None:
    pair = frozenset(names)
    if not 1 <= len(names) <= 2 or "" in names or pair in pairs:
        raise InvalidInputError(
            "minima of this pair are said twice" if pair in pairs else "whose minima are these?",
            given=f"{text:.60}",
            expected="one purpose or two: FLIGHT=5NM,1000ft or FLIGHT:ACTIVITY=3NM,500ft",
        )
    pairs[pair] = minima
