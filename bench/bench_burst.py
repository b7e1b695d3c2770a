"""How fast many messages said at once become durable and receipted: one request, one group commit.

    python -m bench.bench_burst [--messages 1000]

West declares so many flights in one request. Its answer means that all are durable there; the line
then says how many the other side has receipted. The processor time of both nodes, by message, tells
more than the clock where others use the machine too.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.nodes import agree, make_pair, running
from bench.report import Row, percentile, print_rows, progress
from bench.traffic import flight

__all__ = ["measure"]

ROUNDS: Final = 5
WAYPOINTS: Final = 12
ASKED_PER_S: Final = 1_000
LOOK_EVERY_S: Final = 0.01
_HOUR_MS: Final = 3_600_000


def drafts(messages: int, seed: int) -> list[dict[str, Any]]:
    """Return so many flights of the next day, of 12 waypoints each."""
    chance = random.Random(seed)
    now_ms = time.time_ns() // 1_000_000
    return [
        {
            "purpose": "FLIGHT",
            "geometry": flight(
                chance,
                now_ms + _HOUR_MS + chance.randrange(20 * _HOUR_MS),
                {
                    "lat_e7": chance.randrange(340_000_000, 370_000_000),
                    "lon_e7": chance.randrange(350_000_000, 410_000_000),
                },
                waypoints=WAYPOINTS,
            ),
        }
        for _ in range(messages)
    ]


def measure(root: Path, messages: int) -> list[Row]:
    """Return the rows of this benchmark."""
    durable_s, receipted_s = [], []
    spent_us: list[list[float]] = [[], []]
    west, east = parties = make_pair(root)
    with running(west, east):
        agree(west, east)
        for round_ in range(ROUNDS):
            progress(f"{messages:,} at once, round {round_ + 1} of {ROUNDS}")
            body = {"declarations": drafts(messages, round_)}
            before_s = [party.cpu_s for party in parties]
            begun = time.monotonic()
            posted = west.post("/declarations", body)["posted"]
            durable_s.append(time.monotonic() - begun)
            if len(posted) != messages:
                raise RuntimeError(f"{len(posted)} of {messages} posted")
            last = max(one["seq"] for one in posted)
            while west.line["receipted_seq"] < last:
                time.sleep(LOOK_EVERY_S)
            receipted_s.append(time.monotonic() - begun)
            for spent, party, earlier_s in zip(spent_us, parties, before_s, strict=True):
                spent.append((party.cpu_s - earlier_s) / messages * 1e6)
            time.sleep(3.0)  # what a peer may say at once fills up again
    durable, receipted = (percentile(times, 0.5) for times in (durable_s, receipted_s))
    return [
        Row(
            f"{messages:,} declared in one request: durable, answered",
            f"≥ {ASKED_PER_S:,}/s at peak",
            f"{messages / durable:,.0f}/s (median of {ROUNDS}: {durable:.2f} s, "
            f"worst {max(durable_s):.2f})",
            messages / durable >= ASKED_PER_S,
        ),
        Row(
            "the same: receipted by the peer, from the request on",
            f"≥ {ASKED_PER_S:,}/s at peak",
            f"{messages / receipted:,.0f}/s (median of {ROUNDS}: {receipted:.2f} s, "
            f"worst {max(receipted_s):.2f})",
            messages / receipted >= ASKED_PER_S,
        ),
        Row(
            "the same: processor time a message, from the request to the receipt",
            "",
            f"author {percentile(spent_us[0], 0.5):,.0f} µs (least {min(spent_us[0]):,.0f}), "
            f"listener {percentile(spent_us[1], 0.5):,.0f} µs (least {min(spent_us[1]):,.0f})",
        ),
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=1_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as root:
        print_rows("Many messages at once", measure(Path(root), chosen.messages))


if __name__ == "__main__":
    main()
