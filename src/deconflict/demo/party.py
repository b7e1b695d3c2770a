"""One party of the demo: its folder, its node's process, its commands and its desk's screen."""

import json
import secrets
import socket
import time
from pathlib import Path
from typing import Any, Final

from deconflict.demo.process import Child, run_command
from deconflict.demo.screen import Screen
from deconflict.demo.telling import Teller
from deconflict.errors import PromiseBrokenError

__all__ = ["HOST", "PLANNER", "WATCH", "Party"]

HOST: Final = "127.0.0.1"
START_S: Final = 30.0
WATCH: Final = "watch"  # account of the watch officer
PLANNER: Final = "planner"  # account of the releasing officer, who declares and signs terms


class Party:
    """A party at its own terminal.

    Args:
        name: of the party, and of its node's folder.
        root: folder of the demo, where all commands run.
        teller: who shows the commands.
    """

    def __init__(self, name: str, root: Path, teller: Teller) -> None:
        self.name = name
        self.password = secrets.token_urlsafe(12)
        self.peer_port, self.operators_port = free_port(), free_port()
        self._root = root
        self._teller = teller
        self._log = root / f"{name}.log"
        self._node: Child | None = None
        self._screen: Screen | None = None

    @property
    def console(self) -> str:
        """Address of the console for a browser."""
        return f"http://{HOST}:{self.operators_port}/"

    @property
    def invitation(self) -> str:
        """The file that the other party is given."""
        return f"{self.name}/{self.name}.invitation"

    @property
    def screen(self) -> Screen:
        """What stands on the screen of the desk on watch."""
        if self._screen is None:
            raise PromiseBrokenError(f"nobody watches at {self.name} yet")
        return self._screen

    # -- commands -----------------------------------------------------------------------------

    def run(self, *words: str, code: int = 0) -> Any:
        """Run a command, shown as it is typed, and return what it says as JSON.

        Raises:
            PromiseBrokenError: it ended with another exit code.
        """
        self._teller.typed(self.name, words)
        ended = run_command([*words, "--json"], self._root)
        if ended.code != code:
            said = (ended.err or ended.out).strip()
            raise PromiseBrokenError(
                "a command did not end as promised",
                given=f"{' '.join(words)}: exit code {ended.code}: {said[-600:]}",
                expected=f"exit code {code}",
            )
        return json.loads(ended.out or ended.err)

    def on_node(self, *words: str, code: int = 0) -> Any:
        """Run a command on the node's folder."""
        return self.run(*words, "--node", self.name, code=code)

    def watch(self, *words: str, code: int = 0) -> Any:
        """Run a command as the watch officer."""
        return self.run(*words, "--node", self.name, "--as", WATCH, code=code)

    def planner(self, *words: str, code: int = 0) -> Any:
        """Run a command as the releasing officer, who may also declare."""
        return self.run(*words, "--node", self.name, "--as", PLANNER, code=code)

    def secret_file(self, text: str) -> str:
        """Write a file that only its owner may read, and return its name for commands."""
        file = self._root / f"{self.name}.password"
        file.touch(mode=0o600)
        file.write_text(text, "utf-8")
        return file.name

    # -- processes ----------------------------------------------------------------------------

    def serve(self) -> None:
        """Start the node; `ready` waits for it."""
        words = ["serve", "--node", self.name]
        self._teller.typed(self.name, words)
        self._node = Child([*words, "--json"], self._root, self._log)

    def ready(self) -> dict[str, Any]:
        """Return what the node says of itself once it runs.

        Raises:
            PromiseBrokenError: it ended, or does not run in time.
        """
        said, deadline_s = "", time.monotonic() + START_S
        while self._node is not None and (line := self._node.line(deadline_s)) is not None:
            said += line
            if line.startswith("}"):
                return dict(json.loads(said))
        raise PromiseBrokenError(
            f"the node of {self.name} does not run",
            expected=f"within {START_S:g} s",
            remedy=f"read {self._log}",
        )

    def open_screen(self) -> None:
        """Begin to watch, from the first event on."""
        words = ["line", "watch", "--node", self.name, "--as", WATCH]
        self._teller.typed(self.name, words)
        self._screen = Screen(self.name, [*words, "--after", "0", "--json"], self._root, self._log)

    @property
    def running(self) -> bool:
        """True exactly when the node's process runs."""
        return self._node is not None and self._node.running

    def kill(self) -> None:
        """End the node at once, as a power cut would."""
        if self._node is not None:
            self._node.kill()

    def close(self) -> int:
        """Close the screen and end the node in good order; return the node's exit code."""
        if self._screen is not None:
            self._screen.stop()
        return 0 if self._node is None else self._node.stop()


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
