"""The screen of what came out, as it would be declared: what is offered, passed it."""

from collections.abc import Sequence

from deconflict.advise.sky import Sky
from deconflict.separation import AltitudeConversions, Extent, Finding, MinimaTable, check

__all__ = ["found_alone", "found_together"]


def found_alone(
    sky: Sky,
    changed: Sequence[Extent],
    every: Sequence[Extent],
    minima: MinimaTable,
    conversions: AltitudeConversions,
) -> tuple[Finding, ...]:
    """Return what each of the changed finds of everything as planned; changed ones never meet.

    Args:
        sky: whose pairs that are let be are left out.
        changed: with the keys of what they replace; a key may be repeated.
        every: all extents as planned, in the order of the sky's objects.
        minima, conversions: as :func:`check` takes them.
    """
    found = check(changed, others=every, minima=minima, conversions=conversions)
    known = _let_be(sky, every)
    return tuple(each for each in found if frozenset((each.first, each.second)) not in known)


def found_together(
    sky: Sky,
    movable: Sequence[Extent],
    others: Sequence[Extent],
    minima: MinimaTable,
    conversions: AltitudeConversions,
) -> tuple[Finding, ...]:
    """Return what is found of the movable with one another and with the others, each pair once."""
    every = [*movable, *others]
    place = {extent.key: k for k, extent in enumerate(every)}
    found = check(movable, others=every, minima=minima, conversions=conversions)
    known = _let_be(sky, every)
    return tuple(
        each
        for each in found
        if place[each.first] < place[each.second]
        and frozenset((each.first, each.second)) not in known
    )


def _let_be(sky: Sky, every: Sequence[Extent]) -> frozenset[frozenset[str]]:
    return frozenset(frozenset((every[i].key, every[j].key)) for i, j in sky.let_be)
