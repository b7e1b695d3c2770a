"""What every build of the kernel decides, and that trying wheels tells one that does not."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.wheels.screened import DECIDED, DECIDED_ALIKE, digest, screened


def test_this_build_decides_as_every_other_does() -> None:
    found = screened()
    assert len(found) == 154
    assert digest(found, DECIDED) == DECIDED_ALIKE


def test_the_digest_tells_one_bit_of_one_finding() -> None:
    found = screened()
    before = digest(found, DECIDED)
    found.time_in_us[17] ^= 1
    assert digest(found, DECIDED) != before


@pytest.mark.parametrize("decides", ["otherwise", "not at all"])
def test_a_wheel_that_decides_otherwise_is_told(tmp_path: Path, decides: str) -> None:
    package = tmp_path / "made" / "deconflict"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def screen(*_, **__): return 1 / 0\n")
    (package / "separation.py").write_text("Conflicts = object\n")
    if decides == "otherwise":
        (package / "__init__.py").write_text(
            "from types import SimpleNamespace\n"
            "class Found(SimpleNamespace):\n"
            "    def __len__(self): return 0\n"
            "    def __getattr__(self, name): return [0]\n"
            "def screen(*_, **__): return Found()\n"
        )
    wheel = tmp_path / f"deconflict-0-cp311-abi3-manylinux_2_28_{os.uname().machine}.whl"
    subprocess.run([sys.executable, "-m", "zipfile", "-c", str(wheel), str(package)], check=True)
    run = subprocess.run(
        [sys.executable, "-m", "tests.wheels", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 1
    said = "it decides otherwise: 0 conflicts" if decides == "otherwise" else "ZeroDivisionError"
    assert said in run.stdout


def test_a_wheel_that_nothing_here_runs_is_said_so_and_no_wheel_is_wrong(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.wheels", str(tmp_path)]
    root = Path(__file__).parents[2]
    run = subprocess.run(words, capture_output=True, text=True, cwd=root)
    assert (run.returncode, run.stdout) == (1, "there is no wheel to be tried\n")
    with zipfile.ZipFile(tmp_path / "deconflict-0-cp311-abi3-manylinux_2_28_vax.whl", "w"):
        pass
    run = subprocess.run(words, capture_output=True, text=True, cwd=root)
    assert run.returncode == 0
    assert "not run: nothing here runs it" in run.stdout
