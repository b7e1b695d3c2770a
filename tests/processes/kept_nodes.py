"""A node at rest whose record was audited: made once, copied for each test."""

import shutil
from pathlib import Path

import pytest
from tests.processes.auditing import audited_as
from tests.processes.nodes import Member, Process, make_nodes, wait_until

from deconflict.node.folder import NodeFolder

__all__ = ["AUDIT_S", "SAID", "audit_children", "audited", "blue", "blue_at_rest", "line_of"]

SAID = {"event": "crossing of 06:00", "fields": {"closest_m": 805}}
AUDIT_S = 240.0  # the audit has a low priority, and others use the machine too


@pytest.fixture(scope="module")
def blue_at_rest(tmp_path_factory: pytest.TempPathFactory) -> Member:
    """A node that has said five things, and had its whole record proven since."""
    directory = tmp_path_factory.mktemp("kept")
    first, second = make_nodes(directory, ("blue", "red")).values()
    with Process(first) as node:
        node.ready()
        with first.api() as api:
            for _ in range(5):
                api.send(first.line_with(second), "ACCOUNT", SAID)
        assert node.stop() == 0
    with Process(first, audited_as()) as node:
        node.ready()
        audited(first)
        assert node.stop() == 0
    return first


@pytest.fixture
def blue(blue_at_rest: Member, tmp_path: Path) -> Member:
    """A copy of it."""
    shutil.copytree(blue_at_rest.path, tmp_path / "blue")
    return Member(NodeFolder.open(tmp_path / "blue"), blue_at_rest.token)


def line_of(member: Member) -> str:
    (peer,) = member.folder.peers().list()
    return peer.line_id


def audited(member: Member) -> None:
    """Return when an audit of the running node is done."""
    with member.api() as api:
        wait_until(lambda: api.get("/node")["audit"]["phase"] == "DONE", AUDIT_S, "audit")
    assert not member.folder.audited_path.exists()


def audit_children(pid: int) -> list[int]:
    """The processes of the audit that a node has begun; none that is dead."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except FileNotFoundError:
            continue
        found += [int(child) for child in children if _is_audit(child)]
    return found


def _is_audit(pid: str) -> bool:
    try:
        return b"deconflict.node.keeping.process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
