"""What an arbiter does with a check of sites: make one side again, byte for byte.

A planner who opens its activity and seed shows what it was warned of, and that it asked about this
activity and no other; a protector who opens its list and seed, that it showed this list whole.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from deconflict.errors import DeconflictError, InvalidDocumentError
from deconflict.sealed.grid import Grid
from deconflict.sealed.order import merged
from deconflict.sealed.own import Drawn, read_plan
from deconflict.sealed.site_check import Planner, Protector, SiteFinding
from deconflict.sealed.site_hello import SiteHello, SiteRole, read_site_hello
from deconflict.sealed.site_sides import SiteStep, SiteStepKind, planner_side, protector_side
from deconflict.sealed.sites import Site, sites_bytes

__all__ = [
    "SiteAudited",
    "SiteOpened",
    "SiteSaid",
    "audit_sites",
    "read_sites",
    "sites_in_one_order",
]


@dataclass(frozen=True, slots=True)
class SiteSaid:
    """One step of the transcript: whose it is, and it."""

    party: str
    step: SiteStep


@dataclass(frozen=True, slots=True, repr=False)
class SiteOpened:
    """What a party gives to the arbiter.

    Attributes:
        party: who.
        held: the canonical bytes of its list of sites, or of its activity.
        seed: of the session.
    """

    party: str
    held: bytes
    seed: bytes

    def __repr__(self) -> str:
        """Say whose it is, and nothing of it."""
        return f"SiteOpened({self.party!r}, ...)"


@dataclass(frozen=True, slots=True)
class SiteAudited:
    """What came of it.

    Attributes:
        deviates: at which of its steps, and how, the party said something else than it had to; None
            when every byte is the one that follows from what it opened.
        finding: what a planner was told; None of a protector, which is told nothing.
        unsaid: whether it only stopped where something was due: it may have had to.
        refused: what the other side said that had to be refused, and why; None for nothing.
    """

    deviates: str | None
    finding: SiteFinding | None
    unsaid: bool = False
    refused: str | None = None


def audit_sites(transcript: Sequence[SiteSaid], opened: SiteOpened, grid: Grid) -> SiteAudited:
    """Compute one side again and compare each byte.

    Args:
        transcript: the steps of both sides in the order in which this side logged them.
        opened: what it gave.
        grid: the agreed one.
    """
    said = [each.step for each in transcript if each.party == opened.party]
    if not said:
        return SiteAudited("it said nothing in this transcript", None)
    try:
        hello = read_site_hello(said[0].data)
        side = _side(hello, opened, grid)
    except DeconflictError as error:
        return SiteAudited(f"its HELLO cannot come from what it opened: {error.problem}", None)
    if side.begin().data != hello.data:
        return SiteAudited("its HELLO commits to something else than it opened", None)
    return _replayed(side, transcript, opened.party)


def sites_in_one_order(
    own: Sequence[SiteSaid], peers: Sequence[SiteSaid], *, whole: bool = True
) -> list[SiteSaid]:
    """Return two chains of steps as the side audited had them; see :func:`.order.merged`."""
    return merged(own, peers, _Order(), whole=whole)


class _Order:
    """Which steps of a check of sites a side says upon which of the other's."""

    def __init__(self) -> None:
        self._said: Counter[SiteStepKind] = Counter()
        self._heard: Counter[SiteStepKind] = Counter()

    def take(self, each: SiteSaid, *, own: bool) -> None:
        """Count one step."""
        (self._said if own else self._heard)[each.step.kind] += 1

    def allows(self, each: SiteSaid) -> bool:
        """True exactly when a side that heard so much says a step of this kind at once."""
        heard = self._heard
        match each.step.kind:
            case SiteStepKind.HELLO:
                return True
            case SiteStepKind.LIST:
                return heard[SiteStepKind.HELLO] > 0
            case SiteStepKind.POINTS:
                return heard[SiteStepKind.LIST] > 0
            case SiteStepKind.EVALUATED:
                return heard[SiteStepKind.POINTS] > 0
            case SiteStepKind.DONE:  # the planner's upon the answer, the protector's upon that
                answered = self._said[SiteStepKind.EVALUATED] > 0
                return heard[SiteStepKind.DONE if answered else SiteStepKind.EVALUATED] > 0


def read_sites(data: bytes) -> tuple[Site, ...]:
    """Return the list of canonical bytes; exactly what :func:`.sites.sites_bytes` wrote.

    Raises:
        InvalidDocumentError: they are none.
    """
    try:
        found = msgspec.json.decode(data, type=tuple[Site, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDocumentError(
            "this is no list of sites", given=str(error)[:80], expected="canonical sites"
        ) from error
    if sites_bytes(found) != data:
        raise InvalidDocumentError(
            "this is no list of sites", given="another spelling of it", expected="canonical sites"
        )
    return found


def _side(hello: SiteHello, opened: SiteOpened, grid: Grid) -> Protector | Planner:
    # There is no coin in these checks: who is to be opened is for the terms to say.
    drawn = Drawn(opened.seed, b"", bytes.fromhex(hello.nonce))
    shape, expires = hello.shape, hello.expires_utc
    if hello.role is SiteRole.PROTECTOR:
        sites = read_sites(opened.held)
        own = protector_side(opened.party, sites, grid, shape, drawn, expires_utc=expires)
        return Protector(own)
    plan = read_plan(opened.held)
    return Planner(planner_side(opened.party, plan, grid, shape, drawn, expires_utc=expires))


def _replayed(side: Protector | Planner, transcript: Sequence[SiteSaid], party: str) -> SiteAudited:
    due = [side.begin()]
    for at, each in enumerate(transcript):
        kind = each.step.kind
        if each.party == party:
            if not due:
                return SiteAudited(f"{kind.name} was not due", _finding(side))
            if each.step != due.pop(0):
                return SiteAudited(f"{kind.name} is not what it opened gives", _finding(side))
            continue
        try:
            due += side.hear(each.step)
            if isinstance(side, Protector) and kind is SiteStepKind.HELLO:
                due.append(side.show())
        except DeconflictError as error:
            # The peer's fault: this side had to stop here, and must have said nothing more.
            refused = f"{kind.name}: {error.problem}"
            later = [more.step for more in transcript[at + 1 :] if more.party == party]
            if later:
                went_on = f"it went on with {later[0].kind.name} after {error.problem}"
                return SiteAudited(went_on, _finding(side), refused=refused)
            return SiteAudited(None, _finding(side), refused=refused)
    if due:
        return SiteAudited(f"it stopped before {due[0].kind.name}", _finding(side), unsaid=True)
    return SiteAudited(None, _finding(side))


def _finding(side: Protector | Planner) -> SiteFinding | None:
    return side.finding if isinstance(side, Planner) else None
