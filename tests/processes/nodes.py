"""Nodes as operating-system processes: made, pinned, started, called, stopped and killed.

``make_nodes`` makes folders as ``deconflict init`` and ``peer add`` do; ``Process.start``
runs the shipped command, ``python -m deconflict serve``. Where a test needs hundreds of starts,
``Nursery`` forks them from one process that has imported everything already: the same command with
the same arguments in a process of its own, without the second that Python needs to import it.

Run as a script it is the nursery's process.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.nodes import free_port

from deconflict.api.accounts import Accounts
from deconflict.line.keys import VerifyKey
from deconflict.node.folder import NodeFolder
from deconflict.node.invitation import Invitation
from deconflict.node.settings import Endpoint, Settings

HOST = "127.0.0.1"
REPOSITORY = Path(__file__).resolve().parents[2]
ROLES = ("watch_officer", "releasing_officer", "auditor")
START_S = 60.0  # on a machine that does much else
STOP_S = 10.0
SAFETY = {  # what is said where it does not matter what: people are on the ground there
    "phrase": 208,
    "values": {
        "where": {"lat_e7": 354_012_000, "lon_e7": 359_487_000},
        "reach": 2_000_000,
        "since": "2015-09-30T06:12:00.000Z",
    },
}

_T = TypeVar("_T")


class ApiError(Exception):
    """The operators' API refused."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        super().__init__(f"{status}: {body[:300]!r}")


class Unreachable(Exception):  # noqa: N818  (an outcome that the caller expects, no defect)
    """The node did not answer: it is down, or went down while it was asked."""


@dataclass(frozen=True)
class Member:
    """One party's node on disk, and a login at it."""

    folder: NodeFolder
    token: str
    door: int = 0  # at which of its addresses it is called, of one with two

    @property
    def party(self) -> str:
        return self.folder.settings.party

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def peer_port(self) -> int:
        return self.folder.settings.peer_listens[self.door].port

    @property
    def operators_port(self) -> int:
        return self.folder.settings.operators_listen.port

    @property
    def verify_key(self) -> VerifyKey:
        return self.folder.verify_key

    def line_with(self, other: "Member") -> str:
        """The id of the line that both know."""
        return self.folder.peers().get(other.party).line_id

    def api(self, timeout_s: float = 10.0) -> "Api":
        """A caller of its operators' API, logged in; use one in one thread."""
        return Api(self.operators_port, self.token, timeout_s)


def make_nodes(
    directory: Path,
    parties: Sequence[str],
    *,
    peer_urls: dict[str, str] | None = None,
    second_urls: dict[str, str] | None = None,
    pinned: Sequence[tuple[str, str]] | None = None,
) -> dict[str, Member]:
    """Make nodes with keys, an account and pins.

    Args:
        directory: where their folders go, each named by its party.
        parties: who they are.
        peer_urls: what the peers call instead of the address listened on.
        second_urls: what they call on a second path, at which the node then listens too; empty
            for the address listened on.
        pinned: who pins whom; None is everybody everybody.
    """
    made = {}
    for party in parties:
        settings = Settings(
            party,
            peer_listen=Endpoint(HOST, free_port()),
            peer_url=(peer_urls or {}).get(party, ""),
            operators_listen=Endpoint(HOST, free_port()),
            second_peer_listen=None if second_urls is None else Endpoint(HOST, free_port()),
            second_peer_url=(second_urls or {}).get(party, ""),
        )
        folder = NodeFolder.create(
            directory / party,
            settings,
            passphrase=None,
            now_utc_ms=time.time_ns() // 1_000_000,
            random_bytes=os.urandom,
        )
        made[party] = Member(folder, _account(folder))
    for own in parties:
        for peer in parties:
            if own != peer and (pinned is None or (own, peer) in pinned):
                pin(made[own].folder, made[peer].folder)
    return made


def open_node(path: Path) -> Member:
    """Return a node that :func:`make_nodes` made before, with a fresh login."""
    folder = NodeFolder.open(path)
    with contextlib.closing(_accounts(folder)) as accounts:
        return Member(folder, accounts.issue("watch", by="test").token)


def pin(own: NodeFolder, peer: NodeFolder) -> None:
    """Pin ``peer`` in ``own``, as people who compared fingerprints would."""
    invitation = Invitation.parse(peer.invitation_path.read_bytes())
    own.peers().pin(invitation, peer.verify_key.fingerprint())


def wait_until(true: Callable[[], _T], timeout_s: float, why: str) -> _T:
    """Return what ``true`` returns, as soon as it is; AssertionError when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not (found := true()):
        assert time.monotonic() < deadline, f"{why}: not within {timeout_s:g} s"
        time.sleep(0.02)
    return found


class Api:
    """The operators' API of one node over one kept connection; ``with`` closes it."""

    def __init__(self, port: int, token: str | None, timeout_s: float = 10.0) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._headers = {"content-type": "application/json"}
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"
        self._http: http.client.HTTPConnection | None = None

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, path: str) -> Any:
        return self._json("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._json("POST", path, body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._json("PUT", path, body)

    def raw(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of any request; raises Unreachable."""
        try:
            if self._http is None:
                self._http = http.client.HTTPConnection(HOST, self._port, timeout=self._timeout_s)
            self._http.request(method, path, body=body, headers=self._headers)
            answer = self._http.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def send(self, line: str, kind: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Post one message; what comes back is durable at its author's."""
        answer = self.post(f"/lines/{line}/messages", {"kind": kind, "body": body, **more})
        return dict(answer)

    def line(self, peer: str) -> dict[str, Any]:
        return dict(self.get(f"/lines/{peer}"))

    def alerts(self) -> list[dict[str, Any]]:
        return list(self.get("/alerts?open=true"))

    @contextlib.contextmanager
    def events(self, after: int = 0) -> Iterator["EventStream"]:
        """The live stream of events, read in a thread of its own."""
        stream = EventStream(self._port, self._headers, after)
        try:
            yield stream
        finally:
            stream.close()

    def _json(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        status, answer = self.raw(method, f"/api/v1{path}", data)
        if status >= 400:
            raise ApiError(status, answer)
        return json.loads(answer)


class EventStream:
    """Events as they come, with the local monotonic time of each."""

    def __init__(self, port: int, headers: dict[str, str], after: int) -> None:
        self.heard: list[tuple[float, str, dict[str, Any]]] = []
        self.ended = threading.Event()
        self._http = http.client.HTTPConnection(HOST, port, timeout=60)
        self._http.request("GET", f"/api/v1/events?after={after}", headers=headers)
        self._answer = self._http.getresponse()
        assert self._answer.status == 200, self._answer.status
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        kind = ""
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := self._answer.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    self.heard.append((time.monotonic(), kind, json.loads(value)))
        self.ended.set()

    def close(self) -> None:
        if self._http.sock is not None:
            with contextlib.suppress(OSError):
                self._http.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
        self._answer.close()
        self._http.close()


class Process:
    """``deconflict serve`` for one member, as a process of its own.

    Args:
        member: whose node.
        command: what runs instead of ``python -m deconflict``.
    """

    def __init__(self, member: Member, command: Sequence[str] = ("-m", "deconflict")) -> None:
        self.member = member
        self.said = b""
        self.errors = b""
        self._popen = subprocess.Popen(
            [sys.executable, *command, "serve", "--node", str(member.path), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=REPOSITORY,
        )
        self._readers = [
            threading.Thread(target=self._collect, args=(name,), daemon=True)
            for name in ("stdout", "stderr")
        ]
        for reader in self._readers:
            reader.start()

    def _collect(self, name: str) -> None:
        stream = getattr(self._popen, name)
        while data := stream.read1(65_536):
            if name == "stdout":
                self.said += data
            else:
                self.errors += data
        stream.close()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def ready(self, timeout_s: float = START_S) -> dict[str, Any]:
        """What it says of itself once it runs; AssertionError with its words if it ends before."""

        def readable() -> dict[str, Any] | None:
            try:
                return _ready(self.said)
            except ValueError:
                assert self.running, f"ended with {self._popen.returncode}: {self.words()}"
                return None

        return wait_until(readable, timeout_s, f"{self.member.party} to be ready") or {}

    def words(self) -> str:
        """All that it said on standard error."""
        for reader in self._readers:
            reader.join(timeout=0 if self.running else 5)
        return self.errors.decode(errors="replace")

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def ended(self, timeout_s: float = STOP_S) -> int:
        """Its exit code; AssertionError when it does not end in time."""
        try:
            code = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.member.party} did not end in {timeout_s:g} s") from None
        for reader in self._readers:
            reader.join(timeout=5)
        return code

    def stop(self) -> int:
        """End it as a service manager does."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """End it as a power cut would, if it still runs."""
        if self.running:
            self.signal(signal.SIGCONT)
            self._popen.kill()
        self.ended()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Nursery:
    """A process that has imported the node and forks one for each start.

    Args:
        setup: ``module:function`` to be called in the nursery before the first start: a tap or
            a planted fault.
        argument: what that function is called with.
    """

    def __init__(self, setup: str = "", argument: str = "") -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.processes.nodes", setup, argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            # numpy's threads are of no use here, and a process with threads should not fork.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._stdin, self._stdout = self._popen.stdin, self._popen.stdout

    def start(self, member: Member, out: Path) -> "Forked":
        """Start the member's node; what it says goes to ``out``, anew."""
        out.unlink(missing_ok=True)
        self._stdin.write(f"{member.path}\t{out}\n".encode())
        self._stdin.flush()
        return Forked(member, int(self._stdout.readline()), out)

    def close(self) -> None:
        self._stdin.close()
        self._stdout.close()
        self._popen.wait(10)

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Forked:
    """A node that a nursery started. It is not our child: it is watched through a pidfd."""

    def __init__(self, member: Member, pid: int, out: Path) -> None:
        self.member = member
        self.pid = pid
        self._out = out
        self._pidfd: int | None = None
        with contextlib.suppress(ProcessLookupError):
            self._pidfd = os.pidfd_open(pid)

    @property
    def running(self) -> bool:
        if self._pidfd is None:
            return False
        try:
            signal.pidfd_send_signal(self._pidfd, 0)
        except ProcessLookupError:
            return False
        # A zombie takes signals too; its nursery reaps it in a moment.
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
            return state != "Z"
        return False

    def ready(self, timeout_s: float = START_S) -> dict[str, Any]:
        def readable() -> dict[str, Any] | None:
            try:
                return _ready(self._out.read_bytes())
            except (ValueError, FileNotFoundError):
                assert self.running, f"{self.member.party} ended: {self.words()}"
                return None

        try:
            return wait_until(readable, timeout_s, f"{self.member.party} to be ready") or {}
        except AssertionError as error:
            if not self.running:
                raise
            self.signal(signal.SIGABRT)  # every thread tells where it stands
            wait_until(lambda: not self.running, STOP_S, f"{self.member.party} to be dead")
            raise AssertionError(f"{error}: {self.words()}") from error

    def words(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self._out.read_text(errors="replace")
        return ""

    def signal(self, number: int) -> None:
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """Kill it and return when it is gone."""
        self.signal(signal.SIGKILL)
        wait_until(lambda: not self.running, STOP_S, f"{self.member.party} to be dead")
        self._forget()

    def stop(self) -> None:
        """End it as a service manager does."""
        self.signal(signal.SIGTERM)
        wait_until(lambda: not self.running, STOP_S, f"{self.member.party} to end")
        self._forget()

    def _forget(self) -> None:
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


def _ready(said: bytes) -> dict[str, Any]:
    words = json.loads(said)
    assert "peer_address" in words, f"not ready: {words}"
    return dict(words)


def _account(folder: NodeFolder) -> str:
    with contextlib.closing(_accounts(folder)) as accounts:
        accounts.add(
            "watch",
            "a long evening at sea",
            roles=ROLES,
            desk=folder.settings.desks[0],
            by="test",
        )
        return accounts.issue("watch", by="test").token


def _accounts(folder: NodeFolder) -> Accounts:
    return Accounts(
        folder.accounts_path, now=lambda: time.time_ns() // 1_000_000, random_bytes=os.urandom
    )


def _nursery(setup: str, argument: str) -> None:
    """Fork a node for each line of standard input, until it ends."""
    import faulthandler
    import gc
    import importlib

    import deconflict.cli.serving  # noqa: F401  (what a start would import)
    from deconflict.cli import main

    if setup:
        module, _, function = setup.partition(":")
        getattr(importlib.import_module(module), function)(argument)
    faulthandler.enable(file=2)  # of whichever child, into what it says
    gc.freeze()  # what is here stays here: a child's collector need not copy it to look at it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the children are reaped by the kernel
    for line in sys.stdin:
        path, out = line.rstrip("\n").split("\t")
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            written = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(written, 1)
            os.dup2(written, 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            main(["serve", "--node", path, "--json"])
        print(pid, flush=True)


if __name__ == "__main__":
    _nursery(*sys.argv[1:3])
