"""Which run a seed plays: so that a range of seeds is hours of everything.

Most of a line's hours are quiet: then nothing can fail, and an hour costs a few steps. So quiet
runs are ten days with a busy minute now and then, cuts from half a second to a day, and clocks and
disks that fail; they make the link-hours. Busy runs make the interleavings: minutes in which
somebody speaks every few seconds and something fails every few. One run in a hundred signs with
Ed25519 and keeps its record in SQLite.
"""

from dataclasses import dataclass

from tests.simulation.byzantine import ForkingParty, LyingParty, RewritingParty
from tests.simulation.network import BUSY, HOUR_MS, Weather
from tests.simulation.party import PartySimulator
from tests.simulation.run import play
from tests.simulation.tally import Tally

QUIET = Weather(
    burst_every_ms=24 * HOUR_MS,
    long_cut_every_ms=24 * HOUR_MS,
    clock_every_ms=24 * HOUR_MS,
    full_every_ms=96 * HOUR_MS,
)
QUIET_MINUTES = 10 * 24 * 60.0
BUSY_MINUTES = 1.0
LIARS = (ForkingParty, RewritingParty, LyingParty)


@dataclass(frozen=True)
class Plan:
    """One run. Who lies may leave its own chain unfinished, so it is not drained."""

    minutes: float
    weather: Weather
    blue: type[PartySimulator] = PartySimulator
    real: bool = False


def plan_of(seed: int) -> Plan:
    """Return the run of a seed: of a hundred seeds one is real, 20 are busy, of both some lie."""
    blue = LIARS[seed // 10 % 3] if seed % 10 in (3, 7) else PartySimulator
    if seed % 100 == 25:
        return Plan(BUSY_MINUTES, BUSY, real=True)
    if seed % 5 == 2:
        return Plan(BUSY_MINUTES, BUSY, blue)
    return Plan(QUIET_MINUTES, QUIET, blue)


def play_seed(seed: int) -> Tally:
    """Play the run of a seed; raises LineViolationError at the first violation."""
    plan = plan_of(seed)
    simulation = play(
        seed,
        minutes=plan.minutes,
        blue=plan.blue,
        weather=plan.weather,
        real=plan.real,
        drain=not plan.blue.lies,
    )
    return simulation.tally
