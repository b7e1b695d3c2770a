"""Every system call on the record's files fails once, in a real node, by strace.

    python -m tests.faults.system_calls --points 60 --seed 1    # a share, by the seed
    python -m tests.faults.system_calls --all                     # each call, each time it is made

A node runs under ``strace`` with one failure planted: the so manieth call of one name, of a thread,
on the record or its write-ahead log, fails with EIO or ENOSPC. Meanwhile its operator and its peer
speak. Either SQLite bears the failure, and nothing may be lost; or the node has to stop by itself,
with exit code 2 and the reason in words. Then it starts on a disk that works, proves its record,
and must hold all that its API called durable and all that its peer holds a receipt for.
"""

import argparse
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes.nodes import (
    ApiError,
    Nursery,
    Process,
    Unreachable,
    make_nodes,
    wait_until,
)

from deconflict.errors import StoreInUseError
from deconflict.store.sqlite import SqliteStore

CALLS = (
    "openat",
    "pread64",
    "pwrite64",
    "fdatasync",
    "fsync",
    "ftruncate",
    "fstat",
    "stat",
    "lstat",
    "fcntl",
    "unlink",
    "close",
)
FULL_CALLS = ("openat", "pwrite64", "fdatasync", "ftruncate")  # that can find no room
FILES = ("", "-wal", "-shm", "-journal")
POSTS = 12
START_S = 60.0
END_S = 20.0
SAID = {"event": "a word", "fields": {"number": 1}}


def why_not() -> str | None:
    """Return why this machine cannot play it; None where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (apt-get install strace)"
    tried = subprocess.run(
        ["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False, timeout=20
    )
    if tried.returncode != 0:
        return f"strace may not trace here: {tried.stderr.decode(errors='replace').strip()}"
    return None


@dataclass(frozen=True)
class Injection:
    """One failure: which call, the so manieth of a thread, with which error."""

    call: str
    error: str
    when: int

    def __str__(self) -> str:
        return f"{self.call} {self.when} {self.error}"


class Violation(AssertionError):  # noqa: N818  (as in kill_ledger)
    """A node did not do what it must when its disk fails."""


@dataclass
class Report:
    """What became of the failures."""

    points: int = 0
    stopped: Counter[str] = field(default_factory=Counter)  # by call
    borne: Counter[str] = field(default_factory=Counter)
    not_reached: int = 0
    posted: int = 0
    receipted: int = 0

    def lines(self) -> list[str]:
        return [
            f"failures        {self.points}, of which {self.not_reached} were not reached",
            f"node stopped    {sum(self.stopped.values())}: {_words(self.stopped)}",
            f"SQLite bore it  {sum(self.borne.values())}: {_words(self.borne)}",
            f"messages        {self.posted} called durable, {self.receipted} of the peer's "
            "receipted, 0 lost",
        ]


class Traced:
    """Two nodes, one of which runs under strace again and again, on the same record."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        blue, red = make_nodes(directory, ("blue", "red")).values()
        self.blue, self.red = blue, red
        self.line = blue.line_with(red)
        self.report = Report()
        self._trace = directory / "trace"
        self._durable: dict[int, str] = {}
        self._nursery = Nursery()
        self._peer = self._nursery.start(red, directory / "red.out")
        self._peer.ready(START_S)

    def close(self) -> None:
        self._peer.kill()
        self._nursery.close()

    def counted(self) -> Counter[str]:
        """Return how often each call is made, by the thread that makes it most."""
        self._run(None)
        by_thread = Counter(re.findall(r"(?m)^(\d+ +\w+)\(", self._trace.read_text()))
        counts: Counter[str] = Counter()
        for key, count in by_thread.items():
            call = key.split()[1]
            counts[call] = max(counts[call], count)
        return counts

    def play(self, injection: Injection) -> None:
        """Let one call fail; raise Violation when the node does not do what it must."""
        code, said = self._run(injection)
        self.report.points += 1
        if "(INJECTED)" not in self._trace.read_text():
            self.report.not_reached += 1
        elif code == 0:
            self.report.borne[injection.call] += 1
        else:
            self.report.stopped[injection.call] += 1
            # It may be told to end at the moment at which it ends by itself, the reason said.
            ended = code == 2 or (code == -signal.SIGTERM and '"error"' in said)
            if not ended or "Traceback" in said or not said.strip():
                raise Violation(f"{injection}: the node ended with {code} and said:\n{said}")
        self._prove(injection)

    def _run(self, injection: Injection | None) -> tuple[int, str]:
        """Run the node under strace while both sides speak; return its exit code and words."""
        program = ("-m", "tests.faults.system_calls", str(self._trace), str(injection or ""))
        with Process(self.blue, program) as node:
            try:
                node.ready(START_S)
            except AssertionError as error:
                if node.running:
                    raise Violation(f"{injection}: it neither starts nor ends: {error}") from error
            else:
                if self._speak():
                    node.signal(signal.SIGTERM)
            code = node.ended(END_S)
            said = node.said.decode(errors="replace") + node.words()
        return code, said

    def _speak(self) -> bool:
        """True exactly when all was said; else the node stopped, and has to end by itself."""
        try:
            with self.blue.api() as api, self.red.api() as peer:
                for number in range(POSTS):
                    if number % 3 == 0:
                        peer.send(self.line, "ACCOUNT", SAID)
                    posted = api.send(self.line, "ACCOUNT", SAID)
                    self._durable[posted["seq"]] = posted["hash"]
                    self.report.posted += 1
        except (Unreachable, ApiError):
            return False
        return True

    def _prove(self, injection: Injection) -> None:
        with self.red.api() as peer:
            receipted = peer.line(self.line)["receipted_seq"]
        again = self._nursery.start(self.blue, self._directory / "blue.out")
        try:
            again.ready(START_S)
        except AssertionError as error:
            raise Violation(f"{injection}: the node does not start again: {error}") from error
        finally:
            again.kill()
        with self._record() as store:
            kept = {row.seq: row.hash for row in store.entries(self.line, "blue")}
            heard = store.count(self.line, "red")
        lost = {seq for seq, name in self._durable.items() if kept.get(seq) != name}
        if lost or heard < receipted:
            raise Violation(
                f"{injection}: lost {len(lost)} messages called durable; holds {heard} of the "
                f"peer's, {receipted} are receipted"
            )
        self.report.receipted = receipted

    def _record(self) -> SqliteStore:
        """Open the record; a thread of the killed node may hold it for a moment longer."""
        opened: list[SqliteStore] = []

        def opens() -> bool:
            with contextlib.suppress(StoreInUseError):
                opened.append(SqliteStore.open(self.blue.folder.record_path))
            return bool(opened)

        wait_until(opens, END_S, "the record to be free")
        return opened[0]


def planned(counts: Counter[str]) -> list[Injection]:
    """Return every failure that can be planted: each call, each time it is made."""
    return [
        Injection(call, error, when)
        for call in CALLS
        for error in ("EIO", "ENOSPC")
        if error == "EIO" or call in FULL_CALLS
        for when in range(1, counts.get(call, 0) + 1)
    ]


def share(points: list[Injection], count: int, seed: int) -> list[Injection]:
    """Return so many of them, each call at least once, drawn by the seed."""
    rng = random.Random(seed)
    by_call: dict[tuple[str, str], list[Injection]] = {}
    for point in points:
        by_call.setdefault((point.call, point.error), []).append(point)
    drawn = [rng.choice(group) for group in by_call.values()]
    rest = [point for point in points if point not in drawn]
    return (drawn + rng.sample(rest, min(len(rest), max(0, count - len(drawn)))))[:count]


def strace_command(trace: str, injection: str, record: str) -> list[str]:
    """Return the beginning of a command line that plants it; the traced one keeps its own pid."""
    call, _, rest = injection.partition(" ")
    when, _, error = rest.partition(" ")
    names = call or ",".join(CALLS)
    planted = [f"--inject={call}:error={error}:when={when}"] if call else []
    files = [f"--trace-path={record}{ending}" for ending in FILES]
    options = ["-D", "-f", "--seccomp-bpf", "-qq", "-o", trace]  # stops at the traced calls alone
    return ["strace", *options, f"--trace={names}", *files, *planted]


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


def main() -> int:
    parser = argparse.ArgumentParser(description="Let each system call on the record fail once.")
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--all", action="store_true", help="each call, each time it is made")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    reason = why_not()
    if reason is not None:
        print(f"CANNOT BE PLAYED: {reason}")
        return 2
    with tempfile.TemporaryDirectory(prefix="system-calls-") as directory:
        traced = Traced(Path(directory))
        try:
            counts = traced.counted()
            points = planned(counts)
            chosen = points if options.all else share(points, options.points, options.seed)
            print(f"seed {options.seed}, {len(chosen)} of {len(points)} failures", flush=True)
            violations = 0
            for number, point in enumerate(chosen, start=1):
                try:
                    traced.play(point)
                except Violation as violation:
                    violations += 1  # the sweep goes on: what else fails is to be known too
                    print(f"VIOLATION: {violation}", flush=True)
                if number % 20 == 0:
                    print(f"{number} of {len(chosen)}", flush=True)
        finally:
            traced.close()
        print("\n".join([*traced.report.lines(), f"violations: {violations}"]))
    return 1 if violations else 0


def _become_traced() -> None:
    """Become the node under strace: ``TRACE INJECTION serve --node DIR …``."""
    trace, injection, *arguments = sys.argv[1:]
    record = str(Path(arguments[arguments.index("--node") + 1]) / "record.sqlite")
    command = strace_command(trace, injection, record)
    os.execvp(command[0], [*command, sys.executable, "-m", "deconflict", *arguments])


if __name__ == "__main__":
    if "serve" in sys.argv:
        _become_traced()
    sys.exit(main())
