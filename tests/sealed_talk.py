"""Two sides of a private check at one table, honest or not, for tests."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from deconflict.airspace import AltitudeReference, Position
from deconflict.errors import DeconflictError
from deconflict.sealed.audit import Opened, Said
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Grid, Reach, cell_id
from deconflict.sealed.hello import Shape
from deconflict.sealed.own import Drawn, OwnSide, plan_bytes, side_of
from deconflict.sealed.session import Finding, Session
from deconflict.sealed.steps import Step
from deconflict.sealed.tubes import Area, Knot, Tube

GRID = Grid(
    Position.from_degrees(35.0, 38.5), -40_000, -30_000, 10_000, 8, 6,
    AltitudeReference.AMSL, -700, 2_000, 4, 900_000, 5_000, 4, Reach(10_000, 2_000, 0),
)  # fmt: skip
SHAPE = Shape(grid="ab" * 32, parts=1, slots=(), points=16, bucket=512)
EXPIRES = "2015-09-30T12:00:00.000Z"
PARTIES = ("blue", "red")


def drawn(number: int) -> Drawn:
    return Drawn(*(bytes([number, label]) * 16 for label in (1, 2, 3)))


def stay(
    x_mm: int, y_mm: int, *, level: int = 2_500, from_ms: int = 0, to_ms: int = 20_000
) -> Tube:
    """Somebody who hovers at one place of the grid."""
    knots = tuple(Knot(900_000 + at, x_mm, y_mm, level) for at in (from_ms, to_ms))
    return Tube(knots, aside_mm=10, below_tmm=0, above_tmm=0, shift_ms=0)


def side(
    party: str, plan: Iterable[Tube | Area], *, shape: Shape = SHAPE, number: int | None = None
) -> OwnSide:
    number = PARTIES.index(party) + 1 if number is None else number
    return side_of(party, tuple(plan), GRID, shape, drawn(number), expires_utc=EXPIRES)


def in_plain(own: Iterable[Tube | Area], peers: Iterable[Tube | Area]) -> frozenset[bytes]:
    """The own cells that a check has to find."""
    met = cover(tuple(own), GRID) & cover(tuple(peers), GRID, GRID.minima)
    return frozenset(cell_id(cell) for cell in met)


Alter = Callable[[str, Step], Iterable[Step]]


def as_said(_: str, step: Step) -> Iterable[Step]:
    return (step,)


@dataclass
class Table:
    """Two sessions, and whoever stands between them.

    Args:
        sides: of blue and red.
        alter: what becomes of a step of a party on its way.
    """

    sides: dict[str, OwnSide]
    alter: Alter = as_said
    sessions: dict[str, Session] = field(init=False)
    logs: dict[str, list[Said]] = field(init=False)
    errors: dict[str, DeconflictError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sessions = {party: Session(own, threads=1) for party, own in self.sides.items()}
        self.logs = {party: [] for party in self.sides}

    def play(self) -> dict[str, Finding]:
        """Let both say all they say; a side that refuses says nothing more."""
        queue: deque[tuple[str, Step]] = deque()
        for party, session in self.sessions.items():
            self._send(queue, party, session.begin())
        while queue:
            sender, step = queue.popleft()
            (hearer,) = (party for party in self.sessions if party != sender)
            session = self.sessions[hearer]
            if session.ended:
                continue
            self.logs[hearer].append(Said(sender, step))
            try:
                answers = session.hear(step)
            except DeconflictError as error:
                self.errors[hearer] = error
                continue
            self._send(queue, hearer, answers)
        return {party: session.finding for party, session in self.sessions.items()}

    def opened(self, party: str, plan: Iterable[Tube | Area]) -> Opened:
        number = PARTIES.index(party) + 1
        return Opened(party, plan_bytes(tuple(plan)), drawn(number).seed, drawn(number).coin)

    def _send(self, queue: deque[tuple[str, Step]], party: str, steps: Iterable[Step]) -> None:
        for step in steps:
            for sent in self.alter(party, step):
                self.logs[party].append(Said(party, sent))
                queue.append((party, sent))
