"""What a soak keeps between its runs, so that a day of messages need not be one sitting.

A folder: the nodes' own folders; ``soak.json``, with the ports of the network and the id of the
line; ``report.json``, with what the runs did; ``durable``, what the APIs have called durable, 33
bytes a message, written as it comes. A soak that was killed itself loses its counts since its last
run, and nothing of what has to be in the records.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from tests.faults.soak_report import Report
from tests.processes.network import Network, make_networked, open_networked
from tests.processes.nodes import Member

_HASH_BYTES: Final = 32


@dataclass
class _Setting:
    ports: dict[str, int]
    line_id: str = ""


class SoakFolder:
    """Two nodes, the network between them, and what was done with them.

    Args:
        path: the folder; it is made where there is none.
        parties: the two.
    """

    def __init__(self, path: Path, parties: tuple[str, str]) -> None:
        self._path, self._parties = path, parties
        self.network: Network
        self.members: dict[str, Member]
        if (path / "soak.json").exists():
            self._setting = msgspec.json.decode((path / "soak.json").read_bytes(), type=_Setting)
            self.network, self.members = open_networked(path, parties, self._setting.ports)
        else:
            path.mkdir(parents=True, exist_ok=True)
            self.network, self.members = make_networked(path, parties)
            self._setting = _Setting(dict(self.network.ports))
            self._write_setting()
        report = path / "report.json"
        self.report = Report.read(report.read_bytes()) if report.exists() else Report()
        self._durable = (path / "durable").open("ab", buffering=0)

    @property
    def line_id(self) -> str:
        """The line on which terms are agreed; empty before that."""
        return self._setting.line_id

    def agreed(self, line_id: str) -> str:
        """Remember that terms are agreed on a line, and return its id."""
        self._setting.line_id = line_id
        self._write_setting()
        return line_id

    def durable(self) -> dict[str, set[bytes]]:
        """What each party's API has ever called durable, by hash."""
        found: dict[str, set[bytes]] = {party: set() for party in self._parties}
        data = (self._path / "durable").read_bytes()
        for at in range(0, len(data) - _HASH_BYTES, 1 + _HASH_BYTES):
            found[self._parties[data[at]]].add(data[at + 1 : at + 1 + _HASH_BYTES])
        return found

    def note(self, party: str, hashes: Iterable[bytes]) -> None:
        """Write down what a party's API called durable."""
        mark = bytes([self._parties.index(party)])
        self._durable.write(b"".join(mark + each for each in hashes))

    def keep(self) -> None:
        """Keep the report of what was done so far."""
        (self._path / "report.json").write_bytes(self.report.kept())

    def close(self) -> None:
        """Give the file back."""
        self._durable.close()

    def _write_setting(self) -> None:
        (self._path / "soak.json").write_bytes(msgspec.json.encode(self._setting))
