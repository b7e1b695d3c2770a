"""What was played, so that a run in which nothing happened cannot pass for a proof."""

from collections import Counter
from dataclasses import dataclass, field, fields

HOUR_MS = 3_600_000


@dataclass
class Tally:
    """Counts over runs; sums of two are counts over both."""

    runs: int = 0
    real_runs: int = 0
    link_ms: int = 0
    steps: int = 0
    messages: int = 0
    alarms: int = 0
    late: int = 0
    late_on_disk: int = 0
    ages_unknowable: int = 0
    crashes: int = 0
    io_errors: int = 0
    full_disks: int = 0
    cuts: int = 0
    one_way_cuts: int = 0
    cut_ms: int = 0
    clock_faults: int = 0
    replays: int = 0
    held: int = 0
    commits: int = 0
    proofs: int = 0
    lies: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    @property
    def link_hours(self) -> float:
        return self.link_ms / HOUR_MS

    def lines(self) -> list[str]:
        return [
            f"runs            {self.runs:,}, of which {self.real_runs:,} with Ed25519 and SQLite: "
            f"{self.commits:,} commits, {self.proofs:,} proofs of a whole record",
            f"link-hours      {self.link_hours:,.0f}, cut for {self.cut_ms / HOUR_MS:,.0f} of them",
            f"messages        {self.messages:,}, {self.steps:,} steps, {self.alarms:,} alarms",
            f"past expiry     {self.late:,} shown DELAYED; {self.ages_unknowable:,} whose age a "
            "jumping clock hid",
            f"crashes         {self.crashes:,}, of which failed flushes {self.io_errors:,}; "
            f"full disks {self.full_disks:,}",
            f"cuts            {self.cuts:,}, of which one way {self.one_way_cuts:,}",
            f"network         {self.replays:,} replays, {self.held:,} packets held up to 7 days",
            f"clocks          {self.clock_faults:,} jumps, leaps, strobes, 1970s and 2038s",
            f"lies            {sum(self.lies.values()):,}: {_words(self.lies)}",
            f"evidence        {_words(self.evidence)}",
        ]


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"
