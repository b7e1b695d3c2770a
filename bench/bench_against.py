"""Two versions of whole nodes under the same load, in turn: processor time of a message posted.

    python -m bench.bench_against OTHER/src [--rate 200] [--seconds 2] [--turns 20] [--desks 1]

A pair of nodes of each version runs all the time; a few seconds of load go to one pair, then to
the other, and so on. What else the machine does meets both alike, so the ratio can be believed
where the figures cannot. OTHER is the source folder of another checkout, with its built kernel.
Of several desks at each node the first is the one that answers; the others only follow the events.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from bench.bench_line import Side, at_rate, settled, two_sides
from bench.nodes import Party, agree, make_pair, running
from bench.report import Row, percentile, print_rows, progress
from bench.traffic import ALERTING

__all__ = ["measure"]

WARM_UP_S: Final = 3.0
_RUN: Final = "import sys; sys.path.insert(0, {0!r}); from deconflict.cli import main; main()"


class _Version:
    """A pair of nodes of one version, and what its turns came to."""

    def __init__(self, name: str, parties: Sequence[Party]) -> None:
        self.name = name
        self.parties = parties
        self.sides: list[Side] = []
        self.each_us: list[list[float]] = [[], []]  # of each node, by turn
        self.alert_s: list[float] = []

    async def turn(self, rate: float, seconds: float) -> None:
        west, east = self.sides
        before_s = [party.cpu_s for party in self.parties]
        known = set(west.posts)
        posted = await at_rate(west, rate, seconds)
        if not await settled(self.sides):
            raise RuntimeError(f"{self.name}: not all was receipted")
        for spent, party, earlier_s in zip(self.each_us, self.parties, before_s, strict=True):
            spent.append((party.cpu_s - earlier_s) / posted * 1e6)
        self.alert_s += [
            east.alerted_s[name] - west.begun_s[name]
            for name in west.posts.keys() - known
            if west.posts[name].kind in ALERTING
        ]


def measure(
    root: Path, other: Path, *, rate: float, seconds: float, turns: int, desks: int
) -> list[Row]:
    """Return the rows of this benchmark."""
    versions = []
    for name in ("other", "this"):
        (root / name).mkdir()
        versions.append(_Version(name, make_pair(root / name)))
    for party in versions[0].parties:
        party.program = ("-c", _RUN.format(str(other.resolve())))
    with running(*(party for version in versions for party in version.parties)):
        line_ids = [agree(*version.parties) for version in versions]
        asyncio.run(_in_turn(versions, line_ids, rate, seconds, turns, desks))
    return _rows(versions[0], versions[1], rate)


async def _in_turn(
    versions: Sequence[_Version],
    line_ids: Sequence[str],
    rate: float,
    seconds: float,
    turns: int,
    desks: int,
) -> None:
    async with AsyncExitStack() as stack:
        for version, line_id in zip(versions, line_ids, strict=True):
            version.sides = await stack.enter_async_context(
                two_sides(version.parties, line_id, 1, answers_all=False)
            )
            for party in version.parties:
                for _ in range(desks - 1):
                    await stack.enter_async_context(_following(party))
            await at_rate(version.sides[0], rate, WARM_UP_S)
            await settled(version.sides)
        for number in range(turns):
            for version in versions if number % 2 else versions[::-1]:
                progress(f"turn {number + 1} of {turns}: {version.name}")
                await version.turn(rate, seconds)


@asynccontextmanager
async def _following(party: Party) -> AsyncIterator[None]:
    """Follow a node's events and throw them away: reading them would cost more than sending."""
    reader, writer = await asyncio.open_connection(party.operators.host, party.operators.port)
    head = f"Host: {party.operators}\r\nAuthorization: Bearer {party.token}\r\n\r\n"
    writer.write(f"GET /api/v1/events HTTP/1.1\r\n{head}".encode())
    if not (await reader.readline()).startswith(b"HTTP/1.1 200"):
        raise RuntimeError("the events cannot be followed")

    async def throw_away() -> None:
        while await reader.read(1 << 20):
            pass

    task = asyncio.create_task(throw_away())
    try:
        yield
    finally:
        task.cancel()
        writer.close()


def _rows(other: _Version, this: _Version, rate: float) -> list[Row]:
    rows = []
    for number, node in enumerate(("posting node", "other side's node")):
        then, now = other.each_us[number], this.each_us[number]
        ratios = sorted(mine / theirs for mine, theirs in zip(now, then, strict=True))
        rows.append(
            Row(
                f"{rate:.0f}/s, {node}: processor time a message posted, with what follows",
                "",
                f"{statistics.median(then):,.0f} and {statistics.median(now):,.0f} µs (medians of"
                f" {len(now)} turns), ratio {statistics.median(ratios):.2f}"
                f" ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            )
        )
    spread = " and ".join(
        f"p50 {percentile(version.alert_s, 0.5) * 1e3:.0f} ms,"
        f" p99 {percentile(version.alert_s, 0.99) * 1e3:.0f}"
        for version in (other, this)
    )
    rows.append(Row(f"{rate:.0f}/s: alert on the other side's stream", "", spread))
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("other", type=Path, help="the source folder of the other version")
    options.add_argument("--rate", type=float, default=200.0)
    options.add_argument("--seconds", type=float, default=2.0)
    options.add_argument("--turns", type=int, default=20)
    options.add_argument("--desks", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as root:
        rows = measure(
            Path(root),
            chosen.other,
            rate=chosen.rate,
            seconds=chosen.seconds,
            turns=chosen.turns,
            desks=chosen.desks,
        )
    print_rows("Two versions in turn: the other's figures first", rows)


if __name__ == "__main__":
    main()
