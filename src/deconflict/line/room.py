"""What still gets room where a disk fills: the least urgent is refused first, FLASH never.

A message counts by its precedence, except one that closes what is open at the other side (an
answer, SEEN, LOADED, STANDBY): it counts as FLASH, because refusing it would keep an alert open. So
does a kind that is FLASH, whatever its author called it.
"""

from typing import Final, TypeAlias

from deconflict.line.delivery import KindRules, counts_as
from deconflict.line.precedence import Precedence

__all__ = ["ENOUGH", "FIRST_REFUSED", "Shortage", "room_class", "shortage_that_refuses"]

# In the order in which they are refused.
FIRST_REFUSED: Final = (Precedence.ROUTINE, Precedence.PRIORITY, Precedence.IMMEDIATE)

Shortage: TypeAlias = frozenset[Precedence]  # the classes that get no room
ENOUGH: Final[Shortage] = frozenset()


def room_class(kind: str, precedence: Precedence, rules: KindRules) -> Precedence:
    """Return as what a message counts where room is short."""
    rule = rules.get(kind)
    if rule is not None and (rule.closes or rule.marks_seen or rule.marks_loaded or rule.extends):
        return Precedence.FLASH
    return counts_as(kind, precedence, rules)


def shortage_that_refuses(refused: Precedence) -> Shortage:
    """Return the shortage in which this class gets no room; nothing less urgent does then.

    >>> sorted(shortage_that_refuses(Precedence.PRIORITY))
    [<Precedence.PRIORITY: 'PRIORITY'>, <Precedence.ROUTINE: 'ROUTINE'>]
    """
    if refused is Precedence.FLASH:
        return ENOUGH
    return frozenset(FIRST_REFUSED[: FIRST_REFUSED.index(refused) + 1])
