"""What private checks found: kept across a restart, and told to the desk as a conflict is.

A hit is told as own sorties, times and places; where the peer is, nobody here knows. A check that
did not come to its end is told as NOT CHECKED until its period is over, or until a later run over
the same period came to its end: unknown is never clear. A NO HIT raises no alert.

A closer look says more of the same: what it found is told in the alert of the run that it is of,
which ends when every hit has fallen, and says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import parse_utc
from deconflict.line.moment import Now
from deconflict.messages.said import Said, said
from deconflict.node.alerts import AlertKey
from deconflict.node.journal import Journal
from deconflict.node.notes import note_of, read_notes
from deconflict.node.private.closer import Look, Refined, Stands
from deconflict.node.private.families import Families
from deconflict.node.private.site_beginning import SiteMet
from deconflict.node.private.sorties import Met
from deconflict.node.tell.desk import Desk
from deconflict.node.work import Work
from deconflict.sealed.session import Outcome
from deconflict.store.base import Store

__all__ = ["PrivateFinding", "PrivateFindings", "Stretch", "stretches"]

_FINDING: Final = "private/"
_HIT: Final = "PRIVATE_HIT"
_NOT_CHECKED: Final = "PRIVATE_NOT_CHECKED"
_NO_PLAN: Final = "PRIVATE_NO_PLAN"
_PICKED: Final = "PRIVATE_PICKED"
_COIN_KEPT: Final = "PRIVATE_COIN_KEPT"
_SITE_HIT: Final = "PRIVATE_SITE_HIT"
_SITES_NOT_CHECKED: Final = "PRIVATE_SITES_NOT_CHECKED"
_MEDIATED_HIT: Final = "PRIVATE_MEDIATED_HIT"
_SITE_RULES: Final = (_SITE_HIT, _SITES_NOT_CHECKED)
_RULES: Final = (_HIT, _MEDIATED_HIT, _NOT_CHECKED, _PICKED, _COIN_KEPT, *_SITE_RULES)
_LABELS_TOLD: Final = 3
# As of a conflict (R19): within 2 minutes, 10 minutes, later.
_URGENT_MS: Final = ((120_000, "FLASH"), (600_000, "IMMEDIATE"))
_STRETCHES_TOLD: Final = 6
_LOOK_EVERY_MS: Final = 1_000
_PICKED_SHOWN_MS: Final = 7 * 86_400_000


class PrivateFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to, as this side knows it.

    Attributes:
        line_id: on which line.
        peer: with whom.
        proposal: hash of the PRIVATE_PROPOSE.
        run: its number.
        start_utc, end_utc: its period.
        slot_ms: of the grid that was checked.
        parts: into how many the sides of a cell were cut; 1 for the coarse check.
        outcome: HIT, NO_HIT or NOT_CHECKED; NO_HIT of a whole check alone. None at the protector of
            sites, who is not told.
        whole: whether it came to its end.
        at_utc: when this was found.
        met: where own sorties come too close, the earliest first.
        sorties: how many own sorties were checked.
        reason: why it ended before its end; None where it did not.
        ended_by: the party that said so; None where nobody did.
        picked: whether both coins picked it to be opened; None where that is not known.
        coin_kept: the peer did not open its coin in time, which counts as failing the audit.
        drill: whether it is an exercise.
        forget_ms: when the retention that was agreed is over, UTC.
        protector: whose sites an activity was checked against; None of a mutual check.
        points: squares asked about in a check of sites.
        at_sites: own squares within the radius of a site.
        mediator: who was asked in a mediated check; None of any other.
        own_cells: how many own cells come too close, as a mediator counted; None where it did not.
        peers_cells: how many of the peer's, likewise.
        refines: of a closer look, of which run and at what.
    """

    line_id: str
    peer: str
    proposal: str
    run: int
    start_utc: str
    end_utc: str
    slot_ms: int
    parts: int
    outcome: Outcome | None
    whole: bool
    at_utc: str
    met: tuple[Met, ...] = ()
    sorties: int | None = None
    reason: str | None = None
    ended_by: str | None = None
    picked: bool | None = None
    coin_kept: bool = False
    drill: bool = False
    forget_ms: int
    protector: str | None = None
    points: int | None = None
    at_sites: tuple[SiteMet, ...] = ()
    mediator: str | None = None
    own_cells: int | None = None
    peers_cells: int | None = None
    refines: Refined | None = None

    @property
    def hits(self) -> int:
        """How many own cells, or squares at sites, were hit, as far as that is known."""
        return len(self.met) + len(self.at_sites) + (self.own_cells or 0)

    @property
    def name(self) -> str:
        """Under which it is kept."""
        return f"{self.proposal}/{self.run}"

    @property
    def root(self) -> str:
        """The name of the run that it is of: of a closer look the coarse one, else its own."""
        return self.name if self.refines is None else f"{self.refines.of}/{self.refines.run}"

    @property
    def is_over(self) -> bool:
        """True exactly when it came to its end, or was ended before."""
        return self.whole or self.reason is not None

    def as_look(self) -> Look:
        """Return it as what is compared with other looks at the same period."""
        return Look(
            parts=self.parts,
            slots=() if self.refines is None else self.refines.slots,
            outcome=self.outcome or Outcome.NOT_CHECKED,
            whole=self.whole,
            over=self.is_over,
            same_plan=self.refines is None or self.refines.same_plan,
            met=self.met,
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sortie that comes too close for some slots in a row."""

    sortie: str
    first: Met
    end_utc: str
    lower_tmm: int
    upper_tmm: int


def stretches(met: Sequence[Met]) -> tuple[Stretch, ...]:
    """Return hits by sortie, slots that follow one another joined; the earliest first.

    Cells of different sizes are never joined: their slots are counted differently.
    """
    found: list[Stretch] = []
    # By sortie and size of a cell: the slot, and which stretch.
    last: dict[tuple[str, int], tuple[int, int]] = {}
    for each in met:
        for sortie in each.sorties:
            slot, at = last.get((sortie, each.side_mm), (-2, -1))
            if each.slot <= slot + 1:
                held = found[at]
                found[at] = Stretch(
                    sortie,
                    held.first,
                    max(held.end_utc, each.end_utc),
                    min(held.lower_tmm, each.lower_tmm),
                    max(held.upper_tmm, each.upper_tmm),
                )
            else:
                at = len(found)
                found.append(Stretch(sortie, each, each.end_utc, each.lower_tmm, each.upper_tmm))
            last[sortie, each.side_mm] = (each.slot, at)
    return tuple(found)


class PrivateFindings:
    """Keeps what was found and tells of it as long as it matters.

    Args:
        store: read for what was kept before; never written here.
        journal: where events and alerts go.
        desk: who tells.

    Attributes:
        families: the findings by the run that they are of, closer looks with it.
    """

    def __init__(self, *, store: Store, journal: Journal, desk: Desk) -> None:
        self._journal = journal
        self._desk = desk
        self._held = read_notes(store.notes(_FINDING), _FINDING, PrivateFinding)
        self._open = set(self._held)  # those of which something may have to be told still
        self._next_look_ms = 0
        self.families = Families(self._held)

    def get(self, proposal: str, run: int) -> PrivateFinding | None:
        """Return what a run came to; None where nothing is known yet."""
        return self._held.get(f"{proposal}/{run}")

    def of(self, proposal: str) -> tuple[PrivateFinding, ...]:
        """Return what the runs of a check came to, in their order."""
        mine = [each for each in self._held.values() if each.proposal == proposal]
        return tuple(sorted(mine, key=lambda each: each.run))

    def keep(self, finding: PrivateFinding, work: Work, now: Now) -> None:
        """Take what a run came to, or came to so far; tell of it."""
        before = self._held.get(finding.name)
        if before is not None and msgspec.structs.replace(finding, at_utc=before.at_utc) == before:
            return
        self._held[finding.name] = finding
        self.families.note(finding)
        work.notes.append(note_of(_FINDING, finding.name, finding))
        self._journal.event(
            work,
            now,
            "private",
            {
                "line_id": finding.line_id,
                "proposal": finding.proposal,
                "run": finding.run,
                "outcome": None if finding.outcome is None else finding.outcome.value,
                "whole": finding.whole,
                "reason": finding.reason,
                "drill": finding.drill,
            },
        )
        if finding.refines is not None and finding.is_over:
            self._note_stands(finding, work, now)
        for each in self.families.of(finding):
            self._open.add(each.name)
            self._tell(each, now)
        self._journal.tell(work, now)

    def look(self, now: Now) -> None:
        """Tell anew of what has become more urgent, and close what is over; once a second."""
        if now.monotonic_ms < self._next_look_ms:
            return
        self._next_look_ms = now.monotonic_ms + _LOOK_EVERY_MS
        for name in tuple(self._open):
            finding = self._held.get(name)
            if finding is None or not self._tell(finding, now):
                self._open.discard(name)

    def forget(self, work: Work, now: Now) -> None:
        """Forget what the retention of its terms is over for."""
        for name, finding in tuple(self._held.items()):
            if finding.forget_ms < now.utc_ms:
                del self._held[name]
                self.families.forget(finding)
                work.notes.append(note_of(_FINDING, name, None))
                self._close(finding, _RULES, now)
        self._journal.tell(work, now)

    def plan_missing(
        self, line_id: str, peer: str, at_utc: str | None, work: Work, now: Now, *, drill: bool
    ) -> None:
        """Tell that a run is due soon and nobody has said what flies; None: there is none."""
        key = AlertKey(_NO_PLAN, line_id, peer)
        if at_utc is None:
            self._desk.alerts.close(key, now_ms=now.utc_ms)
        else:
            self._desk.tell(
                key,
                {"peer": peer, "at": at_utc},
                drill=drill,
                urgency="PRIORITY",
                now_ms=now.utc_ms,
                deadline_ms=parse_utc(at_utc),
            )
        self._journal.tell(work, now)

    # ---- inside ----------------------------------------------------------------------------

    def _tell(self, finding: PrivateFinding, now: Now) -> bool:
        """Tell of a finding as it stands; True exactly when that may have to be done again."""
        period_over = parse_utc(finding.end_utc) <= now.utc_ms
        if finding.protector is not None:
            return self._tell_sites(finding, now, over=period_over)
        somewhere = finding.mediator is not None and finding.outcome is Outcome.HIT
        if somewhere and not period_over:
            self._tell_mediated(finding, now)
        else:
            self._close(finding, (_MEDIATED_HIT,), now)
        hits = self.families.head(finding) is finding and self._tell_hits(finding, now)
        unknown = finding.reason is not None and not period_over
        shown = now.utc_ms < parse_utc(finding.end_utc) + _PICKED_SHOWN_MS
        if unknown and not self._checked_since(finding):
            self._tell_not_checked(finding, now)
        else:
            self._close(finding, (_NOT_CHECKED,), now)
        for rule, holds in ((_PICKED, finding.picked), (_COIN_KEPT, finding.coin_kept)):
            if holds and shown:
                self._put(finding, rule, self._period(finding), "ROUTINE", now)
            else:
                self._close(finding, (rule,), now)
        told = hits or unknown or (somewhere and not period_over)
        return told or (shown and bool(finding.picked or finding.coin_kept))

    def _tell_sites(self, finding: PrivateFinding, now: Now, *, over: bool) -> bool:
        """Tell the planner. The protector is told of nothing: it counts what was asked."""
        if finding.protector != finding.peer or over:
            self._close(finding, _SITE_RULES, now)
            return False
        if finding.at_sites:
            first = finding.at_sites[0]
            beside = [said("PRIVATE_SITE_LABEL", {"label": label}) for label in _labels(finding)]
            others = _first_of_sorties(finding)[1:_STRETCHES_TOLD]
            beside += [said("PRIVATE_SITE_AT", _at_site(each)) for each in others]
            if not finding.whole and finding.reason is not None:
                beside.append(said("PRIVATE_HIT_BROKEN_OFF"))
            values = {"peer": finding.peer, **_at_site(first)}
            self._put(finding, _SITE_HIT, values, "PRIORITY", now, beside=beside)
        elif finding.reason is not None:
            by = finding.ended_by or finding.peer
            values = {"peer": finding.peer, "party": by, "why": finding.reason}
            self._put(finding, _SITES_NOT_CHECKED, values, "PRIORITY", now)
        return finding.reason is not None or bool(finding.at_sites)

    def _tell_mediated(self, finding: PrivateFinding, now: Now) -> None:
        """Tell that both come too close somewhere: where and when, nobody was told."""
        beside = []
        if finding.own_cells is not None and finding.peers_cells is not None:
            counts = {"own": finding.own_cells, "theirs": finding.peers_cells}
            beside.append(said("PRIVATE_MEDIATED_COUNT", counts))
        start_ms = parse_utc(finding.start_utc)
        self._put(
            finding,
            _MEDIATED_HIT,
            {**self._period(finding), "mediator": finding.mediator},
            _urgency(start_ms - now.utc_ms),
            now,
            beside=beside,
            deadline_ms=start_ms,
        )

    def _tell_hits(self, finding: PrivateFinding, now: Now) -> bool:
        """Tell what stands of a run and the closer looks at it; True when something does."""
        stands = self.families.stands(finding)
        if any(parse_utc(each.end_utc) > now.utc_ms for each in stands.met):
            self._tell_hit(finding, stands, now)
            return True
        ends = (each.end_utc for of in self.families.of(finding) for each in of.met)
        if any(parse_utc(each) > now.utc_ms for each in ends):
            self._tell_fallen(finding, now)
        self._close(finding, (_HIT,), now)
        return False

    def _tell_hit(self, finding: PrivateFinding, stands: Stands, now: Now) -> None:
        found = [each for each in stretches(stands.met) if parse_utc(each.end_utc) > now.utc_ms]
        first, more = found[0], found[1:]
        beside: list[Said] = [
            said("PRIVATE_HIT_ALSO", _where(each)) for each in more[: _STRETCHES_TOLD - 1]
        ]
        left = len(more) - len(beside)
        if left:
            beside.append(said("PRIVATE_HITS_MORE", {"count": left}))
        if not finding.whole and finding.reason is not None:
            beside.append(said("PRIVATE_HIT_BROKEN_OFF"))
        counts = self.families.counts(finding)
        if counts["fallen"]:
            beside.append(said("PRIVATE_HITS_FALLEN", counts))
        start_ms = parse_utc(first.first.start_utc)
        self._put(
            finding,
            _HIT,
            {"peer": finding.peer, **_where(first)},
            _urgency(start_ms - now.utc_ms),
            now,
            beside=beside,
            deadline_ms=start_ms,
        )

    def _tell_fallen(self, finding: PrivateFinding, now: Now) -> None:
        """Say of an alert that stands why it ends, so that its last word is not a danger's."""
        held = self._desk.alerts.get(_key(finding, _HIT))
        if held is None:
            return
        (number, values), *_ = held.said
        self._desk.tell_said(
            _key(finding, _HIT),
            [said("PRIVATE_HIT_ENDED"), [number, values]],
            drill=finding.drill,
            urgency=held.urgency,
            now_ms=now.utc_ms,
            facts=held.facts,
        )

    def _tell_not_checked(self, finding: PrivateFinding, now: Now) -> None:
        self._put(
            finding,
            _NOT_CHECKED,
            {
                **self._period(finding),
                "party": finding.ended_by or finding.peer,
                "why": finding.reason,
            },
            "PRIORITY",
            now,
        )

    def _put(
        self,
        finding: PrivateFinding,
        rule: str,
        values: Mapping[str, Any],
        urgency: str,
        now: Now,
        *,
        beside: Sequence[Said] = (),
        deadline_ms: int | None = None,
    ) -> None:
        self._desk.tell(
            _key(finding, rule),
            values,
            drill=finding.drill,
            urgency=urgency,
            now_ms=now.utc_ms,
            deadline_ms=deadline_ms,
            beside=beside,
            facts={"proposal": finding.proposal, "run": finding.run},
        )

    def _close(self, finding: PrivateFinding, rules: Iterable[str], now: Now) -> None:
        for rule in rules:
            self._desk.alerts.close(_key(finding, rule), now_ms=now.utc_ms)

    def _checked_since(self, finding: PrivateFinding) -> bool:
        """Whether a whole check of all cells of the same period has ended since."""
        return any(
            each.whole
            and each.parts == 1
            and each.protector is None
            # The mutual one is proven; what a mediator says clears what a mediator did not say.
            and (each.mediator is None or finding.mediator is not None)
            and (each.line_id, each.start_utc) == (finding.line_id, finding.start_utc)
            and each.end_utc == finding.end_utc
            and each.at_utc >= finding.at_utc
            and each.drill == finding.drill
            for each in self._held.values()
        ) or self.families.looked_since(finding)

    def _note_stands(self, look: PrivateFinding, work: Work, now: Now) -> None:
        """Write down what a closer look left standing of the run that it is of."""
        coarse = self._held.get(look.root)
        if coarse is None:
            return
        self._journal.event(
            work,
            now,
            "private",
            {
                "line_id": coarse.line_id,
                "proposal": coarse.proposal,
                "run": coarse.run,
                "outcome": None if coarse.outcome is None else coarse.outcome.value,
                "whole": coarse.whole,
                "reason": coarse.reason,
                "drill": coarse.drill,
                "closer": look.proposal,
                "stands": self.families.stands(look).outcome.value,
                **self.families.counts(coarse),
            },
        )

    # ---- words -----------------------------------------------------------------------------

    @staticmethod
    def _period(finding: PrivateFinding) -> dict[str, Any]:
        return {"peer": finding.peer, "start": finding.start_utc, "end": finding.end_utc}


def _urgency(left_ms: int) -> str:
    return next((name for limit, name in _URGENT_MS if left_ms <= limit), "PRIORITY")


def _key(finding: PrivateFinding, rule: str) -> AlertKey:
    return AlertKey(rule, finding.line_id, finding.proposal, str(finding.run))


def _labels(finding: PrivateFinding) -> tuple[str, ...]:
    """Return what the protector says of the sites that were met, each once, a few of them."""
    said_of = (each.label for each in finding.at_sites if each.label)
    return tuple(dict.fromkeys(said_of))[:_LABELS_TOLD]


def _first_of_sorties(finding: PrivateFinding) -> tuple[SiteMet, ...]:
    """Return the first square of each group of sorties that met sites."""
    found: dict[tuple[str, ...], SiteMet] = {}
    for each in finding.at_sites:
        found.setdefault(each.sorties, each)
    return tuple(found.values())


def _at_site(each: SiteMet) -> dict[str, Any]:
    where = {"lat_e7": each.lat_e7, "lon_e7": each.lon_e7}
    return {"sortie": ", ".join(each.sorties), "where": where}


def _where(stretch: Stretch) -> dict[str, Any]:
    first = stretch.first
    return {
        "sortie": stretch.sortie,
        "start": first.start_utc,
        "end": stretch.end_utc,
        "where": {"lat_e7": first.lat_e7, "lon_e7": first.lon_e7},
        "levels": {
            "reference": first.reference.value,
            "lower_tmm": stretch.lower_tmm,
            "upper_tmm": stretch.upper_tmm,
        },
    }
