"""What one side of a line has active, held ready for what comes too close to it.

A declaration may be changed into what the separation check refuses. Then it is screened as it last
could be, and what is found so stays open: unknown is never clear.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Final, NamedTuple

import msgspec

from deconflict.errors import InvalidInputError
from deconflict.messages.declaration import Purpose
from deconflict.node.declared import Declared
from deconflict.node.ends import Ends
from deconflict.node.weight import is_heavy
from deconflict.separation import (
    AltitudeConversions,
    Finding,
    LiveIndex,
    Looked,
    MinimaTable,
    check,
)

__all__ = ["KeptSide", "Met", "Rules", "Side"]

_EARLIER_KEPT: Final = 16  # revisions of one declaration since it was last followed
_PUT_AT_ONCE: Final = 1_000
_ASKED_SHARE: Final = 4
# Pairs of pieces that one declaration may take in one turn of a node: a quarter of a second.
MOST_EFFORT: Final = 250_000


class Rules(NamedTuple):
    """What is too close, as agreed."""

    minima: MinimaTable
    conversions: AltitudeConversions


class Met(NamedTuple):
    """What some of the other side meet.

    Attributes:
        pairs: each finding, and whom of this side it is with.
        left: keys of those that were not looked at yet, because the others took long.
        broken_off: keys of those that take too long to be looked at to the end.
    """

    pairs: tuple[tuple[Finding, Declared], ...]
    left: frozenset[str]
    broken_off: frozenset[str]


class KeptSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side as values: each declaration by the message that says it.

    Attributes:
        declared: the active ones, in their order.
        earlier: of a key, the revisions before.
        ends: when what is over, the earliest first.
    """

    declared: tuple[str, ...]
    earlier: Mapping[str, tuple[str, ...]]
    ends: tuple[tuple[int, str], ...]


class Side:
    """The active declarations of one side, and a live index that follows them."""

    def __init__(self) -> None:
        self._declared: dict[str, Declared] = {}
        self._ends = Ends()
        self._index: LiveIndex | None = None
        self._screened: dict[str, Declared] = {}  # what the index holds
        self._formerly: dict[str, Declared] = {}  # what the one before held and this one not yet
        self._unchecked: set[str] = set()  # what the check refuses
        self._broken_off: set[str] = set()  # what takes too long to check
        self._heavy: set[str] = set()
        self._earlier: dict[str, list[Declared]] = {}

    def __len__(self) -> int:
        return len(self._declared)

    def __iter__(self) -> Iterator[Declared]:
        return iter(self._declared.values())

    def get(self, key: str) -> Declared | None:
        """Return the active declaration of this key, or None."""
        return self._declared.get(key)

    def kept(self) -> KeptSide:
        """Return all of it as values; only of a side that was not screened yet."""
        return KeptSide(
            tuple(declared.message_hash for declared in self),
            {
                key: tuple(declared.message_hash for declared in revisions)
                for key, revisions in self._earlier.items()
            },
            self._ends.kept(),
        )

    def take_up(self, kept: KeptSide, declared_by: Callable[[str], Declared]) -> None:
        """Go on from what was kept of a side; ``declared_by`` reads what a message declares."""
        for message_hash in kept.declared:
            declared = declared_by(message_hash)
            self._declared[declared.key] = declared
        for key, revisions in kept.earlier.items():
            self._earlier[key] = [declared_by(message_hash) for message_hash in revisions]
        self._ends.take_up(kept.ends)

    def put(self, declared: Declared) -> None:
        """Add a declaration, or put a new revision in the place of the old."""
        key = declared.key
        held = self._declared.get(key)
        if held is not None:
            earlier = self._earlier.setdefault(key, [])
            earlier.append(held)
            del earlier[:-_EARLIER_KEPT]
        self._declared[key] = declared
        self._ends.add(declared.end_ms, key)

    def remove(self, key: str) -> Declared | None:
        """Take a declaration out and return it; None when there is none."""
        self._earlier.pop(key, None)
        self._formerly.pop(key, None)
        self._heavy.discard(key)
        self._broken_off.discard(key)
        if self._screened.pop(key, None) is not None and self._index is not None:
            self._index.remove(key)
        return self._declared.pop(key, None)

    def over(self, now_ms: int) -> tuple[Declared, ...]:
        """Return, once, what is over before ``now_ms``: for the caller to take out."""
        # The end may have been that of an earlier revision.
        ended = (self._declared.get(key) for key in self._ends.before(now_ms))
        over = {one.key: one for one in ended if one is not None and one.end_ms < now_ms}
        return tuple(over.values())

    def follow(self, changed: Set[str], rules: Rules) -> tuple[Declared, ...]:
        """Have screened what changed, as it is now; return what of it the check refuses.

        Under other rules than before, nothing is screened that is not said to have changed. What
        is refused hides no other conflict: the rest is screened, and in its place the revision
        before it that can be.
        """
        if self._index is None or (self._index.minima, self._index.conversions) != rules:
            self._index = LiveIndex(*rules, purposes=Purpose)
            self._formerly |= self._screened
            self._screened = {}
        formerly = {key: self._formerly.pop(key) for key in changed & self._formerly.keys()}
        last = formerly | {key: self._screened[key] for key in changed & self._screened.keys()}
        self._unchecked -= changed
        self._broken_off -= changed
        earlier = {key: self._earlier.pop(key) for key in changed & self._earlier.keys()}
        present = [self._declared[key] for key in sorted(changed & self._declared.keys())]
        refused = tuple(self._refused([d for d in present if self._screened.get(d.key) is not d]))
        for declared in refused:
            key = declared.key
            before = [last[key]] if key in last else []
            for old in reversed(before + earlier.get(key, [])):
                if self._screened.get(key) is old or self._takes([old]):
                    break
            self._unchecked.add(key)
        return refused

    def screened(self, key: str) -> Declared | None:
        """Return what is screened under a key: the declaration, or the last that could be."""
        return self._screened.get(key)

    def unchecked(self) -> tuple[Declared, ...]:
        """Return the active declarations that the check refuses, or does not come to the end of."""
        keys = (self._unchecked | self._broken_off) & self._declared.keys()
        return tuple(self._declared[key] for key in sorted(keys))

    def unchecked_as(self, screened: Declared) -> tuple[Declared, ...]:
        """Return the later revision that could not be screened in place of this one, if any."""
        return (self._declared[screened.key],) if screened.key in self._unchecked else ()

    def met_by(self, some: Sequence[Declared], *, but_for: Set[str] = frozenset()) -> Met:
        """Return what comes too close of ``some`` of the other side, told first, and of this one.

        Args:
            some: of the other side.
            but_for: keys of this side that are passed over.
        """
        if self._index is None or not some:
            return Met((), frozenset(), frozenset())
        extents = [declared.extent for declared in some]
        # A screening of all takes less for each than the index, has to pack this side anew, and
        # takes as long as it takes.
        many = len(some) * _ASKED_SHARE > len(self._screened)
        if many and not self._heavy and not any(is_heavy(extent) for extent in extents):
            found = check(
                extents,
                others=[declared.extent for declared in self._out_with(some)],
                minima=self._index.minima,
                conversions=self._index.conversions,
            )
            looked = Looked(found, frozenset(), frozenset())
        else:
            looked = self._index.look(extents, most=MOST_EFFORT)
        pairs = tuple(
            (finding, self._screened[finding.second])
            for finding in looked.findings
            if finding.second not in but_for
        )
        return Met(pairs, looked.left, looked.broken_off)

    def break_off(self, keys: Set[str]) -> None:
        """Hold these as not checked, as they are now: what they meet is not known to the end."""
        self._broken_off |= keys & self._declared.keys()

    def _out_with(self, some: Sequence[Declared]) -> Iterator[Declared]:
        """Yield what may be out at an instant with some others: nothing else comes too close."""
        first_ms = min(declared.start_ms for declared in some)
        last_ms = max(declared.end_ms for declared in some)
        for _, declared in sorted(self._screened.items()):
            if declared.start_ms <= last_ms and first_ms <= declared.end_ms:
                yield declared

    def _refused(self, some: Sequence[Declared]) -> Iterator[Declared]:
        for start in range(0, len(some), _PUT_AT_ONCE):
            part = some[start : start + _PUT_AT_ONCE]
            if not self._takes(part):
                yield from (declared for declared in part if not self._takes([declared]))

    def _takes(self, some: Sequence[Declared]) -> bool:
        """Have some screened from now on; false, and nothing changes, when the check refuses."""
        if self._index is None:
            return False
        try:
            self._index.put([declared.extent for declared in some])
        except InvalidInputError:
            return False
        self._screened |= {declared.key: declared for declared in some}
        self._heavy -= {declared.key for declared in some}
        self._heavy |= {declared.key for declared in some if is_heavy(declared.extent)}
        return True
