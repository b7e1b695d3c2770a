"""A record of one check of protected sites, really computed and really signed: red protects."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from deconflict.airspace.instant import format_utc
from deconflict.messages.private_bodies import (
    PrivateAccept,
    PrivateMode,
    PrivatePropose,
    PrivateStep,
    SitesAsked,
    StepWord,
)
from deconflict.sealed.own import plan_bytes
from deconflict.sealed.site_sides import (
    PlannerSide,
    ProtectorSide,
    SiteStep,
    planner_side,
    protector_side,
)
from deconflict.sealed.sites import Site, sites_bytes
from deconflict.sealed.tubes import Area, Tube
from private_record import BLUE, DOCUMENT, EXPIRES, FAR, PERIOD_MS, Record
from record_samples import Chain
from sealed_talk import drawn
from site_talk import Table

# A list of 17,856 bytes: too long for a message, and one part.
ASKED = SitesAsked(protector="red", points=64, bucket=288, label=32)
GRID = DOCUMENT.site_grid(PERIOD_MS)
SHAPE = DOCUMENT.site_shape(PERIOD_MS, ASKED)
ROLES = {"protector": "red", "planner": "blue"}

Change = Callable[[SiteStep], Iterable[SiteStep]]


def site(x_mm: int, label: str, *, decoy: bool = False) -> Site:
    middle = (x_mm, 5_000_000)
    start = GRID.start_ms
    area = Area(((middle, middle),), (), 0, GRID.floor_tmm, GRID.floor_tmm, start, start)
    return Site(label, (area,), 3_000_000, decoy=decoy)


# Blue's activity stands at the hospital; the school is far from it, and the last one is none.
SITES = (
    site(5_000_000, "hospital"),
    site(-150_000_000, "school"),
    site(100_000_000, "hospital", decoy=True),
)
HELD = {"red": sites_bytes(SITES), "blue": plan_bytes((BLUE,))}
OTHER = {"red": sites_bytes(SITES[1:]), "blue": plan_bytes((FAR,))}


def protects(sites: Iterable[Site] = SITES) -> ProtectorSide:
    return protector_side("red", tuple(sites), GRID, SHAPE, drawn(2), expires_utc=EXPIRES)


def plans(plan: Iterable[Tube | Area] = (BLUE,)) -> PlannerSide:
    return planner_side("blue", tuple(plan), GRID, SHAPE, drawn(1), expires_utc=EXPIRES)


class SiteRecord(Record):
    """A check of sites that blue proposes and red accepts, and what both say in it.

    Args:
        protector: red's side; the honest one if None.
        planner: blue's side; the honest one if None.
        change: what becomes of the steps of a party of this kind on their way, signed as they are
            then, by party and kind.
    """

    def __init__(
        self,
        protector: ProtectorSide | None = None,
        planner: PlannerSide | None = None,
        *,
        change: dict[tuple[str, str], Change] | None = None,
    ) -> None:
        self.chains = {"blue": Chain("blue"), "red": Chain("red", "d" * 32)}
        self.entries = []
        self.data = []
        self.check = ""
        self.check = self.say(
            "blue",
            "PRIVATE_PROPOSE",
            PrivatePropose(
                mode=PrivateMode.SITES,
                grid=DOCUMENT.document_hash,
                start_utc=format_utc(PERIOD_MS),
                runs=1,
                sites=ASKED,
            ),
        )
        self.say("red", "PRIVATE_ACCEPT", PrivateAccept())
        self._change = change or {}
        played = Table(protector or protects(), planner or plans(), self._log)
        self.found_sites = played.play()

    def _log(self, role: str, step: SiteStep) -> Iterable[SiteStep]:
        party = ROLES[role]
        change = self._change.get((party, step.kind.name))
        for said in (step,) if change is None else change(step):
            self.say_step(party, said)
            yield said

    def say_step(self, party: str, step: SiteStep) -> None:
        """Say a step, whatever it is."""
        body = PrivateStep.of(0, StepWord[step.kind.name], 0, step.data)
        if body.parts:
            self.data.append(step.data)
        self.say(party, "PRIVATE_STEP", body)


def flipped(step: SiteStep) -> Iterable[SiteStep]:
    """The step with one bit of its last byte turned."""
    return (replace(step, data=step.data[:-1] + bytes([step.data[-1] ^ 1])),)


def nothing(_: SiteStep) -> Iterable[SiteStep]:
    """No step."""
    return ()
