"""A real node starts from what its audit kept, and ends when the audit finds the record damaged."""

import json

import apsw
import pytest
from tests.processes.auditing import audited_as
from tests.processes.kept_nodes import AUDIT_S, audited, blue, blue_at_rest
from tests.processes.nodes import Member, Process

from deconflict.node.keeping.kept_record import KEPT_NOTE
from deconflict.store.base import Batch, NoteRow
from deconflict.store.sqlite import SqliteStore

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
__all__ = ["blue", "blue_at_rest"]  # fixtures


def test_a_start_goes_on_from_what_was_kept_and_has_all_of_it_proven_meanwhile(
    blue: Member,
) -> None:
    with Process(blue, audited_as()) as node:
        said = node.ready()
        assert (said["entries_kept"], said["entries_verified"]) == (5, 5)
        with blue.api() as api:
            assert api.get("/node")["audit"]["behind"] or api.get("/node")["audit"]["done_utc"]
        audited(blue)
        with blue.api() as api:
            assert not api.get("/node")["audit"]["behind"]
        assert node.stop() == 0


def test_a_damaged_file_costs_time_and_nothing_else(blue: Member) -> None:
    kept = blue.folder.kept_path
    kept.write_bytes(kept.read_bytes()[:-1])
    with Process(blue) as node:
        said = node.ready()
        assert (said["entries_kept"], said["entries_verified"]) == (0, 5)
        assert node.stop() == 0
        assert "not the file that the record names" in node.words()


def test_damage_that_a_start_did_not_meet_ends_the_node_and_the_next_start(blue: Member) -> None:
    connection = apsw.Connection(str(blue.folder.record_path))
    ((name, sql),) = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%signed once%'"
    ).fetchall()
    connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE entries SET signature = ? WHERE seq = 2", (bytes(64),))
    connection.execute(sql)
    connection.close()
    with Process(blue) as node:
        assert node.ready()["entries_kept"] == 5
        assert node.ended(AUDIT_S) != 0
        assert "does not verify" in node.words()
    assert not blue.folder.kept_path.exists()
    with Process(blue) as node:
        assert node.ended(AUDIT_S) != 0
        assert "does not verify" in node.words()
        assert json.dumps("entries_verified") not in node.said.decode()


def test_a_record_that_names_no_file_has_a_long_start(blue: Member) -> None:
    with SqliteStore.open(blue.folder.record_path) as store:
        assert store.note(KEPT_NOTE) is not None
        store.commit(Batch(notes=[NoteRow(KEPT_NOTE, None)]))
    with Process(blue) as node:
        assert node.ready()["entries_kept"] == 0
        assert node.stop() == 0
