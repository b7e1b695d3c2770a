"""What both sides of a line have declared, and where the declarations come too close.

The picture is re-checked on every change and as time passes; only what changed is screened again,
against everything active of the other side. Of very much, a part at a time: what begins first comes
first. Decisions only: time is an argument.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import chain, islice
from typing import Final

import msgspec

from deconflict.node.declared import Declared
from deconflict.node.ends import Ends
from deconflict.node.side import KeptSide, Rules, Side
from deconflict.separation import AltitudeConversions, Finding, MinimaTable

__all__ = ["Conflict", "Declared", "KeptPicture", "Picture", "PictureChange"]

_OVER_KEPT: Final = 1_024


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two declarations that come too close: the findings in order of time, one at least.

    ``unchecked`` holds the later revisions that could not be screened, when there are any: the
    findings are then those of the revisions before. Whether they still hold is unknown.

    ``told`` is False exactly when the own one was declared on other lines and not, or not so, on
    this one: the peer does not know of it.
    """

    conflict_id: str
    own: Declared
    peer: Declared
    findings: tuple[Finding, ...]
    known_since_ms: int
    unchecked: tuple[Declared, ...] = ()
    told: bool = True

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


class KeptPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture in which nothing was screened yet, as values.

    Attributes:
        own: our side.
        peer: the other.
        dirty: keys of what changed.
        soonest: of these, what begins first; may hold stale times.
        own_changes: keys of our own that came, changed or went.
        over: what was over when last looked at, by message.
        looked_ms: when that was.
    """

    own: KeptSide
    peer: KeptSide
    dirty: tuple[str, ...]
    soonest: tuple[tuple[int, str], ...]
    own_changes: tuple[str, ...]
    over: tuple[str, ...]
    looked_ms: int


class Picture:
    """The active declarations of one line and their conflicts.

    With them stands what we declared elsewhere and not here (`node.elsewhere` says what that is):
    it is no part of the line, and all the same held against what the peer declared.

    Args:
        line_id: the line; part of every conflict's id, which both sides derive alike.
    """

    def __init__(self, line_id: str) -> None:
        self._line_id = line_id
        self._own, self._untold, self._peer = Side(), Side(), Side()
        self._dirty: set[str] = set()
        self._soonest: list[tuple[int, str]] = []  # of the dirty; may hold stale times
        self._rules: Rules | None = None
        self._own_changes: set[str] = set()
        self._conflicts: dict[str, Conflict] = {}
        self._conflicts_of: dict[str, set[str]] = {}
        self._ends = Ends()
        self.version = 0  # grows whenever something is put or removed, whose it ever is
        # What was over when last looked at, as long as the clock that said so may be set back.
        self._over: dict[str, Declared] = {}
        self._looked_ms = 0
        # When a conflict became known, for those known before a restart.
        self.known_since_ms: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._own) + len(self._peer)

    def __iter__(self) -> Iterator[Declared]:
        return chain(self._own, self._peer)

    def kept(self) -> KeptPicture:
        """Return all of it as values; only while nothing was screened, as while a record is read.

        What we declared on other lines is not of this record.
        """
        return KeptPicture(
            self._own.kept(),
            self._peer.kept(),
            tuple(sorted(self._dirty)),
            tuple(sorted(self._soonest)),
            tuple(sorted(self._own_changes)),
            tuple(declared.message_hash for declared in self._over.values()),
            self._looked_ms,
        )

    def take_up(self, kept: KeptPicture, declared_by: Callable[[str], Declared]) -> None:
        """Go on from what was kept; only of a new picture.

        Args:
            kept: it.
            declared_by: reads what a message declares.
        """
        self._own.take_up(kept.own, declared_by)
        self._peer.take_up(kept.peer, declared_by)
        self._dirty.update(kept.dirty)
        self._soonest = sorted(kept.soonest)
        self._own_changes.update(kept.own_changes)
        for message_hash in kept.over:
            declared = declared_by(message_hash)
            self._over[declared.key] = declared
        self._looked_ms = kept.looked_ms

    def pass_over_gone(self) -> None:
        """Forget of what changed the part that is gone again; only while nothing was screened.

        A record that is read names everything that was ever declared.
        """
        self._dirty = {key for key in self._dirty if self.get(key) is not None}
        self._soonest = [waiting for waiting in self._soonest if waiting[1] in self._dirty]
        heapify(self._soonest)

    @property
    def own(self) -> Iterator[Declared]:
        """Our own active declarations."""
        return iter(self._own)

    def get(self, key: str) -> Declared | None:
        """Return the active declaration of this key (``party/declaration_id``), or None."""
        return self._own.get(key) or self._peer.get(key)

    def conflicts(self) -> tuple[Conflict, ...]:
        """Return the present conflicts, the earliest first."""
        return tuple(sorted(self._conflicts.values(), key=lambda c: c.findings[0].start_ms))

    def put(self, declared: Declared) -> None:
        """Add a declaration, or put a new revision in the place of the old."""
        if declared.own:
            self._own.put(declared)
            self._own_changes.add(declared.key)
        else:
            self._peer.put(declared)
        self._over.pop(declared.key, None)
        self._touch(declared.key, declared.start_ms)

    def remove(self, key: str) -> Declared | None:
        """Take a declaration out, because it was cancelled or is over."""
        self._touch(key, 0)
        self._over.pop(key, None)
        own = self._own.remove(key)
        if own is not None:
            self._own_changes.add(key)
        return own or self._peer.remove(key)

    def own_of(self, key: str) -> Declared | None:
        """Return our own active declaration of this key, or None."""
        return self._own.get(key)

    def take_own_changes(self) -> set[str]:
        """Return, once, the keys of our own declarations that came, changed or went."""
        changes, self._own_changes = self._own_changes, set()
        return changes

    def hold_untold(self, key: str, declared: Declared | None) -> None:
        """Hold what we declared elsewhere under a key against the peer; None: nothing, any more."""
        if self._untold.get(key) is declared:
            return
        if declared is None:
            self._untold.remove(key)
            self._touch(key, 0)
        else:
            self._untold.put(declared)
            self._touch(key, declared.start_ms)

    def unchecked(self) -> tuple[Declared, ...]:
        """Return the active declarations that the last re-check refused."""
        return self._own.unchecked() + self._untold.unchecked() + self._peer.unchecked()

    @property
    def unseen(self) -> int:
        """How many changes no re-check has looked at yet."""
        return len(self._dirty)

    @property
    def changed(self) -> bool:
        """True exactly when something was put or removed that no re-check has looked at."""
        return bool(self._dirty)

    def mark_all_changed(self) -> None:
        """Have everything screened anew, because the terms changed."""
        for declared in chain(self, self._untold):
            self._touch(declared.key, declared.start_ms)

    def drop_ended(self, now_ms: int) -> tuple[Declared, ...]:
        """Take out what is over before ``now_ms`` and return it."""
        ended = self._own.over(now_ms) + self._peer.over(now_ms)
        for declared in ended:
            self.remove(declared.key)
            self._over[declared.key] = declared
        for declared in self._untold.over(now_ms):
            self.hold_untold(declared.key, None)
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
        self,
        now_ms: int,
        minima: MinimaTable,
        conversions: AltitudeConversions,
        *,
        at_most: int | None = None,
    ) -> PictureChange:
        """Screen what changed against everything of the other side that was looked at before.

        Args:
            now_ms: the present.
            minima: as agreed.
            conversions: as agreed.
            at_most: how many changes to look at, those that begin first; None for all. A conflict
                stands until both its declarations were looked at again: what nobody has looked at
                ends nothing.
        """
        rules = self._under(Rules(minima, conversions))
        dirty = self._next_to_look(at_most)
        sides = (self._own, self._peer, *((self._untold,) if self._untold else ()))
        refused = [d for side in sides for d in side.follow(dirty, rules)]
        affected = {c for d in dirty for c in self._conflicts_of.get(d, ())}
        findings, broken_off = self._screen(dirty)
        found = []
        for conflict_id, (own, peer, pair_findings) in findings.items():
            held = self._conflicts.get(conflict_id)
            told = self._own.screened(own.key) is own
            mine = self._own if told else self._untold
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
                unchecked=mine.unchecked_as(own) + self._peer.unchecked_as(peer),
                told=told,
            )
            if conflict != held:
                self._keep(conflict)
                found.append(conflict)
        gone = {
            c
            for c in affected - findings.keys()
            if not self._waits(self._conflicts[c])
            # What was found of it before may still be so: nobody came to the end.
            and self._conflicts[c].own.key not in broken_off
            and self._conflicts[c].peer.key not in broken_off
        }
        ended_ids = (c for c in self._ends.before(now_ms) if c in self._conflicts)
        gone.update(c for c in ended_ids if self._conflicts[c].end_ms < now_ms)
        ended = [self._forget(conflict_id) for conflict_id in sorted(gone)]
        over = {conflict.conflict_id for conflict in ended}
        given_up = (d for side in sides for key in sorted(broken_off) if (d := side.get(key)))
        unchecked = tuple({id(d): d for d in (*refused, *given_up)}.values())
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
        rules = self._under(Rules(minima, conversions))
        self._peer.follow(self._dirty, rules)
        trial = Picture(self._line_id)
        trial._peer, trial._rules = self._peer, rules
        for draft in drafts:
            trial.put(draft)
        found: dict[str, Conflict] = {}
        while trial.changed:
            change = trial.recheck(now_ms, minima, conversions)
            found |= {conflict.conflict_id: conflict for conflict in change.found}
        return PictureChange(tuple(found.values()), (), trial.unchecked())

    def _under(self, rules: Rules) -> Rules:
        """Return the rules; where they are others than before, everything is looked at anew."""
        if self._rules != rules:
            self._rules = rules
            self.mark_all_changed()
        return rules

    def _touch(self, key: str, start_ms: int) -> None:
        self.version += 1
        self._dirty.add(key)
        heappush(self._soonest, (start_ms, key))

    def _next_to_look(self, at_most: int | None) -> set[str]:
        """Take out what is to be looked at now."""
        if at_most is None or len(self._dirty) <= at_most:
            taken, self._dirty = self._dirty, set()
            self._soonest.clear()
            return taken
        taken = set()
        while len(taken) < at_most:
            key = heappop(self._soonest)[1]
            if key in self._dirty:
                self._dirty.remove(key)
                taken.add(key)
        return taken

    def _waits(self, conflict: Conflict) -> bool:
        return conflict.own.key in self._dirty or conflict.peer.key in self._dirty

    def _screen(
        self, dirty: set[str]
    ) -> tuple[dict[str, tuple[Declared, Declared, tuple[Finding, ...]]], set[str]]:
        """Return the pairs found, and the keys of what takes too long to be looked at to the end.

        What was not looked at for the time that others took is dirty again.
        """
        broken_off: set[str] = set()
        left: set[str] = set()
        pairs: dict[str, tuple[Declared, Declared, list[Finding]]] = {}
        for side, other, told in (
            (self._own, self._peer, True),
            (self._peer, self._own, True),
            (self._untold, self._peer, False),
            (self._peer, self._untold, False),
        ):
            changed = {key: d for key in sorted(dirty) if (d := side.screened(key)) is not None}
            # A pair of two changed declarations is screened once, from the own side.
            but_for = dirty if side is self._peer else frozenset()
            met = other.met_by(tuple(changed.values()), but_for=but_for)
            side.break_off(met.broken_off)
            broken_off |= met.broken_off
            left |= met.left
            for finding, second in met.pairs:
                first = changed[finding.first]
                mine, theirs = (first, second) if first.own else (second, first)
                conflict_id = self._id_of(finding.first, finding.second, told=told)
                pairs.setdefault(conflict_id, (mine, theirs, []))[2].append(finding)
        for key in left:
            declared = self.get(key) or self._untold.get(key)
            self._touch(key, 0 if declared is None else declared.start_ms)
        found = {
            key: (mine, theirs, tuple(sorted(found, key=lambda f: (f.start_ms, f.end_ms))))
            for key, (mine, theirs, found) in pairs.items()
        }
        return found, broken_off

    def _id_of(self, first: str, second: str, *, told: bool) -> str:
        # What the peer was not told of is a matter of its own: both may stand at once, when an
        # earlier revision was declared here.
        named = "\n".join((self._line_id, *sorted((first, second)), *(() if told else ("untold",))))
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def _keep(self, conflict: Conflict) -> None:
        self._conflicts[conflict.conflict_id] = conflict
        self._ends.add(conflict.end_ms, conflict.conflict_id)
        for declared in (conflict.own, conflict.peer):
            self._conflicts_of.setdefault(declared.key, set()).add(conflict.conflict_id)

    def _forget(self, conflict_id: str) -> Conflict:
        conflict = self._conflicts.pop(conflict_id)
        for declared in (conflict.own, conflict.peer):
            self._conflicts_of[declared.key].discard(conflict_id)
        return conflict
