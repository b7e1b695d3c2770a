"""Which closer looks belong to which run, and what stands of it after them.

A run and the looks at it find the same meetings, each as finely as it looked: they are told as one.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from deconflict.node.private.closer import Stands, stands_after

if TYPE_CHECKING:  # what is grouped is kept there, and grouped by this
    from deconflict.node.private.findings import PrivateFinding

__all__ = ["Families"]


class Families:
    """The findings of a node by the run that they are of.

    Args:
        held: every finding by its name, as it changes.
    """

    def __init__(self, held: Mapping[str, "PrivateFinding"]) -> None:
        self._held = held
        self._looks: dict[str, set[str]] = {}  # by the name of a coarse run: its closer looks
        self._stands: dict[str, Stands] = {}  # by the same, worked out when it is asked for
        for finding in held.values():
            self.note(finding)

    def note(self, finding: "PrivateFinding") -> None:
        """Take a finding that is new or another than before."""
        self._stands.pop(finding.root, None)
        if finding.refines is not None:
            self._looks.setdefault(finding.root, set()).add(finding.name)

    def forget(self, finding: "PrivateFinding") -> None:
        """Leave out a finding that is kept no longer."""
        self._stands.pop(finding.root, None)
        looks = self._looks.get(finding.root, set())
        looks.discard(finding.name)
        if not looks:
            self._looks.pop(finding.root, None)

    def looks_at(self, root: str) -> tuple["PrivateFinding", ...]:
        """Return what closer looks at a run came to, the coarsest first."""
        found = [self._held[name] for name in self._looks.get(root, ())]
        return tuple(sorted(found, key=lambda each: (each.parts, each.at_utc, each.name)))

    def of(self, finding: "PrivateFinding") -> tuple["PrivateFinding", ...]:
        """Return the run that a finding is of, where it is known still, and the looks at it."""
        coarse = self._held.get(finding.root)
        return (() if coarse is None else (coarse,)) + self.looks_at(finding.root)

    def head(self, finding: "PrivateFinding") -> "PrivateFinding":
        """Return the one of a run and the looks at it under which its hits are told."""
        return self.of(finding)[0]

    def stands(self, finding: "PrivateFinding") -> Stands:
        """Return what stands of a run after closer looks: of a look, what stands of its run."""
        root = finding.root
        if root not in self._stands:
            self._stands[root] = stands_after([each.as_look() for each in self.of(finding)])
        return self._stands[root]

    def counts(self, finding: "PrivateFinding") -> dict[str, int]:
        """Return how many hits of a finding have fallen in closer looks, and how many stand."""
        fallen = self.stands(finding).fallen(finding.parts, finding.met)
        return {"fallen": fallen, "left": len(finding.met) - fallen}

    def looked_since(self, finding: "PrivateFinding") -> bool:
        """True exactly when whole looks at all that a closer look was at have ended since."""
        if finding.refines is None:
            return False
        slots = {
            slot
            for each in self.looks_at(finding.root)
            if each.at_utc >= finding.at_utc and not each.parts % finding.parts
            if each.as_look().clears and each.refines is not None
            for slot in each.refines.slots
        }
        return slots.issuperset(finding.refines.slots)
