"""The demo, played whole as `make demo` plays it."""

import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deconflict.demo.run import STEPS

pytestmark = pytest.mark.processes

IN_THE_README = Path(__file__).resolve().parents[2] / "docs" / "img" / "demo.svg"
LONGEST_S = 100


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "deconflict", "demo", "--dir", str(folder), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"COLUMNS": "100", "PYTHONUTF8": "1"},
    )


def nodes_in(folder: Path) -> list[int]:
    """Processes of nodes that run in this folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            serves = b"serve" in (each / "cmdline").read_bytes().split(b"\0")
            if serves and (each / "cwd").resolve() == folder.resolve():
                found.append(int(each.name))
        except OSError:
            continue  # it ended meanwhile
    return found


def dateless(svg: str) -> str:
    """The picture without what depends on the day of the run."""
    return re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\dZ)?", "DAY", svg)


def test_the_demo_keeps_all_its_promises(tmp_path: Path) -> None:
    playing = start(tmp_path / "demo", "--json")
    out, told = playing.communicate(timeout=LONGEST_S)
    assert playing.returncode == 0, told
    facts = json.loads(out)

    titles = re.findall(r"^ ?(\d+)  (.+)$", told, re.MULTILINE)
    assert titles == [(str(number), title) for number, (title, _) in enumerate(STEPS, 1)]
    read = re.sub(r"\n +\| +", " ", told)  # a desk's words, unwrapped
    for words in (
        "will come closer than the agreed minimum.",
        "are declared for the same place,",
        "Closest at",
        "Agreed minimum: 5.00 NM (9.26 km) lateral, 1000 ft (304.8 m) vertical.",
        "Unanswered: declaration to birch",
        "Наши люди в пределах",
        "READBACK WRONG.",
        "LINE DOWN.",
        "NOT VERIFIED",
    ):
        assert words in read
    assert "\x1b" not in told  # no colours where nobody sees them

    flights, areas = facts["conflicts"]
    assert flights["kind"] == "PREDICTED_LOSS"
    assert flights["cpa_distance_m"] == pytest.approx(2225.7, abs=0.1)
    assert {areas["first_purpose"], areas["second_purpose"]} == {"ACTIVITY", "OWN_PRESENCE"}
    assert facts["down_after_s"] < 4.0
    assert nodes_in(tmp_path / "demo") == []

    drawn = Path(facts["picture"]).read_text("utf-8")
    ET.fromstring(drawn)
    assert dateless(drawn) == dateless(IN_THE_README.read_text("utf-8")), (
        f"the README shows another picture: cp {facts['picture']} {IN_THE_README}"
    )


def test_a_broken_promise_ends_the_demo_and_is_named(tmp_path: Path) -> None:
    playing = start(tmp_path / "demo")
    assert playing.stdout is not None
    said = []
    for line in playing.stdout:
        said.append(line)
        if line.startswith(" 5  "):
            for node in nodes_in(tmp_path / "demo"):
                os.kill(node, signal.SIGKILL)
    _, errors = playing.communicate(timeout=LONGEST_S)
    assert playing.returncode == 1, errors
    assert re.search(r"^Step 5 did not come out as promised", "".join(said), re.MULTILINE)
    assert "error: " in errors
    assert nodes_in(tmp_path / "demo") == []


def test_the_demo_overwrites_nothing(tmp_path: Path) -> None:
    refused = start(tmp_path)
    _, errors = refused.communicate(timeout=LONGEST_S)
    assert refused.returncode == 2
    assert "exists already" in errors
    assert list(tmp_path.iterdir()) == []
