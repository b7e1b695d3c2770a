"""A private check in one direction, beside the bare group operations, OpenMined PSI and SPU.

    python -m bench.bench_sealed [--cells 100000] [--per-slot 32]

Both sides run here, one after the other, in two threads each. The bare operations are measured in
the same run before and after by `cargo run --example group_operations`, in one thread; the ratio
says what the rest costs. OpenMined PSI and SPU are run by the Pythons of `make peers`, or by those
that the environment variables PEERS and SPU name. All of it is processor time, so that a load
beside it matters little; where two threads share one core's two halves it does.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from bench.bench_peers import told_by
from bench.report import Row, print_rows, progress
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.oprf import Receiver, Sender, public_key

__all__ = ["measure"]

_T = TypeVar("_T")
ASKED_RATIO: Final = 1.3
ASKED_PEER: Final = 2.0
ASKED_MB: Final = 8.0
CARGO: Final = ("--release", "--locked", "-p", "deconflict-sealed")
SPU_PROTOCOLS: Final = {
    "RR22": "RR22 fast",
    "KKRT": "KKRT16",
    "ECDH": "ECDH by Elligator2",
}
MINE, PEERS, SSID = b"m" * 32, b"p" * 32, b"s" * 32
Bare = dict[str, float]


class Steps:
    """Steps of a run with the processor time of each, all threads."""

    def __init__(self) -> None:
        self.processor_s: dict[str, float] = {}
        self.wall_s: dict[str, float] = {}

    def take(self, name: str, work: Callable[[], _T]) -> _T:
        """Do one step."""
        progress(name)
        before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        done = work()
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.wall_s[name] = time.perf_counter() - begun
        spent_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.processor_s[name] = spent_s
        return done


def plans(cells: int, per_slot: int) -> tuple[SlotCells, SlotCells]:
    """Return a plan that asks, full slots all of them, and one that answers: a tenth in common."""
    slots = cells // per_slot
    asked = {slot: [cell(slot, number) for number in range(per_slot)] for slot in range(slots)}
    kept = per_slot // 10
    held = {
        slot: [cell(slot, number) for number in range(per_slot - kept, 2 * per_slot - kept)]
        for slot in range(slots)
    }
    return SlotCells.of(asked), SlotCells.of(held)


def cell(slot: int, number: int) -> bytes:
    """Return the id of a cell."""
    return slot.to_bytes(4, "big") + number.to_bytes(6, "big")


def bare_operations(per_slot: int) -> Bare:
    """Measure the bare operations, in microseconds of processor time each."""
    progress("the bare group operations")
    done = subprocess.run(
        ["cargo", "run", "--quiet", *CARGO, "--example", "group_operations", "--", str(per_slot)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    told: Bare = json.loads(done.stdout)
    return told


def bare_s(bare: Bare, cells: int, slots: int) -> dict[str, float]:
    """Return what the bare operations of the whole check come to, in seconds."""
    in_us = {
        "hash to group": 2 * cells * bare["hash_to_group_us"],
        "blind": cells * bare["multiply_us"],
        "evaluate": cells * bare["multiply_us"],
        "unblind": cells * bare["multiply_us"],
        "own tags": cells * bare["multiply_us"],
        # The sender weighs one list, the receiver both; then t·G, r·G, m·G and t·M, r·M a slot.
        "proofs": 3 * cells * bare["weigh_point_us"]
        + slots
        * (3 * bare["multiply_generator_us"] + 2 * bare["multiply_us"] + bare["verify_slot_us"]),
    }
    return {name: us / 1e6 for name, us in in_us.items()}


def run(asked: SlotCells, held: SlotCells, per_slot: int) -> tuple[Steps, int, int]:
    """Do a whole check; return its steps, how many cells were found and the bytes sent."""
    steps = Steps()
    sender = Sender(PEERS, SSID)
    receiver = Receiver(MINE, SSID, public_key(PEERS))
    tags = steps.take("sender: own tags (offline)", lambda: sender.tags(held))
    question = steps.take("receiver: blind (offline)", lambda: receiver.ask(asked, per_slot))
    answer = steps.take(
        "sender: evaluate and prove",
        lambda: sender.evaluate(asked.slots, per_slot, question.points),
    )
    mine = steps.take("receiver: verify and open", lambda: question.finalize(answer))
    found = steps.take("receiver: compare tags", lambda: len(cut(mine) & cut(tags)))
    sent = len(question.points) + len(answer.points) + len(answer.proofs) + len(tags)
    return steps, found, sent


def cut(tags: bytes) -> set[bytes]:
    """Return the tags one by one."""
    return {tags[at : at + 12] for at in range(0, len(tags), 12)}


def measure(cells: int, per_slot: int) -> list[Row]:
    """Return the rows of this benchmark."""
    asked, held = plans(cells, per_slot)
    slots, cells = len(asked.slots), len(asked)
    run(*plans(per_slot * 4, per_slot), per_slot)  # tables are made once a process
    before = bare_operations(per_slot)
    steps, found, sent = run(asked, held, per_slot)
    after = bare_operations(per_slot)
    if found != slots * (per_slot // 10):
        raise RuntimeError(f"{found} cells found, {slots * (per_slot // 10)} are in both")
    bare = {name: (before[name] + after[name]) / 2 for name in before}
    parts = bare_s(bare, cells, slots)
    bare_all, ours = sum(parts.values()), sum(steps.processor_s.values())
    rows = [
        Row(
            f"{cells:,} against {cells:,} cells in {slots:,} slots, one direction with proofs, "
            "processor time of both sides",
            f"≤ {ASKED_RATIO:g} times the bare operations",
            f"{ours:.2f} s, {ours / bare_all:.3g} times; {found:,} found",
            ours / bare_all <= ASKED_RATIO,
        )
    ]
    for name, spent_s in steps.processor_s.items():
        wall_s = steps.wall_s[name]
        rows.append(Row(f"… {name}", "", f"{spent_s:.2f} s in {wall_s:.2f} s"))
    said = ", ".join(f"{name} {spent_s:.2f}" for name, spent_s in parts.items())
    rows.append(Row("the bare operations alone", "", f"{bare_all:.2f} s: {said}"))
    said = ", ".join(f"{name.removesuffix('_us')} {us:.1f}" for name, us in bare.items())
    rows.append(Row("… one of each, in µs", "", said))
    megabytes = sent / 1e6
    rows.append(
        Row("bytes sent", f"≤ {ASKED_MB:g} MB", f"{megabytes:.2f} MB", megabytes <= ASKED_MB)
    )
    overlap = slots * (per_slot // 10)
    rows.append(beside(cells, overlap, ours))
    rows += [beside_spu(protocol, cells, overlap, ours) for protocol in SPU_PROTOCOLS]
    return rows


def beside(cells: int, overlap: int, ours: float) -> Row:
    """Return the row of OpenMined PSI."""
    told = told_by("openmined_peer", str(cells), str(overlap))
    what = "OpenMined PSI 2.0.6 (GCS), both sides semi-honest, no proofs"
    asked = f"≥ {ASKED_PEER:g} times"
    if isinstance(told, str):
        return Row(what, asked, f"not measured: {told}")
    ratio = told["processor_s"] / ours
    said = f"{told['processor_s']:.2f} s, {ratio:.3g} times; {told['bytes'] / 1e6:.2f} MB"
    return Row(what, asked, f"{said}; {told['found']:,} found", ratio >= ASKED_PEER)


def beside_spu(protocol: str, cells: int, overlap: int, ours: float) -> Row:
    """Return the row of one protocol of SPU."""
    made = Path(__file__).parents[1] / ".venv" / "spu" / "bin" / "python"
    python = os.environ.get("SPU") or (str(made) if made.exists() else sys.executable)
    told = told_by("spu_peer", protocol, str(cells), str(overlap), python=python)
    what = f"SPU 0.9.5, {SPU_PROTOCOLS[protocol]}, both sides semi-honest, no proofs"
    if isinstance(told, str):
        return Row(what, "", f"not measured: {told}")
    ratio = told["processor_s"] / ours
    return Row(what, "", f"{told['processor_s']:.2f} s, {ratio:.3g} times; {told['found']:,} found")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--cells", type=int, default=100_000)
    options.add_argument("--per-slot", type=int, default=32)
    chosen = options.parse_args()
    print_rows("A private check, one direction", measure(chosen.cells, chosen.per_slot))


if __name__ == "__main__":
    main()
