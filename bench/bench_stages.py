"""Where the time goes from a desk's post to the other desk's screen, stage by stage, under load.

    python -m bench.bench_stages [--rate 200] [--seconds 20]

Queries and safety messages of the mix of bench/traffic.py, posted at one node, each followed
through both (bench/stamped_node.py); both read the same clock. What a stage took of the slowest
hundredth tells what makes the last percent late.
"""

import argparse
import asyncio
import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import stamped_node
from bench.bench_line import at_rate, settled, two_sides
from bench.nodes import Party, agree, make_pair, running
from bench.report import Row, percentile, print_rows
from bench.traffic import ALERTING

__all__ = ["measure"]

WARM_UP_S: Final = 3.0
STAGES: Final = (
    ("ASKED", "author: request read, who asks known"),
    ("TURN", "author: its turn begins"),
    ("SAID", "author: said"),
    ("DURABLE", "author: durable, guard moved, signed"),
    ("PICKED", "author: the body before is answered"),
    ("ARRIVED", "on its way, and read by TLS and HTTP"),
    ("HEARING", "listener: its turn begins"),
    ("HEARD", "listener: verified, put in words"),
    ("LOGGED", "listener: durable, guard moved"),
    ("SHOWN", "listener: on the desk's stream"),
)


def measure(root: Path, rate: float, seconds: float) -> list[Row]:
    """Return the rows of this benchmark."""
    west, east = parties = make_pair(root)
    for party in parties:
        party.program = (stamped_node.__file__, str(root / f"{party.name}.stamps"))
    with running(*parties):
        line_id = agree(west, east)
        seen = asyncio.run(_seen(parties, line_id, rate, seconds))
    for party, stages in ((west, STAGES[:5]), (east, STAGES[5:])):
        names = {name for name, _ in stages}
        for stage, message_hash, at_s in json.loads((root / f"{party.name}.stamps").read_text()):
            if stage in names:
                seen[message_hash].setdefault(stage, at_s)
    whole = [found for found in seen.values() if len(found) == 1 + len(STAGES)]
    return _rows(whole, rate)


async def _seen(
    parties: Sequence[Party], line_id: str, rate: float, seconds: float
) -> defaultdict[str, dict[str, float]]:
    """Return, by message, when it was posted and when it was on the other desk's stream."""
    seen: defaultdict[str, dict[str, float]] = defaultdict(dict)
    async with two_sides(parties, line_id, 1, answers_all=False) as sides:
        await at_rate(sides[0], rate, WARM_UP_S)
        before = set(sides[0].posts)
        await at_rate(sides[0], rate, seconds)
        await settled(sides)
        for message_hash in sides[0].posts.keys() - before:
            if sides[0].posts[message_hash].kind in ALERTING:
                seen[message_hash]["POSTED"] = sides[0].begun_s[message_hash]
                seen[message_hash]["SHOWN"] = sides[1].alerted_s[message_hash]
    return seen


def _rows(whole: list[dict[str, float]], rate: float) -> list[Row]:
    whole.sort(key=lambda found: found["SHOWN"] - found["POSTED"])
    slowest = whole[-max(1, len(whole) // 100) :]
    spent = [found["SHOWN"] - found["POSTED"] for found in whole]
    rows = [
        Row(
            f"{rate:.0f}/s: from the post to the other desk's stream (n = {len(whole):,})",
            "p99 ≤ 100 ms",
            _spread(spent),
            percentile(spent, 0.99) <= 0.1,
        )
    ]
    before = "POSTED"
    for stage, what in STAGES:
        took = [found[stage] - found[before] for found in whole]
        late = sum(found[stage] - found[before] for found in slowest) / len(slowest)
        late_text = f"; {late * 1e3:.1f} of the slowest hundredth, mean"
        rows.append(Row(what, "", _spread(took) + late_text))
        before = stage
    return rows


def _spread(values: Sequence[float]) -> str:
    p50, p90, p99 = (percentile(values, share) * 1e3 for share in (0.5, 0.9, 0.99))
    return f"p50 {p50:.1f} ms, p90 {p90:.1f}, p99 {p99:.1f}, max {max(values) * 1e3:.1f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rate", type=float, default=200.0)
    options.add_argument("--seconds", type=float, default=20.0)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as root:
        rows = measure(Path(root), chosen.rate, chosen.seconds)
    print_rows("From the post to the other desk's screen", rows)


if __name__ == "__main__":
    main()
