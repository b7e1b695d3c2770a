"""Protector and planner of a check of sites at one table, honest or not, for tests."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from deconflict.errors import DeconflictError
from deconflict.sealed.site_check import Planner, Protector, SiteFinding
from deconflict.sealed.site_sides import PlannerSide, ProtectorSide, SiteStep

Alter = Callable[[str, SiteStep], Iterable[SiteStep]]


@dataclass
class Table:
    """Protector and planner, and whoever stands between them."""

    protector: ProtectorSide
    planner: PlannerSide
    alter: Alter = lambda _, step: (step,)
    errors: dict[str, DeconflictError] = field(default_factory=dict)
    lengths: list[tuple[str, int]] = field(default_factory=list)
    _way: deque[tuple[str, SiteStep]] = field(default_factory=deque)

    def play(self) -> SiteFinding:
        self.sender = Protector(self.protector, threads=1)
        self.asker = Planner(self.planner, threads=1)
        self._send("protector", (self.sender.begin(),))
        self._send("planner", (self.asker.begin(),))
        self._deliver()
        if not self.sender.ended:
            self._send("protector", (self.sender.show(),))
            self._deliver()
        return self.asker.finding

    def _send(self, sender: str, steps: Iterable[SiteStep]) -> None:
        for said in steps:
            for step in self.alter(sender, said):
                self.lengths.append((sender, len(step.data)))
                self._way.append((sender, step))

    def _deliver(self) -> None:
        while self._way:
            sender, step = self._way.popleft()
            hearer = "planner" if sender == "protector" else "protector"
            side = self.asker if hearer == "planner" else self.sender
            if side.ended:
                continue
            try:
                answers = side.hear(step)
            except DeconflictError as error:
                self.errors[hearer] = error
                continue
            self._send(hearer, answers)
