"""Under which minima a party's own declarations stand beside all that its peers declared."""

from collections.abc import Iterable, Mapping
from typing import Any

from deconflict.airspace.purposes import PURPOSES
from deconflict.messages.in_force import conversions_of, minima_of
from deconflict.messages.terms import Terms
from deconflict.separation import AltitudeConversions, Minima, MinimaTable

__all__ = ["agreed_conversions", "agreed_minima", "purpose_on"]


def purpose_on(line_id: str, purpose: str) -> str:
    """Return the purpose of a peer's declaration, as :func:`agreed_minima` tells lines apart."""
    return f"{line_id}:{purpose}"


def agreed_minima(terms: Mapping[str, Terms]) -> MinimaTable:
    """Return the minima of each line's terms with its peer; among one's own the greatest of all."""
    tables = {line: minima_of(each) for line, each in terms.items()}
    pairs = {
        frozenset((mine, purpose_on(line, theirs))): table.of(mine, theirs)
        for line, table in tables.items()
        for mine in PURPOSES
        for theirs in PURPOSES
    }
    for one in PURPOSES:
        for other in PURPOSES:
            every = [table.of(one, other) for table in tables.values()]
            pairs[frozenset((one, other))] = Minima(
                max(each.lateral_m for each in every), max(each.vertical_tmm for each in every)
            )
    # No pair is left: every purpose is named with every other.
    return MinimaTable(next(iter(tables.values())).default, pairs)


def agreed_conversions(terms: Iterable[Terms]) -> AltitudeConversions:
    """Return what all terms know of two references, as widely as any of them says."""
    tables = [conversions_of(each) for each in terms]
    known: dict[Any, tuple[int, int]] = {}
    for source, to in tables[0].offsets:
        said = [table.between(source, to) for table in tables]
        spans = [span for span in said if span is not None]
        if len(spans) == len(tables):
            known[source, to] = (min(lo for lo, _ in spans), max(hi for _, hi in spans))
    return AltitudeConversions(known)
