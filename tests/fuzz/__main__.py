"""Fuzz every parser for a while; prints the table kept in docs/reference/faults.md.

    python -m tests.fuzz --seconds 60 --seed 1

Coverage-guided, by atheris, each parser in a process of its own and from its corpus on. What breaks
one is kept under ``fuzz-findings/`` with the name of the parser.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.parsers import PARSERS

FINDINGS = Path("fuzz-findings")
MOST_BYTES = 16_384
SLOW_S = 5


def main() -> int:
    """Return 1 when a parser broke."""
    parser = argparse.ArgumentParser(description="Fuzz every parser of bytes from outside.")
    parser.add_argument("--seconds", type=int, default=60, help="for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parser", choices=sorted(PARSERS), default=None)
    options = parser.parse_args()
    broken = 0
    print(f"{'parser':<16} {'runs':>12}  seed {options.seed}, {options.seconds} s each")
    for name in [options.parser] if options.parser else PARSERS:
        runs, code, words = fuzz(name, options.seconds, options.seed)
        print(f"{name:<16} {runs:>12,}  {'broke' if code else 'held'}", flush=True)
        if code:
            broken += 1
            print(words)
    return 1 if broken else 0


def fuzz(name: str, seconds: int, seed: int) -> tuple[int, int, str]:
    """Return runs, exit code and last words."""
    kept = FINDINGS / name
    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as corpus:
        for number, data in enumerate(PARSERS[name].corpus()):
            (Path(corpus) / f"{number}").write_bytes(data)
        kept.mkdir(parents=True, exist_ok=True)
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz.one", name, corpus),
                *(f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={MOST_BYTES}"),
                *(f"-timeout={SLOW_S}", f"-artifact_prefix={kept}/", "-print_final_stats=1"),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    runs = re.findall(r"number_of_executed_units: (\d+)", ended.stderr)
    if not any(kept.iterdir()):
        kept.rmdir()
    words = (ended.stdout + ended.stderr)[-2_000:]
    return int(runs[-1]) if runs else 0, ended.returncode, words


if __name__ == "__main__":
    sys.exit(main())
