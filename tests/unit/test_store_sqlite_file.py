"""The file of a record: who may open it, what is refused as one, and how it grows with versions."""

import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from deconflict.errors import (
    ConfigurationError,
    StoreDamagedError,
    StoreError,
    StoreInUseError,
    StoreVersionError,
)
from deconflict.store.base import Batch
from deconflict.store.sqlite import SqliteStore
from deconflict.store.sqlite_file import migrate, migrations, require_safe_sqlite
from record_samples import LINE, LINE_ROW, conversation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.sqlite"


def test_a_missing_record_is_never_started_anew(path: Path) -> None:
    with pytest.raises(StoreError, match="missing"):
        SqliteStore.open(path)
    assert not path.exists()


def test_a_record_is_never_overwritten(path: Path) -> None:
    SqliteStore.open(path, create=True).close()
    with pytest.raises(StoreError, match="exists here already"):
        SqliteStore.open(path, create=True)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder is missing"):
        SqliteStore.open(tmp_path / "nowhere" / "record.sqlite", create=True)


def test_every_file_of_the_record_is_its_owners_alone(path: Path) -> None:
    with SqliteStore.open(path, create=True) as store:
        store.commit(Batch(lines=[LINE_ROW]))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"record.sqlite": 0o600, "record.sqlite-wal": 0o600}


def test_a_mode_that_lets_others_read_is_taken_back(path: Path) -> None:
    SqliteStore.open(path, create=True).close()
    path.chmod(0o644)
    SqliteStore.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_opening_in_the_same_process_is_refused(path: Path) -> None:
    with (
        SqliteStore.open(path, create=True),
        pytest.raises(StoreInUseError, match="another process holds"),
    ):
        SqliteStore.open(path)


@pytest.mark.processes
def test_a_second_process_is_told_at_once_that_it_is_held(path: Path) -> None:
    program = (
        "import sys, time; from deconflict.errors import StoreInUseError\n"
        "from deconflict.store.sqlite import SqliteStore\n"
        "begun = time.monotonic()\n"
        "try: SqliteStore.open(sys.argv[1])\n"
        "except StoreInUseError as error: print(time.monotonic() - begun < 1, error)\n"
    )
    with SqliteStore.open(path, create=True):
        answer = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
        )
    assert answer.stdout.startswith("True another process holds the record")


def test_any_other_sqlite_is_kept_out_even_from_reading(path: Path) -> None:
    with SqliteStore.open(path, create=True):
        visitor = apsw.Connection(str(path))
        with pytest.raises(apsw.BusyError):
            visitor.execute("SELECT * FROM lines")
        visitor.close()


def test_a_newer_schema_is_refused(path: Path) -> None:
    SqliteStore.open(path, create=True).close()
    edit = apsw.Connection(str(path))
    edit.pragma("user_version", 99)
    edit.close()
    with pytest.raises(StoreVersionError, match="schema 99"):
        SqliteStore.open(path)


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be one" * 99])
def test_a_file_that_is_no_record_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreDamagedError):
        SqliteStore.open(path)


def test_a_foreign_database_is_refused_untouched(path: Path) -> None:
    foreign = apsw.Connection(str(path))
    foreign.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
    foreign.close()
    with pytest.raises(StoreDamagedError, match="no deconflict record"):
        SqliteStore.open(path)


def test_a_migration_that_fails_leaves_the_step_before_it() -> None:
    connection = apsw.Connection(":memory:")
    scripts = [
        "CREATE TABLE a (x) STRICT_NOT",
        "CREATE TABLE a (x)",
        "CREATE TABLE b (x); SELECT nonsense",
    ]
    with pytest.raises(apsw.SQLError):
        migrate(connection, "x", scripts[1:], new=True)
    tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    assert (tables, connection.pragma("user_version")) == ([("a",)], 1)
    migrate(connection, "x", [scripts[1], "CREATE TABLE b (x)"], new=False)
    assert connection.pragma("user_version") == 2


def test_migrations_are_shipped_and_numbered() -> None:
    folder = Path(sys.modules[migrate.__module__].__file__ or "").parent / "migrations"
    names = sorted(file.name for file in folder.glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(migrations()) + 1))


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2"])
def test_a_sqlite_with_the_wal_reset_bug_is_refused(version: str) -> None:
    with pytest.raises(ConfigurationError, match=f"SQLite {version}"):
        require_safe_sqlite(version)


def test_sqlite_runs_with_the_settings_that_keep_commits(path: Path) -> None:
    with SqliteStore.open(path, create=True) as store:
        read = store._connection.pragma
        assert (read("journal_mode"), read("synchronous"), read("foreign_keys")) == ("wal", 2, 1)
        assert read("locking_mode") == "exclusive"


def test_a_record_of_the_first_schema_is_opened_and_goes_on(path: Path) -> None:
    old = apsw.Connection(str(path))
    migrate(old, "old", migrations()[:1], new=True)
    old.close()
    with SqliteStore.open(path) as store:
        said = conversation()
        store.commit(said)
        assert list(store.checkpoints(LINE, "blue")) == said.checkpoints[:2]
        store.check_storage()
