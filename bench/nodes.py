"""Two real nodes: folders made as `deconflict init` and `peer add` make them, processes of their
own, TLS between them, work given to them through the operators' API alone."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deconflict.airspace.landmark import Landmark
from deconflict.airspace.position import Position
from deconflict.api.accounts import Accounts
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.terms import PartyTerms, terms_to_wire
from deconflict.messages.terms_defaults import default_terms
from deconflict.node.folder import NodeFolder
from deconflict.node.settings import Endpoint, Settings

__all__ = [
    "LANDMARK",
    "Party",
    "agree",
    "free_port",
    "make_pair",
    "make_parties",
    "party_of",
    "running",
    "wait_for",
]

LANDMARK = Landmark("Deir ez-Zor airfield", Position.from_degrees(35.2854, 40.1760))
THEATRE = "Latakia to Deir ez-Zor"
PASSWORD = "a long evening at sea"
START_S = 60.0
_PORTS = (10_000, 32_000)


@dataclass(slots=True)
class Party:
    """One party: its folder, its node's process while it runs, and the login of its watch.

    Attributes:
        program: with what Python runs `deconflict`.
    """

    name: str
    folder: Path
    operators: Endpoint
    token: str
    process: "subprocess.Popen[str] | None" = field(default=None)
    started_s: float = 0.0
    program: tuple[str, ...] = ("-m", "deconflict")

    @property
    def url(self) -> str:
        """The operators' API."""
        return f"http://{self.operators}/api/v1"

    def start(self) -> None:
        """Run `deconflict serve` and return when it says that it runs; the time is kept."""
        begun = time.monotonic()
        log = (self.folder / "serve.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, *self.program, "serve", "--json", "--node", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        said = "" if self.process.stdout is None else self.process.stdout.readline()
        self.started_s = time.monotonic() - begun
        if not said:
            self.process.wait(timeout=START_S)
            raise RuntimeError((self.folder / "serve.log").read_text())

    def stop(self) -> float:
        """End the node as a service manager does; return how long it took."""
        if self.process is None:
            return 0.0
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        spent = time.monotonic() - begun
        self._forget()
        if code:
            raise RuntimeError(f"{self.name} ended with {code}: {self.folder / 'serve.log'}")
        return spent

    def kill(self) -> None:
        """Pull its plug."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._forget()

    def _forget(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    @property
    def rss_mb(self) -> float:
        """Resident memory of the process, in MB of 10^6 bytes."""
        return self._status_kib("VmRSS") * 1024 / 1e6

    @property
    def peak_rss_mb(self) -> float:
        """The most resident memory it ever had."""
        return self._status_kib("VmHWM") * 1024 / 1e6

    @property
    def cpu_s(self) -> float:
        """Processor time spent so far, user and system."""
        if self.process is None:
            return 0.0
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status_kib(self, name: str) -> int:
        if self.process is None:
            return 0
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name))

    def get(self, path: str, **query: object) -> Any:
        """Return the answer to a GET, at leisure: for set-up and for looking afterwards."""
        return self._ask("GET", path, params={k: str(v) for k, v in query.items()})

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer to a POST, at leisure."""
        return self._ask("POST", path, json=body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer to a PUT, at leisure."""
        return self._ask("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        """Return the answer to a DELETE, at leisure."""
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        # Loopback without TLS: to read all roots for it takes 20 ms of the processor each time.
        with httpx.Client(timeout=60, trust_env=False, headers=headers, verify=False) as http:
            answer = http.request(method, self.url + path, **content)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.text}")
        return answer.json()

    @property
    def line(self) -> dict[str, Any]:
        """Its only line."""
        (line,) = self.get("/lines")
        return dict(line)

    def line_with(self, peer: "Party") -> dict[str, Any]:
        """Its line with one of its peers."""
        (line,) = (line for line in self.get("/lines") if line["peer"] == peer.name)
        return dict(line)


def make_pair(root: Path) -> tuple[Party, Party]:
    """Make the folders of two parties that have pinned each other. No node runs yet."""
    west, east = make_parties(root, ("west", "east"), ((0, 1),))
    return west, east


def make_parties(root: Path, names: Sequence[str], lines: Sequence[tuple[int, int]]) -> list[Party]:
    """Make the folders of parties; those of each line have pinned each other. No node runs yet."""
    made = [_make(root / name, name) for name in names]
    for pair in lines:
        for own, peer in (pair, pair[::-1]):
            invitation = made[peer].invite(made[peer].unlock(None), now_utc_ms=_now_ms())
            made[own].peers().pin(invitation, invitation.verify_key.fingerprint())
    return [party_of(folder.path) for folder in made]


def party_of(path: Path) -> Party:
    """Return the party of a node folder, with a fresh login of its releasing officer."""
    folder = NodeFolder.open(path)
    accounts = Accounts(folder.accounts_path, now=_now_ms, random_bytes=os.urandom)
    try:
        if "boris" not in {account.name for account in accounts.list()}:
            accounts.add("boris", PASSWORD, roles=["releasing_officer"], desk="watch", by="bench")
        token = accounts.issue("boris", by="bench").token
    finally:
        accounts.close()
    return Party(folder.settings.party, path, folder.settings.operators_listen, token)


@contextmanager
def running(*parties: Party) -> Iterator[None]:
    """Run their nodes; end them cleanly when all went well, at once when it did not."""
    try:
        for party in parties:
            party.start()
        yield
        for party in parties:
            party.stop()
    finally:
        for party in parties:
            party.kill()


def agree(west: Party, east: Party, *, private_check: PrivateCheckTerms | None = None) -> str:
    """Have both sign the default terms; return the line's id."""
    lines = ((west, east), (east, west))
    wait_for(
        lambda: all(own.line_with(peer)["state"] == "UP" for own, peer in lines),
        "the line is down",
    )
    line_id = str(west.line_with(east)["line_id"])
    terms = default_terms(
        line=line_id,
        parties=[PartyTerms(party.name, "watch", "duty", ("en",), 1) for party in (west, east)],
        theatre=THEATRE,
        landmarks=[LANDMARK],
        private_check=private_check,
    )
    west.post(f"/lines/{line_id}/terms/proposal", {"terms": terms_to_wire(terms)})
    path = f"/lines/{line_id}/terms"
    wait_for(lambda: east.get(path)["proposed_hash"], "the proposal did not arrive")
    east.post(f"{path}/acceptance", {"terms_hash": east.get(path)["proposed_hash"]})
    wait_for(
        lambda: all(own.line_with(peer)["terms_state"] == "AGREED" for own, peer in lines),
        "the terms were not agreed",
    )
    return line_id


def wait_for(what: Any, why: str, timeout_s: float = 30.0) -> Any:
    """Return what ``what()`` gives once it is true."""
    deadline = time.monotonic() + timeout_s
    while not (found := what()):
        if time.monotonic() > deadline:
            raise RuntimeError(why)
        time.sleep(0.05)
    return found


def _make(path: Path, name: str) -> NodeFolder:
    return NodeFolder.create(
        path,
        Settings(
            party=name,
            desks=("watch", "duty"),
            peer_listen=Endpoint("127.0.0.1", free_port()),
            operators_listen=Endpoint("127.0.0.1", free_port()),
        ),
        passphrase=None,
        now_utc_ms=_now_ms(),
        random_bytes=os.urandom,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def free_port() -> int:
    """Return a port of loopback that nobody listens on now.

    Below those that the kernel gives to outgoing connections, and drawn at random: between this
    and the start of what is to listen, nobody else comes to have it. Tests that run beside one
    another draw from different ones: what is killed and started again finds its own free.
    """
    least, most = _PORTS
    width = (most - least) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    least += width * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        with socket.socket() as probe:
            port = secrets.randbelow(width) + least
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
