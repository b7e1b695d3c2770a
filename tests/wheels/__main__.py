"""Try each wheel wherever it can run here: does it import, and decide as every other build does?

    python -m tests.wheels dist

Natively, and under qemu as a processor without AVX and as aarch64 (ARM64=FOLDER: a Python for it
and, in FOLDER/site, what it needs; `make wheels` makes one). What cannot run here is said so.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from tests.wheels.screened import DECIDED_ALIKE

SCRIPT = Path(__file__).with_name("screened.py").resolve()
# NumPy itself asks for this much of an x86-64 (x86-64-v2, 2009); it has neither AVX nor FMA.
WITHOUT_AVX = "Nehalem"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a wheel: a command that is a Python, and where it finds its packages."""

    name: str
    command: tuple[str, ...]
    packages: tuple[Path, ...] = ()
    environment: Mapping[str, str] | None = None


def ways(machine: str, arm64: Path) -> Iterator[Way]:
    """Yield how a wheel for this machine can be run here."""
    if machine == platform.machine():
        yield Way("natively", (sys.executable,))
        yield Way("plain registers", (sys.executable,), environment={"DECONFLICT_WIDTH": "any"})
    if machine == "x86_64" == platform.machine() and which("qemu-x86_64"):
        command = ("qemu-x86_64", "-cpu", WITHOUT_AVX, sys.executable)
        yield Way(f"qemu, {WITHOUT_AVX}", command)
    if machine == "aarch64" != platform.machine() and which("qemu-aarch64"):
        python = arm64 / "usr/bin/python3"
        if python.exists():
            command = ("qemu-aarch64", "-L", str(arm64), str(python))
            yield Way("qemu", command, packages=(arm64 / "site",))


def tried(way: Way, installed: Path) -> str:
    """Return what is wrong with a wheel run so; nothing when nothing is."""
    paths = os.pathsep.join(map(str, (installed, *way.packages)))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [*way.command, "-s", str(SCRIPT)],
        capture_output=True,
        text=True,
        env={**environment, **(way.environment or {})},
        cwd=installed,
    )
    if run.returncode:
        return f"it does not run: {run.stderr.strip()[-400:] or f'exit code {run.returncode}'}"
    said = json.loads(run.stdout)
    if not Path(said["from"]).is_relative_to(installed):
        return f"another package was tried: {said['from']}"
    if said["decided"] != DECIDED_ALIKE:
        return f"it decides otherwise: {said['conflicts']} conflicts, {said['decided'][:16]}"
    return ""


def main() -> int:
    """Return 1 when a wheel is wrong, or there is none."""
    parser = argparse.ArgumentParser(description="Try wheels wherever they can run here.")
    parser.add_argument("folder", type=Path)
    wheels = sorted(parser.parse_args().folder.glob("*.whl"))
    arm64 = Path(os.environ.get("ARM64") or "no-such-folder").resolve()
    wrong = 0 if wheels else 1
    if not wheels:
        print("there is no wheel to be tried")
    for wheel in wheels:
        print(wheel.name, flush=True)
        machine = wheel.stem.split("manylinux_2_28_")[-1]
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(folder)
            found = list(ways(machine, arm64))
            if not found:
                print("  not run: nothing here runs it")
            for way in found:
                fault = tried(way, Path(folder).resolve())
                wrong += bool(fault)
                print(f"  {way.name}: {fault or 'decides as every build does'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
