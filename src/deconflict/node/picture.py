"""What both sides of a line have declared, and where the declarations come too close.

The picture is re-checked on every change and as time passes; only what changed is screened again,
against everything active of the other side. Decisions only: time is an argument.

A declaration may be changed into what the separation check refuses. Then it is screened as it last
could be, and what is found so stays open: unknown is never clear.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from deconflict.errors import InvalidInputError
from deconflict.messages.declaration import Declaration, SoundDeclaration
from deconflict.separation import AltitudeConversions, Extent, Finding, MinimaTable, check

__all__ = ["Conflict", "Declared", "Picture", "PictureChange"]

_OVER_KEPT: Final = 1_024
_EARLIER_KEPT: Final = 16  # revisions of one declaration since the last re-check


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration as it stands on a line: whose, since when, by which message."""

    sound: SoundDeclaration
    party: str
    own: bool
    message_hash: str
    seq: int
    declared_ms: int
    drill: bool = False

    @property
    def declaration(self) -> Declaration:
        """What is declared."""
        return self.sound.value

    @property
    def key(self) -> str:
        """Name it among all parties: an id alone could be taken by the other side as well."""
        return f"{self.party}/{self.sound.declaration_id}"

    @property
    def end_ms(self) -> int:
        """When it is over."""
        return self.sound.end_ms

    def is_out_with(self, other: "Declared") -> bool:
        """True exactly when both cover one instant; what never does cannot come too close."""
        mine, theirs = self.sound, other.sound
        return mine.start_ms <= theirs.end_ms and theirs.start_ms <= mine.end_ms

    @property
    def extent(self) -> Extent:
        """What the separation check sees of it."""
        return Extent(
            key=self.key,
            party=self.party,
            purpose=self.declaration.purpose,
            geometry=self.declaration.geometry,
        )


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two declarations that come too close: the findings in order of time, one at least.

    ``unchecked`` holds the later revisions that could not be screened, when there are any: the
    findings are then those of the revisions before. Whether they still hold is unknown.
    """

    conflict_id: str
    own: Declared
    peer: Declared
    findings: tuple[Finding, ...]
    known_since_ms: int
    unchecked: tuple[Declared, ...] = ()

    @property
    def end_ms(self) -> int:
        """When the last of its intervals is over, or the last revision that is not checked."""
        ends = [finding.end_ms for finding in self.findings]
        return max(ends + [declared.end_ms for declared in self.unchecked])

    @property
    def drill(self) -> bool:
        """True exactly when one of the two is exercise only."""
        return self.own.drill or self.peer.drill

    def after(self, finding: Finding) -> tuple[Finding, ...]:
        """Return the later findings: a pair that meets once may meet again."""
        return self.findings[self.findings.index(finding) + 1 :]

    def current(self, now_ms: int) -> Finding:
        """Return the finding that a person must look at: the earliest one not yet over."""
        return next((f for f in self.findings if f.end_ms >= now_ms), self.findings[-1])


@dataclass(frozen=True, slots=True)
class PictureChange:
    """What a re-check found: conflicts new or different, conflicts that are no more, and
    declarations that the separation check refused: what is not checked is never clear."""

    found: tuple[Conflict, ...]
    ended: tuple[Conflict, ...]
    unchecked: tuple[Declared, ...] = ()


class Picture:
    """The active declarations of one line and their conflicts.

    Args:
        line_id: the line; part of every conflict's id, which both sides derive alike.
    """

    def __init__(self, line_id: str) -> None:
        self._line_id = line_id
        self._declared: dict[str, Declared] = {}
        self._dirty: set[str] = set()
        self._conflicts: dict[str, Conflict] = {}
        self._conflicts_of: dict[str, set[str]] = {}
        # What the check refuses, and the revision before it that is screened in its place.
        self._unchecked: dict[str, Declared | None] = {}
        self._earlier: dict[str, list[Declared]] = {}
        # What was over when last looked at, as long as the clock that said so may be set back.
        self._over: dict[str, Declared] = {}
        self._looked_ms = 0
        # When a conflict became known, for those known before a restart.
        self.known_since_ms: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._declared)

    def __iter__(self) -> Iterator[Declared]:
        return iter(self._declared.values())

    def get(self, key: str) -> Declared | None:
        """Return the active declaration of this key (``party/declaration_id``), or None."""
        return self._declared.get(key)

    def conflicts(self) -> tuple[Conflict, ...]:
        """Return the present conflicts, the earliest first."""
        return tuple(sorted(self._conflicts.values(), key=lambda c: c.findings[0].start_ms))

    def put(self, declared: Declared) -> None:
        """Add a declaration, or put a new revision in the place of the old."""
        held = self._declared.get(declared.key)
        if held is not None:
            earlier = self._earlier.setdefault(declared.key, [])
            earlier.append(held)
            del earlier[:-_EARLIER_KEPT]
        self._declared[declared.key] = declared
        self._over.pop(declared.key, None)
        self._dirty.add(declared.key)

    def remove(self, key: str) -> Declared | None:
        """Take a declaration out, because it was cancelled or is over."""
        self._dirty.add(key)
        self._over.pop(key, None)
        self._earlier.pop(key, None)
        return self._declared.pop(key, None)

    def unchecked(self) -> tuple[Declared, ...]:
        """Return the active declarations that the last re-check refused."""
        return tuple(self._declared[key] for key in self._unchecked if key in self._declared)

    @property
    def changed(self) -> bool:
        """True exactly when something was put or removed since the last re-check."""
        return bool(self._dirty)

    def mark_all_changed(self) -> None:
        """Have everything screened anew, because the terms changed."""
        self._dirty.update(self._declared)

    def drop_ended(self, now_ms: int) -> tuple[Declared, ...]:
        """Take out what is over before ``now_ms`` and return it."""
        ended = tuple(d for d in self._declared.values() if d.end_ms < now_ms)
        for declared in ended:
            self.remove(declared.key)
            self._over[declared.key] = declared
        return ended

    def let_go(self) -> tuple[str, ...]:
        """Forget what has been over for longest, and return its keys: it is never put back."""
        gone = tuple(islice(self._over, max(0, len(self._over) - _OVER_KEPT)))
        for key in gone:
            del self._over[key]
        return gone

    def take_back(self, now_ms: int) -> tuple[Declared, ...]:
        """Put back, and return, what was over by a clock that has been set back since.

        Then everything is screened anew: conflicts too were over by that clock.
        """
        went_back = now_ms < self._looked_ms
        self._looked_ms = now_ms
        if not went_back:
            return ()
        back = tuple(d for d in self._over.values() if d.end_ms >= now_ms)
        for declared in back:
            self.put(declared)
        self.mark_all_changed()
        return back

    def recheck(
        self, now_ms: int, minima: MinimaTable, conversions: AltitudeConversions
    ) -> PictureChange:
        """Screen what changed since the last call against everything of the other side."""
        dirty, self._dirty = self._dirty, set()
        unchecked = self._set_aside(dirty, minima, conversions)
        affected = {c for d in dirty for c in self._conflicts_of.get(d, ())}
        findings = self._screen(dirty, minima, conversions)
        found = []
        for conflict_id, (own, peer, pair_findings) in findings.items():
            held = self._conflicts.get(conflict_id)
            conflict = Conflict(
                conflict_id=conflict_id,
                own=own,
                peer=peer,
                findings=pair_findings,
                known_since_ms=(
                    self.known_since_ms.get(conflict_id, now_ms)
                    if held is None
                    else held.known_since_ms
                ),
                unchecked=tuple(
                    self._declared[side.key] for side in (own, peer) if side.key in self._unchecked
                ),
            )
            if conflict != held:
                self._keep(conflict)
                found.append(conflict)
        gone = affected - findings.keys()
        gone.update(c.conflict_id for c in self._conflicts.values() if c.end_ms < now_ms)
        ended = [self._forget(conflict_id) for conflict_id in sorted(gone)]
        over = {conflict.conflict_id for conflict in ended}
        return PictureChange(
            tuple(c for c in found if c.conflict_id not in over), tuple(ended), unchecked
        )

    def try_out(
        self,
        drafts: Iterable[Declared],
        now_ms: int,
        minima: MinimaTable,
        conversions: AltitudeConversions,
    ) -> PictureChange:
        """Return what drafts would find with the other side, as a re-check; nothing is kept.

        Unchecked are the drafts that the check refuses, and what it refuses of the other side.
        """
        trial = Picture(self._line_id)
        trial._declared = {
            key: declared for key, declared in self._declared.items() if not declared.own
        }
        trial._unchecked = {
            key: self._unchecked[key] for key in trial._declared.keys() & self._unchecked
        }
        for draft in drafts:
            trial.put(draft)
        found = trial.recheck(now_ms, minima, conversions).found
        return PictureChange(found, (), trial.unchecked())

    def _screen(
        self, dirty: set[str], minima: MinimaTable, conversions: AltitudeConversions
    ) -> dict[str, tuple[Declared, Declared, tuple[Finding, ...]]]:
        pairs: dict[str, tuple[Declared, Declared, list[Finding]]] = {}
        for own in (True, False):
            changed = [d for key in sorted(dirty) if (d := self._screened(key)) and d.own == own]
            others = [
                d
                for key in self._declared
                # A pair of two changed declarations is screened once, from the own side.
                if (own or key not in dirty)
                and (d := self._screened(key))
                and d.own != own
                and any(map(d.is_out_with, changed))
            ]
            screened = {d.key: d for d in (*changed, *others)}
            if not changed or not others:
                continue
            for finding in check(
                [d.extent for d in changed],
                others=[d.extent for d in others],
                minima=minima,
                conversions=conversions,
            ):
                first, second = screened[finding.first], screened[finding.second]
                mine, theirs = (first, second) if first.own else (second, first)
                conflict_id = self._id_of(finding.first, finding.second)
                pairs.setdefault(conflict_id, (mine, theirs, []))[2].append(finding)
        return {
            key: (mine, theirs, tuple(sorted(found, key=lambda f: (f.start_ms, f.end_ms))))
            for key, (mine, theirs, found) in pairs.items()
        }

    def _set_aside(
        self, dirty: set[str], minima: MinimaTable, conversions: AltitudeConversions
    ) -> tuple[Declared, ...]:
        """Keep apart what the check refuses, so that one bad geometry hides no other conflict."""
        before = {key: self._unchecked.pop(key) for key in dirty & self._unchecked.keys()}
        earlier = {key: self._earlier.pop(key, []) for key in dirty}
        present = [self._declared[key] for key in sorted(dirty) if key in self._declared]

        def refuses(some: list[Declared]) -> bool:
            try:
                check([d.extent for d in some], others=[], minima=minima, conversions=conversions)
            except InvalidInputError:
                return True
            return False

        if not present or not refuses(present):
            return ()
        refused = tuple(declared for declared in present if refuses([declared]))
        for declared in refused:
            known = before.get(declared.key)
            candidates = [*([known] if known else []), *earlier[declared.key]]
            usable = (old for old in reversed(candidates) if not refuses([old]))
            self._unchecked[declared.key] = next(usable, None)
        return refused

    def _screened(self, key: str) -> Declared | None:
        """Return what is screened under a key: the declaration, or the last that could be."""
        if key in self._declared and key in self._unchecked:
            return self._unchecked[key]
        return self._declared.get(key)

    def _id_of(self, first: str, second: str) -> str:
        named = "\n".join((self._line_id, *sorted((first, second))))
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def _keep(self, conflict: Conflict) -> None:
        self._conflicts[conflict.conflict_id] = conflict
        for declared in (conflict.own, conflict.peer):
            self._conflicts_of.setdefault(declared.key, set()).add(conflict.conflict_id)

    def _forget(self, conflict_id: str) -> Conflict:
        conflict = self._conflicts.pop(conflict_id)
        for declared in (conflict.own, conflict.peer):
            self._conflicts_of[declared.key].discard(conflict_id)
        return conflict
