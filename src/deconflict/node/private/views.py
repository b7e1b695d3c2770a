"""Private checks as people and programs are shown them: plain values, times as text."""

from dataclasses import dataclass
from typing import Any

from deconflict.airspace.notation import PositionEcho, echo
from deconflict.airspace.position import Position
from deconflict.messages.phrases import render_named
from deconflict.node.private.closer import Fate, Stands
from deconflict.node.private.findings import PrivateFinding, Stretch, stretches
from deconflict.node.private.site_beginning import SiteMet
from deconflict.node.private.sorties import Met
from deconflict.sealed.session import Outcome

__all__ = [
    "CloserLookView",
    "HitView",
    "OpenedView",
    "PlanView",
    "PrivateCheckView",
    "PrivateFindingView",
    "PrivateRunView",
    "RefinementView",
    "SiteHitView",
    "SortieView",
    "hit_views",
    "mediator_learns",
    "run_text",
    "site_views",
]


@dataclass(frozen=True, slots=True)
class SortieView:
    """One sortie or area of the own plan."""

    declaration_id: str
    label: str | None
    purpose: str
    start_utc: str
    end_utc: str
    geometry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlanView:
    """What this party flies in private checks on a line. It never leaves the node.

    Attributes:
        line_id: the line.
        peer: whose.
        set_utc: since when it is this; None where nobody said, and then nothing can be checked.
        sorties: none where nothing flies.
    """

    line_id: str
    peer: str
    set_utc: str | None
    sorties: tuple[SortieView, ...]


@dataclass(frozen=True, slots=True)
class RefinementView:
    """A closer look: one that can be proposed, or of which run a check is one.

    To propose it shows the peer in which slots something was hit.

    Attributes:
        of: the check.
        run: its run.
        parts: into how many the sides of its cells would be cut.
        slots: of the run: those with a hit that stands, and those that the peer named.
    """

    of: str
    run: int
    parts: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CloserLookView:
    """A closer look at a run that was proposed, by either side.

    Attributes:
        proposal: its check.
        own: whether this party proposed it.
        parts: into how many the sides of a cell are cut.
        slots: how many slots of the run it is at.
        state: PROPOSED, ACCEPTED, DECLINED or ENDED.
        outcome: what it found; None while that is not known. NOT_CHECKED is not clear.
    """

    proposal: str
    own: bool
    parts: int
    slots: int
    state: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class PrivateRunView:
    """One run of a check.

    Attributes:
        run: its number, from 0.
        start_utc, end_utc: its period.
        due_utc: when it begins by itself.
        state: WAITING, RUNNING, WHOLE (both said DONE), ENDED (before its end).
        outcome: HIT, NO_HIT or NOT_CHECKED; None while it is not known. NOT_CHECKED is not clear.
        hits: own cells that come too close.
        fallen: how many of them have fallen in closer looks; all others stand.
        stands: the outcome of the run and the closer looks at it together: HIT as long as a hit
            stands. None while there is no outcome.
        own_cells: as a mediator counted them; None where it did not.
        peers_cells: of the peer, likewise.
        sorties: how many own sorties were checked; None where that is not known.
        reason: why it ended before its end.
        ended_by: which party said so.
        done: how many steps are said, while it runs; None before and after.
        steps: how many both sides say in a whole run; None once it is over.
        picked: whether both coins picked it to be opened to the arbiter.
        coin_kept: the peer did not open its coin.
        text: the state in words.
    """

    run: int
    start_utc: str
    end_utc: str
    due_utc: str
    state: str
    outcome: str | None
    hits: int
    fallen: int
    stands: str | None
    own_cells: int | None
    peers_cells: int | None
    sorties: int | None
    reason: str | None
    ended_by: str | None
    done: int | None
    steps: int | None
    picked: bool | None
    coin_kept: bool
    text: str


@dataclass(frozen=True, slots=True)
class PrivateCheckView:
    """A private check: what was proposed, what became of it, and its runs.

    Attributes:
        proposal: its name, the hash of the PRIVATE_PROPOSE.
        line_id, peer: where.
        by: who proposed.
        own: whether this party did.
        mode: who learns what.
        protector: whose sites are asked about; None in a mutual check.
        mediator: who is asked in a mediated check, and with either side learns the other's plan.
        answer: what it is asked for: YES_NO or COUNT.
        warning: what the mediator can learn, in words; None in any other check.
        state: PROPOSED, ACCEPTED, DECLINED or ENDED.
        fault: why none of it can be run; None when it can.
        start_utc: when the first period begins.
        cadence_ms: from one period's begin to the next's; None where the document is unknown.
        runs: how many there are.
        refines: of which run it is a closer look, and at what; None for a coarse one.
        drill: exercise only.
        plan_set: whether this party has set what it flies on the line.
        shown: the runs that have begun or ended, and the next one.
    """

    proposal: str
    line_id: str
    peer: str
    by: str
    own: bool
    mode: str
    protector: str | None
    mediator: str | None
    answer: str | None
    warning: str | None
    state: str
    fault: str | None
    proposed_utc: str
    start_utc: str
    cadence_ms: int | None
    runs: int
    refines: RefinementView | None
    drill: bool
    plan_set: bool
    shown: tuple[PrivateRunView, ...]


@dataclass(frozen=True, slots=True)
class HitView:
    """An own sortie that comes too close for some slots in a row.

    Where the peer is, nobody here knows: within the minima and one cell of this, then.

    Attributes:
        sortie: its label, or the beginning of its id.
        start_utc, end_utc: from the first of these slots to the last.
        lat_e7, lon_e7: the middle of the first cell, ten-millionths of a degree.
        place: the same in every notation.
        side_mm: how wide a cell is.
        reference: of the altitudes.
        lower_tmm, upper_tmm: over all these slots.
        fate: what closer looks made of it: NOT_LOOKED, NOT_CHECKED, OTHER_PLAN and SEEN stand, and
            FALLEN has fallen.
        text: all of it in words.
    """

    sortie: str
    start_utc: str
    end_utc: str
    lat_e7: int
    lon_e7: int
    place: PositionEcho
    side_mm: int
    reference: str
    lower_tmm: int
    upper_tmm: int
    fate: str
    text: str


@dataclass(frozen=True, slots=True)
class SiteHitView:
    """An own square within the radius of a protected site. Where the site is, nobody here knows.

    Attributes:
        sorties: labels of the own sorties that touch it.
        place: its middle in every notation.
        side_mm: how wide it is.
        label: what the protector says of the site; None where that cannot be opened.
        text: all of it in words.
    """

    sorties: tuple[str, ...]
    place: PositionEcho
    side_mm: int
    label: str | None
    text: str


@dataclass(frozen=True, slots=True)
class PrivateFindingView:
    """What a run found, as far as it came.

    Attributes:
        check: to which it belongs.
        run: how it stands.
        hits: by sortie, the earliest first.
        at_sites: of a check of sites, own squares within the radius of one.
        refinements: closer looks that can be proposed; none without a hit that stands.
        looks: the closer looks at the run that were proposed, the oldest first.
        runs_left: how often the fullest of its slots may still be asked about.
    """

    check: PrivateCheckView
    run: PrivateRunView
    hits: tuple[HitView, ...]
    at_sites: tuple[SiteHitView, ...]
    refinements: tuple[RefinementView, ...]
    looks: tuple[CloserLookView, ...]
    runs_left: int


@dataclass(frozen=True, slots=True)
class OpenedView:
    """What an arbiter is given of one run. Whoever has it knows the plan.

    Attributes:
        party: whose.
        proposal, run: which.
        plan: the canonical text of what was checked.
        seed, coin: 64 hex digits each.
    """

    party: str
    proposal: str
    run: int
    plan: str
    seed: str
    coin: str


def hit_views(finding: PrivateFinding, stands: Stands, language: str) -> tuple[HitView, ...]:
    """Return the hits of a finding by sortie and what became of them, in words of a language."""
    by_fate: dict[Fate, list[Met]] = {}
    for each in finding.met:
        by_fate.setdefault(stands.fate(finding.parts, each), []).append(each)
    looked = any(fate is not Fate.NOT_LOOKED for fate in by_fate)
    found = [
        _hit_view(stretch, fate, language, says_fate=looked)
        for fate, met in by_fate.items()
        for stretch in stretches(met)
    ]
    return tuple(sorted(found, key=lambda each: (each.start_utc, each.sortie, each.fate)))


def site_views(finding: PrivateFinding, language: str) -> tuple[SiteHitView, ...]:
    """Return the squares at sites of a finding, in words of a language."""
    return tuple(_site_view(each, language) for each in finding.at_sites)


def _site_view(each: SiteMet, language: str) -> SiteHitView:
    where = {"lat_e7": each.lat_e7, "lon_e7": each.lon_e7}
    values = {"sortie": ", ".join(each.sorties), "where": where}
    text = render_named("PRIVATE_SITE_AT", values, language)
    if each.label:
        text += " " + render_named("PRIVATE_SITE_LABEL", {"label": each.label}, language)
    place = echo(Position(each.lat_e7, each.lon_e7))
    return SiteHitView(each.sorties, place, each.side_mm, each.label, text)


def run_text(
    *,
    finding: PrivateFinding | None,
    fallen: int,
    progress: tuple[int, int] | None,
    due_utc: str,
    language: str,
) -> str:
    """Return how a run stands in words; ``fallen``: of its hits, in closer looks."""
    if finding is not None and finding.protector is not None and finding.reason is None:
        if finding.outcome is None:
            return render_named("PRIVATE_RUN_ANSWERED", {"points": finding.points or 0}, language)
        if not finding.at_sites:
            return render_named("PRIVATE_RUN_NO_SITE", {}, language)
    if finding is not None and finding.mediator is not None and finding.outcome is Outcome.HIT:
        if finding.own_cells is None or finding.peers_cells is None:
            return render_named("PRIVATE_RUN_MEDIATED_HIT", {}, language)
        counts = {"own": finding.own_cells, "theirs": finding.peers_cells}
        return render_named("PRIVATE_RUN_MEDIATED_COUNT", counts, language)
    if finding is not None and finding.at_sites:
        told = render_named("PRIVATE_RUN_SITE_HIT", {"count": finding.hits}, language)
        if finding.reason is not None:
            told += " " + render_named("PRIVATE_HIT_BROKEN_OFF", {}, language)
        return told
    if finding is not None and finding.met:
        told = render_named("PRIVATE_RUN_HIT", {"count": len(finding.met)}, language)
        if finding.reason is not None:
            told += " " + render_named("PRIVATE_HIT_BROKEN_OFF", {}, language)
        if fallen:
            counts = {"fallen": fallen, "left": len(finding.met) - fallen}
            told += " " + render_named("PRIVATE_HITS_FALLEN", counts, language)
        return told
    if finding is not None and finding.reason is not None:
        ended = {"party": finding.ended_by or finding.peer, "why": finding.reason}
        return render_named("PRIVATE_RUN_NOT_CHECKED", ended, language)
    if finding is not None:
        return render_named("PRIVATE_RUN_NO_HIT", {}, language)
    if progress is not None:
        done, steps = progress
        return render_named("PRIVATE_RUN_GOING", {"done": done, "steps": steps}, language)
    return render_named("PRIVATE_RUN_WAITING", {"at": due_utc}, language)


def mediator_learns(mediator: str, language: str) -> str:
    """Return in words what a mediator can learn: shown before it is proposed, and beside it."""
    return render_named("PRIVATE_MEDIATOR_LEARNS", {"mediator": mediator}, language)


def _hit_view(stretch: Stretch, fate: Fate, language: str, *, says_fate: bool) -> HitView:
    first = stretch.first
    values = {
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
    told: list[tuple[str, dict[str, Any]]] = [("PRIVATE_HIT_AT", values)]
    if says_fate:
        told.append((f"PRIVATE_HIT_{fate.value}", {}))
    return HitView(
        sortie=stretch.sortie,
        start_utc=first.start_utc,
        end_utc=stretch.end_utc,
        lat_e7=first.lat_e7,
        lon_e7=first.lon_e7,
        place=echo(Position(first.lat_e7, first.lon_e7)),
        side_mm=first.side_mm,
        reference=first.reference.value,
        lower_tmm=stretch.lower_tmm,
        upper_tmm=stretch.upper_tmm,
        fate=fate.value,
        text=" ".join(render_named(name, given, language) for name, given in told),
    )
