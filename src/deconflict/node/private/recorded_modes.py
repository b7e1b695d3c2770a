"""What the mode of a private check changes for an arbiter: lengths, HELLOs, a side made again.

A mutual check and one of sites are said in the same messages; what they hold is another.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from deconflict.errors import DeconflictError
from deconflict.messages.private_bodies import PrivatePropose, PrivateStep, SitesAsked
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.sealed.audit import Audited, Opened, Said, audit, in_one_order
from deconflict.sealed.coin import opens
from deconflict.sealed.grid import Grid
from deconflict.sealed.hello import MAX_HELLO_BYTES, Hello, Shape, read_hello
from deconflict.sealed.site_audit import (
    SiteAudited,
    SiteOpened,
    SiteSaid,
    audit_sites,
    read_sites,
    sites_in_one_order,
)
from deconflict.sealed.site_hello import SiteHello, SiteRole, SiteShape, read_site_hello
from deconflict.sealed.site_sides import SiteStep, SiteStepKind, step_length
from deconflict.sealed.steps import Step, length_of

__all__ = ["Checked", "HelloSaid", "MadeAgain", "Mode", "Secret", "Warned", "mode_of"]


@dataclass(frozen=True, slots=True)
class Warned:
    """What a planner was told of sites, as often as it was.

    Attributes:
        label: what the protector says of the site; None where it could not be opened.
        squares: of the activity that were hit with this label.
    """

    label: str | None
    squares: int


@dataclass(frozen=True, slots=True)
class HelloSaid:
    """What an arbiter takes from a HELLO before it makes a side again.

    Attributes:
        hash: its name.
        wrong: what it names otherwise than was agreed; None for nothing.
        expires_utc: when it gives up.
    """

    hash: bytes
    wrong: str | None
    expires_utc: str


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """What a party gave of a run: its plan or its list of sites, and the seed with its coin."""

    party: str
    held: bytes
    seed: bytes
    coin: bytes

    def __repr__(self) -> str:
        """Say whose it is, and nothing of it."""
        return f"Secret({self.party!r}, ...)"


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """What came of making a side again.

    Attributes:
        deviates: at which of its steps, and how; None where it does not.
        unsaid: whether it only stopped where something was due.
        refused: what the other side said that had to be refused.
        outcome: what the run had to show it; None where it was shown nothing by it.
        hits: own cells or squares that were hit.
        warned: of sites, what a planner was told.
        sites: how many sites a protector opened.
        decoys: and how many that are none.
    """

    deviates: str | None
    unsaid: bool = False
    refused: str | None = None
    outcome: str | None = None
    hits: int = 0
    warned: tuple[Warned, ...] = ()
    sites: int | None = None
    decoys: int | None = None


Checked: TypeAlias = Said | SiteSaid
_OTHER_SHAPE: Final = "its HELLO names another grid, or other lengths, than were agreed"


class Mode(Protocol):
    """What an arbiter asks of the mode of a check."""

    @property
    def has_coins(self) -> bool:
        """Whether both sides show halves of a coin."""
        ...

    def is_false_length(self, body: PrivateStep) -> bool:
        """True exactly when a step is no step of this check, or as long as none is."""
        ...

    def said(self, party: str, body: PrivateStep, data: bytes) -> Checked:
        """Return a step of which :meth:`is_false_length` says nothing, with its bytes."""
        ...

    def hello(self, said: Checked) -> HelloSaid | None:
        """Return what its first step says, if that is a HELLO; None else."""
        ...

    def coin_opens(self, said: Checked, coin: bytes) -> bool:
        """True exactly when its first step is a HELLO that commits to a coin."""
        ...

    def made_again(
        self, own: Sequence[Checked], peers: Sequence[Checked], secret: Secret, *, whole: bool
    ) -> MadeAgain:
        """Compute a side again and compare what it said."""
        ...


def mode_of(document: PrivateCheckTerms, proposed: PrivatePropose, run: int) -> Mode:
    """Return the mode of a run.

    Raises:
        InvalidInputError: no run of this check could be run.
    """
    start_ms = document.start_of(proposed.start_ms, run)
    if proposed.sites is None:
        shape = document.shape(start_ms, proposed.refines)
        return _Mutual(document.grid(start_ms), shape, document.asked_slots(proposed.refines))
    shape_ = document.site_shape(start_ms, proposed.sites)
    return _Sites(document.site_grid(start_ms), shape_, proposed.sites)


@dataclass(frozen=True, slots=True)
class _Mutual:
    """Both sides learn which of their own cells are hit."""

    grid: Grid
    shape: Shape
    slots: int
    has_coins: bool = True

    def is_false_length(self, body: PrivateStep) -> bool:
        kind = body.step.step_kind
        if kind is None:
            return True
        return _is_false(body, length_of(kind, self.shape, self.slots))

    def said(self, party: str, body: PrivateStep, data: bytes) -> Said:
        kind = body.step.step_kind
        if kind is None:
            raise RuntimeError("a step that is none of a mutual check was let through")
        return Said(party, Step(kind, body.number, data))

    def hello(self, said: Checked) -> HelloSaid | None:
        found = _hello(said)
        if found is None:
            return None
        wrong = None if found.shape == self.shape else _OTHER_SHAPE
        return HelloSaid(found.hash, wrong, found.expires_utc)

    def coin_opens(self, said: Checked, coin: bytes) -> bool:
        found = _hello(said)
        return found is not None and opens(found, coin)

    def made_again(
        self, own: Sequence[Checked], peers: Sequence[Checked], secret: Secret, *, whole: bool
    ) -> MadeAgain:
        mine, theirs = ([each for each in side if isinstance(each, Said)] for side in (own, peers))
        opened = Opened(secret.party, secret.held, secret.seed, secret.coin)
        found: Audited = audit(in_one_order(mine, theirs, whole=whole), opened, self.grid)
        return MadeAgain(
            found.deviates,
            found.unsaid,
            found.refused,
            None if found.finding is None else found.finding.outcome.value,
            0 if found.finding is None else len(found.finding.hits),
        )


@dataclass(frozen=True, slots=True)
class _Sites:
    """One side learns which squares of its activity lie at protected sites of the other."""

    grid: Grid
    shape: SiteShape
    sites: SitesAsked
    has_coins: bool = False

    def is_false_length(self, body: PrivateStep) -> bool:
        kind = SiteStepKind.__members__.get(body.step.value)
        return kind is None or _is_false(body, step_length(kind, self.shape))

    def said(self, party: str, body: PrivateStep, data: bytes) -> SiteSaid:
        return SiteSaid(party, SiteStep(SiteStepKind[body.step.value], data))

    def hello(self, said: Checked) -> HelloSaid | None:
        found = _site_hello(said)
        if found is None:
            return None
        protects = said.party == self.sites.protector
        role = SiteRole.PROTECTOR if protects else SiteRole.PLANNER
        wrong = None if found.shape == self.shape else _OTHER_SHAPE
        if found.role is not role:
            wrong = "its HELLO has the other role than was agreed"
        return HelloSaid(found.hash, wrong, found.expires_utc)

    def coin_opens(self, said: Checked, coin: bytes) -> bool:  # noqa: ARG002 (there is none)
        return False

    def made_again(
        self, own: Sequence[Checked], peers: Sequence[Checked], secret: Secret, *, whole: bool
    ) -> MadeAgain:
        mine, theirs = (
            [each for each in side if isinstance(each, SiteSaid)] for side in (own, peers)
        )
        said = sites_in_one_order(mine, theirs, whole=whole)
        opened = SiteOpened(secret.party, secret.held, secret.seed)
        found: SiteAudited = audit_sites(said, opened, self.grid)
        sites = self._held(secret)
        finding = found.finding
        hits = {} if finding is None else finding.hits
        told = Counter(hits.values())
        return MadeAgain(
            found.deviates,
            found.unsaid,
            found.refused,
            None if finding is None else finding.outcome.value,
            len(hits),
            tuple(
                Warned(label, told[label]) for label in sorted(told, key=lambda each: each or "")
            ),
            None if sites is None else sites[0],
            None if sites is None else sites[1],
        )

    def _held(self, secret: Secret) -> tuple[int, int] | None:
        """Return how many sites and decoys a protector opened; None of a planner, or of no list."""
        if secret.party != self.sites.protector:
            return None
        try:
            sites = read_sites(secret.held)
        except DeconflictError:
            return None
        decoys = sum(site.decoy for site in sites)
        return len(sites) - decoys, decoys


def _is_false(body: PrivateStep, length: int | None) -> bool:
    return body.size > MAX_HELLO_BYTES if length is None else body.size != length


def _hello(said: Checked) -> Hello | None:
    try:
        return read_hello(said.step.data)
    except DeconflictError:
        return None


def _site_hello(said: Checked) -> SiteHello | None:
    try:
        return read_site_hello(said.step.data)
    except DeconflictError:
        return None
