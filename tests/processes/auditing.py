"""``deconflict serve`` with audits in other times, and another program for their processes.

``python -m tests.processes.auditing TIMES PROGRAM serve --node FOLDER --json``: the times are those
of `AuditTimes` as JSON, the program is what is begun instead of Python; empty for Python.
"""

import sys
from pathlib import Path

import msgspec

from deconflict.cli.serving import serve_folder
from deconflict.node.folder import NodeFolder
from deconflict.node.keeping.standing import AuditTimes

__all__ = ["QUICK", "audited_as"]

# The node under test settles no longer than it takes to ask it something.
QUICK = AuditTimes(settle_s=0.2, again_s=0.5, again_longest_s=2.0)


def audited_as(times: AuditTimes = QUICK, program: Path | None = None) -> tuple[str, ...]:
    """The command of a `Process` whose audits are so."""
    written = msgspec.json.encode(times).decode()
    return ("-m", __name__, written, "" if program is None else str(program))


def main() -> None:
    times, program, _, _, path, _ = sys.argv[1:]
    if program:
        sys.executable = program
    folder = NodeFolder.open(Path(path))
    keys = folder.unlock(lambda: "")
    serve_folder(
        folder, keys, as_json=True, audit_times=msgspec.json.decode(times, type=AuditTimes)
    )


if __name__ == "__main__":
    main()
