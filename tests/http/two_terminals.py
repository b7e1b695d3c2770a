"""Two nodes in processes of their own, and a terminal of each party, for tests of the commands."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bench.nodes import free_port
from click.testing import CliRunner, Result

from deconflict.cli import main

__all__ = ["Party", "blue", "parties", "red", "wait_for_words"]

PASSWORDS = "admin a long evening at sea\nolga another long evening\nboris a third long evening\n"
START_S = 30.0


@dataclass
class Party:
    """One party at its own terminal."""

    name: str
    folder: Path
    process: subprocess.Popen[str] | None = None

    def run(self, *words: object, account: str = "boris") -> Result:
        options = ("--node", self.folder, *(("--as", account) if _acts(words) else ()))
        return CliRunner().invoke(main, [str(word) for word in (*words, *options)])

    def ok(self, *words: object, account: str = "boris", code: int = 0) -> str:
        result = self.run(*words, account=account)
        assert result.exit_code == code, result.output
        return result.output

    def json(self, *words: object, account: str = "boris", code: int = 0) -> Any:
        return json.loads(self.ok(*words, "--json", account=account, code=code))

    def last(self, kind: str) -> dict[str, Any]:
        """Return the latest message of a kind that came from the peer."""
        said = [m for m in self.json("log") if m["kind"] == kind and not m["outgoing"]]
        return dict(said[-1])

    def wait_for(self, words: str) -> str:
        """Return the line's status once it says these words."""
        return wait_for_words(lambda: self.ok("line", "status", "--all"), words)


def _acts(words: tuple[object, ...]) -> bool:
    return words[0] not in ("account", "peer", "doctor", "init", "renew")


def wait_for_words(read: Any, words: str) -> str:
    """Return what ``read`` returns once these words stand in it."""
    deadline = time.monotonic() + START_S
    while words not in (text := read()):
        assert time.monotonic() < deadline, text
        time.sleep(0.2)
    return str(text)


def _serve(party: Party) -> None:
    party.process = subprocess.Popen(
        [sys.executable, "-m", "deconflict", "serve", "--node", str(party.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _stop(party: Party) -> str:
    """End the node as a service manager does; it has to end well, and soon."""
    if party.process is None:
        return ""
    party.process.send_signal(signal.SIGTERM)
    said, _ = party.process.communicate(timeout=20)
    return f"{party.name} ended with {party.process.returncode}: {said}"


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Party, Party]]:
    """Blue and red, made, pinned, logged in, running and with terms that both signed."""
    root = tmp_path_factory.mktemp("parties")
    words = root / "passwords"
    words.touch(mode=0o600)
    words.write_text(PASSWORDS)
    blue, red = (Party(name, root / name) for name in ("blue", "red"))
    for party in (blue, red):
        made = CliRunner().invoke(
            main,
            [
                *("init", str(party.folder), "--party", party.name, "--passwords", str(words)),
                *("--peer-listen", f"127.0.0.1:{free_port()}"),
                *("--operators-listen", f"127.0.0.1:{free_port()}"),
                *("--account", "olga=watch_officer", "--account", "boris=releasing_officer"),
            ],
        )
        assert made.exit_code == 0, made.output
        for account, line in zip(("olga", "boris"), PASSWORDS.splitlines()[1:], strict=True):
            file = root / f"{party.name}-{account}"
            file.touch(mode=0o600)
            file.write_text(line.partition(" ")[2])
            party.ok("account", "login", account, "--password-file", file)
    for party, other in ((blue, red), (red, blue)):
        heard = other.json("peer", "show")["fingerprint"]
        invitation = other.folder / f"{other.name}.invitation"
        party.ok("peer", "add", invitation, "--fingerprint", heard)
    for party in (blue, red):
        _serve(party)
    try:
        for party in (blue, red):
            wait_for_words(lambda party=party: party.run("line", "status").output, "UP")
        blue.ok(
            *("terms", "propose", "--default", "--theatre", "Latakia to Deir ez-Zor"),
            *("--minima", "5NM,1000ft", "--landmark", "Deir ez-Zor=35.2854, 40.1760"),
            *("--outline", "30, 35.5; 37, 35.5; 37, 42; 30, 42"),
        )
        proposed = red.json("terms", "show")["proposed_hash"]
        red.ok("terms", "accept", "--hash", proposed[:10])
        for party in (blue, red):
            party.wait_for("agreed")
        yield blue, red
    finally:
        ended = [_stop(party) for party in (blue, red)]
    assert all("ended with 0" in end and "Traceback" not in end for end in ended), ended


@pytest.fixture
def blue(parties: tuple[Party, Party]) -> Party:
    return parties[0]


@pytest.fixture
def red(parties: tuple[Party, Party]) -> Party:
    return parties[1]
