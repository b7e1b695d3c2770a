"""What a soak saw: counts, and what the nodes were like meanwhile."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

__all__ = ["PARTIES", "Look", "Report"]

PARTIES = ("blue", "red")


@dataclass(frozen=True)
class Look:
    """What one node was like at one moment."""

    party: str
    at_s: float
    started_s: float
    messages: int  # in its record, of both sides
    rss_mb: float
    open_files: int
    threads: int
    ahead_mb: float  # written ahead by the database, not yet in its file


@dataclass
class Report:
    """What a soak did, all its runs together."""

    runs: int = 0
    posted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    entries: int = 0
    answered: int = 0
    overdue: int = 0
    spent_s: float = 0.0
    drain_s: float = 0.0

    @classmethod
    def read(cls, data: bytes) -> "Report":
        """Return what :meth:`kept` wrote."""
        return msgspec.json.decode(data, type=cls)

    def count(self, what: dict[str, int], kind: str) -> None:
        """Count one fault, or one refusal."""
        what[kind] = what.get(kind, 0) + 1

    def kept(self) -> bytes:
        """Return it for the next run."""
        return msgspec.json.encode(self)

    def lines(self) -> Iterator[str]:
        runs = "one run" if self.runs == 1 else f"{self.runs} runs"
        yield f"messages     {self.posted:,} posted in {self.spent_s:,.0f} s of {runs},"
        yield f"             {self.entries:,} in each record; {self.answered:,} questions answered,"
        yield f"             {self.overdue} open"
        yield f"faults       {dict(self.faults)}; posts refused meanwhile {dict(self.refused)}"
        yield f"starts       {len(self.start_s)}, longest {max(self.start_s):.1f} s"
        yield f"drained      {self.drain_s:.1f} s after the last post"
        for party in PARTIES:
            looks = [look for look in self.looks if look.party == party]
            if not looks:
                continue
            last = looks[-1]
            yield (
                f"{party:12} {last.rss_mb:.0f} MB with {last.messages:,} messages "
                f"({kb_a_message(looks):.2f} kB each), at most {max(k.open_files for k in looks)} "
                f"files, {max(k.threads for k in looks)} threads, "
                f"{max(k.ahead_mb for k in looks):.0f} MB written ahead"
            )


def kb_a_message(looks: Sequence[Look]) -> float:
    """How much a node grows with each message: the slope of its memory, in kB of 1,000 bytes."""
    if len({look.messages for look in looks}) < 2:
        return 0.0
    line = statistics.linear_regression(
        [look.messages for look in looks], [look.rss_mb * 1e3 for look in looks]
    )
    return line.slope
