"""Two nodes and a third witness, all as they are shipped: seen, forked, down, hanging."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench.nodes import Party, agree, free_port, make_pair, running, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
HOST = "127.0.0.1"
SAFETY = {
    "phrase": 208,
    "values": {
        "where": {"lat_e7": 354_012_000, "lon_e7": 359_487_000},
        "reach": 2_000_000,
        "since": "2015-09-30T06:12:00.000Z",
    },
}


def deconflict(*words: object) -> Any:
    """Run a command; return what it prints as JSON, its exit code beside it."""
    ran = subprocess.run(
        [sys.executable, "-m", "deconflict", *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return ran.returncode, json.loads(ran.stdout)


@contextmanager
def witness_of(folder: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "deconflict", "witness", "serve", "--json", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ask_witness(party: Party, vkey: str, port: int, trust: Path) -> None:
    shutil.copy(trust, party.folder / "agency.pem")
    settings = party.folder / "node.toml"
    settings.write_text(
        f'{settings.read_text()}\n[[witness]]\nvkey = "{vkey}"\nurl = "https://{HOST}:{port}"\n'
        'trust = "agency.pem"\nevery_s = 10\n'
    )


@contextmanager
def trio(root: Path) -> Iterator[tuple[Party, Party, Path, str]]:
    west, east = make_pair(root)
    port, agency = free_port(), root / "agency"
    _, made = deconflict(
        *("witness", "create", agency, "--name", "agency.example/w1", "--json"),
        *("--listen", f"{HOST}:{port}"),
    )
    invitations = [party.folder / "invitation.json" for party in (west, east)]
    deconflict("witness", "add-line", agency, *invitations, "--json")
    for party in (west, east):
        ask_witness(party, made["vkey"], port, agency / "witness.pem")
    yield west, east, agency, made["vkey"]


def say(party: Party, count: int = 1) -> None:
    for _ in range(count):
        party.post(f"/lines/{party.line['line_id']}/messages", {"kind": "SAFETY", "body": SAFETY})


def both_up(*parties: Party) -> None:
    """Wait until each has asked the other: what is said before that opens a fresh epoch."""
    for party in parties:
        wait_for(lambda party=party: party.line["state"] == "UP", "UP")  # type: ignore[misc]


def seen(party: Party) -> dict[str, Any]:
    (one,) = party.line["witnesses"]
    return dict(one)


def all_seen(*parties: Party) -> Callable[[], bool]:
    return lambda: all(
        seen(party)["messages"] == party.line["own_seq"] > 0 and not seen(party)["waiting"]
        for party in parties
    )


def proven(party: Party, peer: Party, vkey: str, out: Path) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(
        f"{party.url}/lines/{party.line['line_id']}/bundle",
        headers={"Authorization": f"Bearer {party.token}"},
        trust_env=False,
    )
    out.write_bytes(answer.raise_for_status().content)
    keys = [f"{one.name}={one.folder / 'invitation.json'}" for one in (party, peer)]
    return deconflict(
        *("verify", out, "--key", keys[0], "--key", keys[1], "--witness", vkey, "--json")
    )


def test_a_common_record_rewritten_by_both_is_found_out_by_the_witness(tmp_path: Path) -> None:
    with trio(tmp_path) as (west, east, agency, vkey):
        with running(west, east):
            agree(west, east)
            say(west, 2)
            say(east, 2)
        for party in (west, east):  # everything: the record, and the guard beside it
            shutil.copytree(party.folder, tmp_path / f"{party.name}.copy")
        with witness_of(agency), running(west, east):
            both_up(west, east)
            say(west, 2)
            say(east, 2)
            wait_for(all_seen(west, east), "the witness has seen both chains", 90)
            code, found = proven(west, east, vkey, tmp_path / "honest")
            (mine,) = (chain for chain in found["chains"] if chain["party"] == "west")
            assert (code, mine["seen_by"][0]["messages"]) == (0, mine["length"])
        for party in (west, east):
            shutil.rmtree(party.folder)
            (tmp_path / f"{party.name}.copy").rename(party.folder)
        with witness_of(agency), running(west, east):
            both_up(west, east)
            say(west, 4)  # what both now say was said
            say(east, 4)
            for party in (west, east):
                wait_for(
                    lambda party=party: seen(party)["contradicts"],  # type: ignore[misc]
                    f"{party.name} is told",
                    90,
                )
                rules = [alert["rule"] for alert in party.get("/alerts", open="true")]
                assert "WITNESS_CONTRADICTS" in rules
            # Between the two of them the new record proves itself; the witness saw none of it.
            code, found = proven(west, east, vkey, tmp_path / "forged")
            assert code == 0
            assert [chain["seen_by"] for chain in found["chains"]] == [[], []]
        _, shown = deconflict("witness", "show", agency, "--json")
        assert {one["party"] for one in shown["refused"]} == {"west", "east"}


@contextmanager
def deaf_server() -> Iterator[int]:
    """Takes every connection and never says a word."""
    held: list[socket.socket] = []
    listening = socket.create_server((HOST, 0))

    def accept() -> None:
        while True:
            try:
                held.append(listening.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for one in held:
            one.close()


@pytest.mark.parametrize("witness", ["hangs", "down"])
def test_a_witness_that_hangs_or_is_down_delays_no_message(tmp_path: Path, witness: str) -> None:
    west, east = make_pair(tmp_path)
    _, made = deconflict(
        *("witness", "create", tmp_path / "agency", "--name", "agency.example/w1", "--json")
    )
    with deaf_server() as deaf:
        port = deaf if witness == "hangs" else free_port()
        ask_witness(west, made["vkey"], port, tmp_path / "agency" / "witness.pem")
        with running(west, east):
            agree(west, east)
            wait_for(
                lambda: seen(west)["problem"] is not None, "the node has asked, and waited", 90
            )
            spent = []
            until = time.monotonic() + 15  # over further tries of the witness
            while time.monotonic() < until:
                begun = time.monotonic()
                say(west)
                said = west.line["own_seq"]
                while west.line["receipted_seq"] < said:
                    time.sleep(0.02)
                spent.append(time.monotonic() - begun)
                time.sleep(0.2)
            spent.sort()
            print(f"witness {witness}: {len(spent)} messages receipted, worst {spent[-1]:.3f} s")
            assert spent[-1] < 3.0  # no step of asking is so short: 5 s to connect or read
            assert west.line["state"] == "UP"
            assert seen(west)["messages"] == 0
