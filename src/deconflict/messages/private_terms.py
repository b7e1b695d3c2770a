"""What two parties agree about private checks: one document in their terms.

Its hash, with the begin of a period, names the grid in every HELLO; another grid is refused. All
that makes one run as long as another is here too, so that how much is said says nothing. Bytes and
meaning of the grid: ``specs/private-check.md``; the document: ``specs/terms.md``.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Final, TypeAlias

import msgspec

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidDocumentError, InvalidInputError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.statement import hash_of
from deconflict.messages.private_bodies import (
    MAX_REFINED,
    MAX_STEP_BYTES,
    MediatedAsked,
    Refines,
    SitesAsked,
)
from deconflict.messages.wire_form import Name, Place, WireForm, write_form
from deconflict.sealed.grid import Grid, Reach
from deconflict.sealed.hello import Shape
from deconflict.sealed.mediation import MediatedTerms
from deconflict.sealed.site_hello import SiteShape
from deconflict.sealed.steps import StepKind, length_of

__all__ = ["CheckMinima", "PrivateCheckTerms"]

_DAY_MS: Final = 86_400_000
Millimetres: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Offset: TypeAlias = Annotated[int, msgspec.Meta(ge=-1_000_000_000, le=1_000_000_000)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Span: TypeAlias = Annotated[int, msgspec.Meta(ge=1_000, le=366 * _DAY_MS)]
Days: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=36_500)]


class CheckMinima(WireForm, frozen=True):
    """Who is as near as this or nearer, in all three, is found."""

    horizontal_mm: Millimetres
    vertical_tmm: Millimetres
    time_ms: Annotated[int, msgspec.Meta(ge=0, le=_DAY_MS)]

    @property
    def reach(self) -> Reach:
        """The same as a session takes it."""
        return Reach(self.horizontal_mm, self.vertical_tmm, self.time_ms)


class PrivateCheckTerms(WireForm, frozen=True, kw_only=True):
    """The document on private checks.

    Attributes:
        origin: where the plane of the grid touches the ellipsoid.
        west_mm: x of its western rim.
        south_mm: y of its southern rim.
        cell_mm: the side of a cell.
        columns: cells from west to east.
        rows: cells from south to north.
        reference: of its altitudes.
        floor_tmm: the lowest altitude.
        level_tmm: the height of a cell.
        levels: cells above one another.
        slot_ms: how long a cell lasts.
        slots: of a period.
        minima: what is found.
        cadence_ms: from the begin of a period to the next one's. Every period begins at a whole
            multiple of it, counted from 1970.
        ahead_ms: so long before its period the HELLO of a run is due.
        run_limit_ms: and so long after that it expires.
        tags_after_ms: the own tags leave at the first whole multiple of this, counted from when the
            later HELLO was logged, at which they are ready: their work takes as long as a plan is
            large.
        refinements: into how many parts the sides of a cell may be cut for a closer look, each
            dividing the next; none for no closer look.
        points: asked about in each slot.
        bucket: tags shown in a run.
        cells_per_sortie_slot: that one sortie may fill of a slot of the coarse grid.
        sorties: of a party in a period.
        runs_per_slot: how often a slot may be asked about, closer looks included.
        audit_per_mille: so many of a thousand runs are picked by both coins to be opened.
        arbiter: to whom; None for nobody.
        opened_after_days: a plan is opened no sooner than so long after its period.
        retention_days: so long plans, seeds and parts are kept after their period.
    """

    origin: Place
    west_mm: Offset
    south_mm: Offset
    cell_mm: Millimetres
    columns: Count
    rows: Count
    reference: AltitudeReference
    floor_tmm: Offset
    level_tmm: Millimetres
    levels: Count
    slot_ms: Span
    slots: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    minima: CheckMinima
    cadence_ms: Span
    ahead_ms: Annotated[int, msgspec.Meta(ge=0, le=30 * _DAY_MS)]
    run_limit_ms: Annotated[int, msgspec.Meta(ge=1_000, le=7 * _DAY_MS)]
    tags_after_ms: Annotated[int, msgspec.Meta(ge=1, le=_DAY_MS)]
    refinements: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=2, le=64)], ...], msgspec.Meta(max_length=6)
    ]
    points: Annotated[int, msgspec.Meta(ge=2, le=65_535)]
    bucket: Annotated[int, msgspec.Meta(ge=64, le=1 << 26)]
    cells_per_sortie_slot: Count
    sorties: Count
    runs_per_slot: Annotated[int, msgspec.Meta(ge=1, le=100)]
    audit_per_mille: Annotated[int, msgspec.Meta(ge=0, le=1_000)]
    arbiter: Name | None
    opened_after_days: Days
    retention_days: Days

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        self._require_cells()
        self._require_times()
        self._require_budget()
        if self.audit_per_mille and self.arbiter is None:
            raise _refused("arbiter", None, "a name, where runs are picked to be opened")
        if self.opened_after_days > self.retention_days:
            raise _refused(
                "opened_after_days",
                self.opened_after_days,
                f"at most retention_days, which is {self.retention_days}",
            )

    # ---- what a run takes from it --------------------------------------------------------------

    @property
    def document_hash(self) -> str:
        """Its name: SHA-256 of its canonical bytes, 64 hex digits."""
        return hash_of(canonical_bytes(write_form(self)))

    def grid(self, start_ms: int) -> Grid:
        """Return the grid of the period that begins then; the coarse one.

        Raises:
            InvalidInputError: no period begins then.
        """
        self.require_begin(start_ms)
        return self._grid(start_ms)

    def shape(self, start_ms: int, refines: Refines | None = None) -> Shape:
        """Return the lengths of a run over the period that begins then.

        Its ``grid`` is the SHA-256 of the canonical JSON of the document's hash and the begin.

        Raises:
            InvalidInputError: no period begins then, or so close a look at those slots is not
                agreed.
        """
        self.require_begin(start_ms)
        if refines is not None:
            self.require_refinement(refines)
        named = {"document": self.document_hash, "start_utc": format_utc(start_ms)}
        return Shape(
            grid=hash_of(canonical_bytes(named)),
            parts=1 if refines is None else refines.parts,
            slots=() if refines is None else refines.slots,
            points=self.points,
            bucket=self.bucket,
        )

    def site_grid(self, start_ms: int) -> Grid:
        """Return the grid of a check of sites proposed for that period: flat, and without slots."""
        grid = self.grid(start_ms)
        return replace(grid, level_tmm=grid.level_tmm * grid.levels, levels=1, slots=1)

    def site_shape(self, start_ms: int, sites: SitesAsked) -> SiteShape:
        """Return the lengths of a check of sites.

        Its ``grid`` is the SHA-256 of the canonical JSON of the document's hash, the begin and that
        it is one of sites.

        Raises:
            InvalidInputError: no period begins then.
        """
        self.require_begin(start_ms)
        named = {
            "document": self.document_hash,
            "sites": True,
            "start_utc": format_utc(start_ms),
        }
        return SiteShape(
            grid=hash_of(canonical_bytes(named)),
            points=sites.points,
            bucket=sites.bucket,
            label=sites.label,
        )

    def mediated_terms(self, start_ms: int, asked: MediatedAsked) -> MediatedTerms:
        """Return what both sides of a mediated check agree to.

        Its ``grid`` is the SHA-256 of the canonical JSON of the document's hash, the begin and that
        it is mediated, so no HELLO serves in another check as well.

        Raises:
            InvalidInputError: no period begins then.
        """
        self.require_begin(start_ms)
        named = {
            "document": self.document_hash,
            "mediated": True,
            "start_utc": format_utc(start_ms),
        }
        return MediatedTerms(
            mediator=asked.mediator,
            grid=hash_of(canonical_bytes(named)),
            parts=1,
            mode=asked.answer.mode,
            runs=asked.lists,
            bucket=asked.bucket,
        )

    def start_of(self, first_ms: int, run: int) -> int:
        """Return when the period of a run begins, the first one's beginning given."""
        return first_ms + run * self.cadence_ms

    def due_ms(self, start_ms: int) -> int:
        """Return when the HELLO of the run over that period is due."""
        return start_ms - self.ahead_ms

    def end_ms(self, start_ms: int) -> int:
        """Return when the period that begins then is over."""
        return start_ms + self.slots * self.slot_ms

    def asked_slots(self, refines: Refines | None = None) -> int:
        """Return how many slots a run asks about."""
        return self.slots if refines is None else len(refines.slots) * refines.parts

    def bytes_of_run(self, refines: Refines | None = None) -> int:
        """Return how many bytes one side says in a run, but for its HELLO."""
        return sum(
            length * (64 if kind is StepKind.CHUNK else 1)
            for kind, length in self._lengths(self.asked_slots(refines))
        )

    # ---- what is refused -----------------------------------------------------------------------

    def require_begin(self, start_ms: int) -> None:
        """Return when a period begins then.

        Raises:
            InvalidInputError: it does not.
        """
        if start_ms < 0 or start_ms % self.cadence_ms:
            late_ms = start_ms % self.cadence_ms
            raise InvalidInputError(
                "no period of the private check begins then",
                given=format_utc(start_ms) if start_ms >= 0 else f"{start_ms} ms",
                expected=f"a multiple of {self.cadence_ms:,} ms since 1970, such as "
                + format_utc(max(0, start_ms - late_ms)),
            )

    def require_refinement(self, refines: Refines) -> None:
        """Return when so close a look at those slots is agreed.

        Raises:
            InvalidInputError: it is not.
        """
        if refines.parts not in self.refinements:
            agreed = ", ".join(map(str, self.refinements))
            raise InvalidInputError(
                "so close a look is not agreed",
                given=f"cells cut into {refines.parts}",
                expected=f"one of {agreed}" if agreed else "none: no closer look is agreed",
            )
        if refines.slots[-1] >= self.slots:
            raise InvalidInputError(
                "a slot to be looked at more finely is not in the period",
                given=f"slot {refines.slots[-1]}",
                expected=f"0 to {self.slots - 1}",
            )

    def require_finds(self, *, lateral_mm: int, vertical_tmm: int, clocks_ms: int) -> None:
        """Return when it finds whoever comes under minima, by clocks that may be so far apart.

        What an altitude may be off in another reference is not asked: each side's cells hold every
        altitude that a declared one may be in the grid's.

        Raises:
            InvalidDocumentError: it finds less than an open check does.
        """
        for name, given, least in (
            ("horizontal_mm", self.minima.horizontal_mm, lateral_mm),
            ("vertical_tmm", self.minima.vertical_tmm, vertical_tmm),
            ("time_ms", self.minima.time_ms, clocks_ms),
        ):
            if given < least:
                raise _refused(
                    f"minima.{name}",
                    given,
                    f"at least {least:,}, or an open conflict would not be found",
                )

    # ---- inside --------------------------------------------------------------------------------

    def _grid(self, start_ms: int) -> Grid:
        return Grid(
            origin=self.origin.position,
            west_mm=self.west_mm,
            south_mm=self.south_mm,
            cell_mm=self.cell_mm,
            columns=self.columns,
            rows=self.rows,
            reference=self.reference,
            floor_tmm=self.floor_tmm,
            level_tmm=self.level_tmm,
            levels=self.levels,
            start_ms=start_ms,
            slot_ms=self.slot_ms,
            slots=self.slots,
            minima=self.minima.reach,
        )

    def _require_cells(self) -> None:
        for one, other in zip((1, *self.refinements), self.refinements, strict=False):
            if other <= one or other % one:
                raise _refused(
                    "refinements", list(self.refinements), "ascending, each dividing the next"
                )
        try:
            grid = self._grid(0)
            for parts in self.refinements:
                grid.refined(parts)
        except InvalidInputError as error:
            raise _refused("grid", error.given, f"{error.problem}: {error.expected}") from error

    def _require_times(self) -> None:
        if self.cadence_ms % self.slot_ms:
            raise _refused(
                "cadence_ms",
                self.cadence_ms,
                f"a multiple of slot_ms, {self.slot_ms}, so that slots of two periods are the same",
            )
        at_once = -(-self.slots * self.slot_ms // self.cadence_ms)
        if at_once > self.runs_per_slot:
            raise _refused(
                "runs_per_slot",
                self.runs_per_slot,
                f"at least {at_once}: so many periods hold a slot",
            )
        if self.tags_after_ms >= self.run_limit_ms:
            raise _refused(
                "tags_after_ms",
                self.tags_after_ms,
                f"less than run_limit_ms, which is {self.run_limit_ms}",
            )

    def _require_budget(self) -> None:
        if self.bucket % 64:
            raise _refused("bucket", self.bucket, "a multiple of 64")
        # Points that no sortie agreed on could fill are none but a means to probe.
        most = self.cells_per_sortie_slot * self.sorties + 1
        if self.points > most:
            raise _refused(
                "points",
                self.points,
                f"at most {most}: what the agreed sorties can fill of a slot, and a canary",
            )
        # What is asked about at once, in the coarse check and in the finest of its slots.
        finest = min(self.slots, MAX_REFINED) * max(self.refinements, default=1)
        for slots in (self.slots, finest):
            for kind, length in self._lengths(slots):
                if length > MAX_STEP_BYTES:
                    raise _refused(
                        f"{kind.name} of {slots:,} slots",
                        f"{length:,} bytes",
                        f"at most {MAX_STEP_BYTES:,} bytes",
                        "agree on shorter periods, or on fewer points",
                    )

    def _lengths(self, slots: int) -> Iterator[tuple[StepKind, int]]:
        shape = Shape("0" * 64, 1, (), self.points, self.bucket)
        for kind in StepKind:
            length = length_of(kind, shape, slots)
            if length is not None:
                yield kind, length


def _refused(name: str, given: object, expected: str, remedy: str = "") -> InvalidDocumentError:
    return InvalidDocumentError(
        f"terms: private_check.{name} cannot stand",
        given=f"{given!s:.120}",
        expected=expected,
        remedy=remedy or "change it and propose again",
    )
