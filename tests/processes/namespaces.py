"""Two network namespaces with one cable between them, cut in a direction or in both.

A direction is cut by giving its sender a wrong hardware address for the other end: its frames leave
and nobody takes them, which is what a broken path looks like from above. No packet filter is
needed, which many kernels in a container lack.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ADDRESSES = {"blue": "10.203.0.1", "red": "10.203.0.2"}
HARDWARE = {"blue": "02:00:00:00:00:01", "red": "02:00:00:00:00:02"}
NOBODY = "02:00:00:00:00:99"
OTHER = {"blue": "red", "red": "blue"}
_CLONE_NEWNET = 0x4000_0000
_LIBC = ctypes.CDLL(None, use_errno=True)


def why_not() -> str | None:
    """Return why this machine can make no namespaces; None where it can."""
    if shutil.which("ip") is None:
        return "ip is not installed (apt-get install iproute2)"
    with Namespaces() as namespaces:
        try:
            namespaces.make()
        except subprocess.CalledProcessError as error:
            return f"{' '.join(error.cmd)}: {error.stderr.decode(errors='replace').strip()}"
    return None


class Namespaces:
    """A namespace for each of two parties; ``with`` removes them."""

    def __init__(self) -> None:
        self._names = {party: f"deconflict-{os.getpid()}-{party}" for party in ADDRESSES}

    def make(self) -> None:
        """Make them and plug in the cable.

        Raises:
            subprocess.CalledProcessError: this machine does not let us.
        """
        for name in self._names.values():
            _ip("netns", "add", name)
        blue, red = self._names["blue"], self._names["red"]
        _ip("link", "add", "cable", "netns", blue, "type", "veth", "peer", "cable", "netns", red)
        for party, name in self._names.items():
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "cable", "address", HARDWARE[party], "up")
            _ip("-n", name, "address", "add", f"{ADDRESSES[party]}/24", "dev", "cable")
        self.mend()

    def cut(self, *senders: str) -> None:
        """Let what these parties send reach nobody."""
        for sender in senders:
            self._towards(sender, NOBODY)

    def mend(self) -> None:
        """Let everything through again."""
        for sender in ADDRESSES:
            self._towards(sender, HARDWARE[OTHER[sender]])

    def unplug(self) -> None:
        """Take the cable out: both ends see that it is gone."""
        _ip("-n", self._names["blue"], "link", "set", "cable", "down")

    def plug_in(self) -> None:
        """Put it in again."""
        _ip("-n", self._names["blue"], "link", "set", "cable", "up")
        self.mend()

    @contextlib.contextmanager
    def inside(self, party: str) -> Iterator[None]:
        """Sockets that this thread opens meanwhile, and processes it starts, are the party's."""
        with Path("/proc/thread-self/ns/net").open("rb") as here:
            _enter(Path("/run/netns") / self._names[party])
            try:
                yield
            finally:
                _set_namespace(here.fileno())

    def __enter__(self) -> "Namespaces":
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._names.values():
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", name)

    def _towards(self, sender: str, hardware: str) -> None:
        receiver = ADDRESSES[OTHER[sender]]
        _ip(
            *("-n", self._names[sender], "neigh", "replace", receiver),
            *("lladdr", hardware, "nud", "permanent", "dev", "cable"),
        )


def _enter(path: Path) -> None:
    with path.open("rb") as namespace:
        _set_namespace(namespace.fileno())


def _set_namespace(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)
