"""A network between two nodes that can be cut: one proxy before each door.

What is cut is held, not lost: so it looks to TCP when cables are pulled and packets repeated.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.processes.nodes import HOST, Member, free_port, make_nodes, open_node


class Network:
    """Proxies before the doors of two parties, in a thread of their own.

    Args:
        parties: the two.
        ports: where each is called; free ones where none are given.

    Attributes:
        ports: where each is called.
        doors: party to the port that its node listens on; set once the folders are made.
    """

    def __init__(self, parties: tuple[str, str], ports: dict[str, int] | None = None) -> None:
        self.ports = ports or {party: free_port() for party in parties}
        self._peer_of = dict(zip(parties, reversed(parties), strict=True))
        self.doors: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._open: dict[str, asyncio.Event] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def url(self, party: str) -> str:
        """What peers call instead of the party's own address."""
        return f"https://{HOST}:{self.ports[party]}"

    def cut(self, *senders: str) -> None:
        """Hold back what these parties send, in whichever connection."""
        for party in senders:
            self._loop.call_soon_threadsafe(self._open[party].clear)

    def mend(self) -> None:
        """Let everything through again."""
        for gate in self._open.values():
            self._loop.call_soon_threadsafe(gate.set)

    @contextlib.contextmanager
    def running(self) -> Iterator["Network"]:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _serve(self) -> None:
        self._open = {party: asyncio.Event() for party in self._peer_of}
        for gate in self._open.values():
            gate.set()
        self._servers = [
            await asyncio.start_server(
                lambda reader, writer, party=party: self._carry(party, reader, writer), HOST, port
            )
            for party, port in self.ports.items()
        ]

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.05)  # aborted connections are closed in a later turn

    async def _carry(
        self, party: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection to ``party``'s door, by the other party."""
        gates = self._open[self._peer_of[party]], self._open[party]
        back: asyncio.StreamWriter | None = None
        try:
            await gates[0].wait()
            there, back = await asyncio.open_connection(HOST, self.doors[party])
            await asyncio.gather(
                _pump(reader, back, gates[0]),
                _pump(there, writer, gates[1]),
            )
        except (OSError, asyncio.CancelledError):  # streams of Python 3.11 log the latter
            pass
        finally:
            for one in (writer, back):
                if one is not None:
                    one.transport.abort()


def make_networked(root: Path, parties: tuple[str, str]) -> tuple[Network, dict[str, Member]]:
    """Make the folders of two nodes that call each other through a network, still to be run."""
    network = Network(parties)
    members = make_nodes(root, parties, peer_urls={party: network.url(party) for party in parties})
    network.doors.update({party: member.peer_port for party, member in members.items()})
    return network, members


def open_networked(
    root: Path, parties: tuple[str, str], ports: dict[str, int]
) -> tuple[Network, dict[str, Member]]:
    """Return the same once more for folders that were made before, with fresh logins."""
    network = Network(parties, ports)
    members = {party: open_node(root / party) for party in parties}
    network.doors.update({party: member.peer_port for party, member in members.items()})
    return network, members


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
) -> None:
    while data := await reader.read(65_536):
        await gate.wait()
        writer.write(data)
        await writer.drain()
    await gate.wait()
    raise ConnectionResetError  # one side has ended: end both
