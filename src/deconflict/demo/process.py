"""Processes of the demo: commands that end, and programs that go on while their lines are read."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deconflict.errors import PromiseBrokenError

__all__ = ["Child", "Ended", "run_command"]

COMMAND_S: Final = 60.0  # far above what any command needs; a hung one must not hang the demo
STOP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ran: its exit code and what it printed."""

    code: int
    out: str
    err: str


def run_command(words: Sequence[str], folder: Path) -> Ended:
    """Run ``deconflict`` with these words in a folder, by this interpreter.

    Raises:
        PromiseBrokenError: it did not end in time.
    """
    try:
        done = subprocess.run(  # noqa: S603 (our own program)
            _program(words),
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PromiseBrokenError(
            "a command did not end", given=" ".join(words), expected=f"within {COMMAND_S:g} s"
        ) from None
    return Ended(done.returncode, done.stdout, done.stderr)


class Child:
    """A running ``deconflict`` whose lines are read as they come.

    Args:
        words: the command.
        folder: where it runs.
        log: file that its standard error is added to.
    """

    def __init__(self, words: Sequence[str], folder: Path, log: Path) -> None:
        self._words = words
        self._log = log
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 (our own program)
                _program(words),
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                # Ctrl-C at the terminal is the demo's to hear; it ends its children in order.
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def running(self) -> bool:
        """True exactly when the process has not ended."""
        return self._process.poll() is None

    def line(self, deadline_s: float) -> str | None:
        """Return its next line, or None when none came by this monotonic time.

        Raises:
            PromiseBrokenError: it has ended.
        """
        try:
            line = self._lines.get(timeout=max(deadline_s - time.monotonic(), 0.001))
        except queue.Empty:
            return None
        if line is None:
            self._process.wait(STOP_S)
            raise PromiseBrokenError(
                "a program ended by itself",
                given=f"deconflict {' '.join(self._words)}: exit code {self._process.returncode}",
                expected="that it goes on",
                remedy=f"read {self._log}",
            )
        return line

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._end()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it as a service manager does, and return its exit code; killed if it does not end."""
        if self.running:
            self._process.send_signal(number)
        return self._end()

    def _end(self) -> int:
        try:
            code = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join(STOP_S)
        return code

    def _read(self) -> None:
        if self._process.stdout is not None:
            with self._process.stdout as stream:
                for line in stream:
                    self._lines.put(line)
        self._lines.put(None)


def _program(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "deconflict", *words]


def _environment() -> dict[str, str]:
    """Return the environment without what would change which node a command means."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("DECONFLICT_")
    } | {"PYTHONUTF8": "1"}
