"""Checks of sites between two running nodes, opened by either side and audited from the record."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench.nodes import Party, agree, make_pair, running, wait_for
from tests.private_nodes import check_terms, fly, outcome, sortie
from tests.site_nodes import ask, consent, hold_with_decoys, site_at

from deconflict.cli.client import token_path

pytestmark = pytest.mark.processes

_TAPS = ("-m", "tests.faults.node_taps")


def deconflict(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deconflict", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class Case:
    """What an arbiter was handed: the record, and what each side opened of each check."""

    folder: Path
    record: Path
    parties: tuple[Party, Party]
    checks: dict[str, str]

    def held(self, party: str, check: str) -> Path:
        return self.folder / f"{party}-{check}.held"

    def seed(self, party: str, check: str) -> Path:
        return self.folder / f"{party}-{check}.seed"

    def audit(self, party: str, check: str, *, held: Path | None = None) -> tuple[int, Any]:
        keys = [
            word
            for each in self.parties
            for word in ("--key", f"{each.name}={each.folder / 'invitation.json'}")
        ]
        given = ("--plan", held or self.held(party, check), "--seed", self.seed(party, check))
        told = deconflict("private", "audit", self.record, *given, *keys, "--json")
        return told.returncode, json.loads(told.stdout)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    root = tmp_path_factory.mktemp("audited")
    west, east = make_pair(root)
    checks: dict[str, str] = {}
    with running(west, east):
        agree(west, east, private_check=check_terms())
        sites = (site_at(5, 5), site_at(12, 3, "school"))
        hold_with_decoys(east, *sites, decoys=3, columns=(5, 15))
        consent(east)

        def checked(name: str, column: int, outcome_: str) -> None:
            fly(west, sortie("viper", column, column))
            checks[name] = ask(west)
            for party in (west, east):
                found = outcome(party, checks[name])["run"]
                assert found["state"] == "WHOLE", found
            assert outcome(west, checks[name])["run"]["outcome"] == outcome_

        checked("honest", 5, "HIT")
        checked("elsewhere", 15, "NO_HIT")
        for party in (west, east):
            token = token_path(party.folder, "boris")
            token.parent.mkdir(mode=0o700, exist_ok=True)
            token.touch(0o600)
            token.write_text(party.token)
        early = deconflict(*_open(west, checks["honest"], root / "p", root / "s"))
        assert (early.returncode, (root / "p").exists()) == (2, False)
        assert "do not let a plan be opened yet" in early.stderr
        east.stop()
        east.program = (*_TAPS, "short_list", "-")
        east.start()
        checked("lying", 5, "NO_HIT")
        for party in (west, east):
            party.stop()
            party.program = (*_TAPS, "later", "2")
            party.start()
        made = Case(root, root / "record.deconflict", (west, east), checks)
        for party in (west, east):
            for name, check in checks.items():
                files = (made.held(party.name, name), made.seed(party.name, name))
                told = deconflict(*_open(party, check, *files))
                assert told.returncode == 0, told.stderr
                assert told.stdout.startswith("Sites" if party is east else "Plan")
        wait_for(lambda: west.line["state"] == "UP", "the line did not come up again")
        headers = {"Authorization": f"Bearer {west.token}"}
        path = f"{west.url}/lines/{west.line['line_id']}"
        httpx.post(f"{path}/exports", json={"what": "RECORD"}, headers=headers, timeout=60)
        made.record.write_bytes(httpx.get(f"{path}/bundle", headers=headers, timeout=60).content)
        yield made


def _open(party: Party, check: str, held: Path, seed: Path) -> list[object]:
    files = ("--plan", held, "--seed", seed)
    return ["private", "open", check[:16], "--run", 0, *files, "--node", party.folder]


def test_what_was_opened_is_for_its_reader_alone_and_in_no_log(case: Case) -> None:
    for party in ("west", "east"):
        for file in (case.held(party, "honest"), case.seed(party, "honest")):
            assert file.stat().st_mode & 0o777 == 0o600
    assert b"hospital" in case.held("east", "honest").read_bytes()
    seeds = [json.loads(case.seed(each, "honest").read_text())["seed"] for each in ("west", "east")]
    for party in case.parties:
        log = (party.folder / "serve.log").read_text()
        assert not [word for word in ("hospital", "school", *seeds) if word in log]


def test_honest_sides_follow_what_they_opened(case: Case) -> None:
    code, planner = case.audit("west", "honest")
    assert (code, planner["verdict"], planner["outcome"]) == (0, "FOLLOWS", "HIT")
    assert [each["label"] for each in planner["warned"]] == ["hospital"]
    code, protector = case.audit("east", "honest")
    assert (code, protector["verdict"], protector["outcome"]) == (0, "FOLLOWS", None)
    assert (protector["sites"], protector["decoys"]) == (2, 3)
    code, calm = case.audit("west", "elsewhere")
    assert (code, calm["outcome"], calm["warned"]) == (0, "NO_HIT", [])


def test_a_planner_that_opens_another_activity_is_found(case: Case) -> None:
    code, found = case.audit("west", "honest", held=case.held("west", "elsewhere"))
    assert (code, found["verdict"]) == (1, "DEVIATES")
    assert found["deviates"] == "its HELLO commits to something else than it opened"


def test_a_protector_that_opens_a_list_without_a_site_is_found(case: Case) -> None:
    sites = json.loads(case.held("east", "honest").read_text())
    short = case.folder / "short.json"
    short.write_text(json.dumps(sites[1:], sort_keys=True, separators=(",", ":")))
    code, found = case.audit("east", "honest", held=short)
    assert (code, found["verdict"]) == (1, "DEVIATES")
    assert found["deviates"] == "its HELLO commits to something else than it opened"


def test_a_protector_that_showed_less_than_it_committed_to_is_found(case: Case) -> None:
    code, found = case.audit("east", "lying")
    assert (code, found["verdict"]) == (1, "DEVIATES")
    assert found["deviates"] == "LIST is not what it opened gives"
    assert case.audit("west", "lying")[0] == 0  # it was lied to, and said all that was due
