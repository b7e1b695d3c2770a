"""Parts of private checks between two running nodes: pushed, kept, exported, proven, audited.

The pinned peer itself is the attacker here: it has the key, the line and a run, and pushes more
than the run needs.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from bench.nodes import Party, agree, make_pair, running, wait_for
from tests.http import hostile
from tests.private_nodes import agree_check, check_terms, fly, outcome, sortie

from deconflict.node.folder import NodeFolder
from deconflict.store.parts import Parts

pytestmark = pytest.mark.processes

# 38,400 bytes of POINTS and 38,656 of EVALUATED: a part each. HELLOs leave up to 20 s after they
# are due, one after the other, and tags 20 s after both: there is time for the attacks between.
TERMS = check_terms(
    points=300, cells_per_sortie_slot=75, tags_after_ms=20_000, run_limit_ms=240_000
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Party, Party]]:
    west, east = make_pair(tmp_path_factory.mktemp("parts"))
    with running(west, east):
        agree(west, east, private_check=TERMS)
        fly(west, sortie("viper", 5, 5))
        fly(east, sortie("falcon", 6, 5))
        yield west, east


def parts_of(party: Party) -> Parts:
    return Parts(party.folder / "parts" / party.line["line_id"])


def deconflict(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deconflict", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def exported(party: Party, file: Path) -> Path:
    headers = {"Authorization": f"Bearer {party.token}"}
    path = f"{party.url}/lines/{party.line['line_id']}"
    httpx.post(f"{path}/exports", json={"what": "RECORD"}, headers=headers, timeout=60)
    file.write_bytes(httpx.get(f"{path}/bundle", headers=headers, timeout=60).content)
    return file


def keys(*parties: Party) -> list[str]:
    return [
        word
        for party in parties
        for word in ("--key", f"{party.name}={party.folder / 'invitation.json'}")
    ]


def test_a_peer_that_pushes_more_than_its_run_needs_is_refused_and_the_run_goes_on(
    pair: tuple[Party, Party],
) -> None:
    west, east = pair
    name = agree_check(west, east)
    held = parts_of(west)
    wait_for(lambda: held.held().parts == 4, "not all parts came", 90.0)
    before = held.held()
    east.kill()  # the attacker has its key now, and calls in its name
    own = hostile.own_credentials(east.folder)
    port = NodeFolder.open(west.folder).settings.peer_listen.port
    path = f"/line/{west.line['line_id']}/part"

    def pushes(data: bytes) -> bytes:
        return hostile.call("127.0.0.1", port, hostile.post(path, data), own).data

    for size in (1, 1_000, 40_000, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1):
        assert pushes(os.urandom(size)) == b""
    assert held.held() == before
    there = held.read(held.names()[0])
    assert hashlib.sha256(there).hexdigest().encode() in pushes(there)
    assert held.held() == before
    east.start()
    for party in pair:
        found = outcome(party, name, timeout_s=200.0)["run"]  # as long as a run may last
        assert (found["outcome"], found["state"]) == ("HIT", "WHOLE")
    assert pushes(b"nothing runs any more") == b""
    assert held.held() == parts_of(east).held() == before


def test_the_record_holds_the_parts_and_an_arbiter_audits_the_run(
    pair: tuple[Party, Party], tmp_path: Path
) -> None:
    west, east = pair
    bundle = exported(west, tmp_path / "record.deconflict")
    assert bundle.read_bytes().count(b'"type":"part"') == 4
    told = deconflict("verify", bundle, *keys(west, east))
    assert told.returncode == 0, told.stderr
    assert "4 of 4 parts of 1 run, as their steps name them" in told.stdout
    for party in pair:
        (kept,) = (party.folder / "private").glob("*-0.json")  # the terms let nobody open it yet
        secret = json.loads(kept.read_bytes())
        plan, seed = tmp_path / "plan", tmp_path / "seed"
        plan.write_text(secret["plan"])
        opened = {"party": party.name} | {
            name: secret[name] for name in ("proposal", "run", "seed", "coin")
        }
        seed.write_text(json.dumps(opened))
        files = ("--plan", plan, "--seed", seed)
        told = deconflict("private", "audit", bundle, *files, *keys(west, east))
        assert told.returncode == 0, told.stdout + told.stderr
        assert told.stdout.startswith(f"FOLLOWS  {party.name} in run 0")
        assert "all of its 69 steps follow" in told.stdout
        plan.write_text("[]")
        told = deconflict("private", "audit", bundle, *files, *keys(west, east))
        assert (told.returncode, told.stdout[:8]) == (1, "DEVIATES")
