"""``deconflict replay`` of a record as a stranger runs it: a program, two keys, no node."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deconflict.messages.kinds import Kind
from node_pair import MINUTE_MS, cease, node_pair
from told_records import Files

pytestmark = pytest.mark.processes


def replay(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deconflict", "replay", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_stranger_learns_who_knew_what(tmp_path: Path) -> None:
    with node_pair() as pair:
        pair.run_for(60)
        now_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", now_ms, now_ms + 27 * MINUTE_MS)
        asked = pair.say("red", Kind.CEASE, cease("1" * 32))
        pair.run_for(60)
        then = pair.now_utc
        pair.run_for(40 * 60)
        files = Files.of(pair.world, tmp_path, "blue", "red")
    given = files.arguments("blue", "red")

    told = replay(tmp_path, *given, "--at", then, "--picture", "knew.svg")
    assert (told.returncode, told.stderr) == (0, "")  # no bar in a pipe
    assert "no proof by then that blue held it" in told.stdout
    assert "NO ANSWER, was due" in told.stdout
    assert (tmp_path / "knew.svg").read_text("utf-8").startswith("<svg")

    facts = json.loads(replay(tmp_path, *given, "--at", then, "--json").stdout)
    assert facts["sides"][0]["unproven"][0]["hash"] == asked
    every = json.loads(replay(tmp_path, *given, "--timeline", "--json").stdout)
    assert every["messages"][-1]["hash"] == asked

    bundle = files.path("blue")
    bundle.write_bytes(bundle.read_bytes().replace(b'"delayed":false', b'"delayed":true', 1))
    refused = replay(tmp_path, *given, "--timeline")
    assert refused.returncode == 1
    assert refused.stdout.startswith("NOT VERIFIED")
    assert "line 2 of the bundle" in refused.stderr or "seal" in refused.stderr
