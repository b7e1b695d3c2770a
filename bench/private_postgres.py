"""A PostgreSQL of one's own for a while: a temporary folder, a Unix socket, nothing on the network.

PostgreSQL refuses to run as root, so under root it runs as the user that Debian's package makes.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Postgres", "private_postgres", "why_no_postgis"]

PACKAGED: Final = Path("/usr/lib/postgresql")
SHARED: Final = Path("/usr/share/postgresql")
OWNER: Final = "postgres"
SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "jit": "off",
}


def _version() -> str | None:
    """Return the newest installed version that has PostGIS."""
    having = [
        folder.name
        for folder in PACKAGED.glob("*")
        if (folder / "bin" / "initdb").exists()
        and (SHARED / folder.name / "extension" / "postgis.control").exists()
    ]
    return max(having, key=int, default=None)


def why_no_postgis() -> str | None:
    """Return why PostGIS cannot run here, or None."""
    if _version() is None:
        return "PostGIS is not installed: apt-get install postgresql-15-postgis-3, or make peers"
    if os.geteuid() == 0 and not _known(OWNER):
        return f"PostgreSQL does not run as root, and there is no user {OWNER}"
    return None


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server; ``run`` is all there is to it."""

    folder: Path
    programs: Path

    def run(self, sql: str) -> list[list[str]]:
        """Return the rows that the statements print, as text.

        ``COPY ... FROM STDIN`` takes its rows from the lines after it, up to ``\\.``.

        Raises:
            RuntimeError: a statement failed; nothing after it was run.
        """
        done = _as_owner(
            [
                str(self.programs / "psql"),
                *("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\t"),
                *("--set=ON_ERROR_STOP=1", f"--host={self.folder}", "--dbname=postgres"),
            ],
            said=sql,
        )
        return [line.split("\t") for line in done.splitlines() if line]


@contextmanager
def private_postgres() -> Iterator[Postgres]:
    """Start a server with PostGIS in it; at the end it and its files are gone.

    Raises:
        RuntimeError: it cannot run here; see `why_no_postgis`.
    """
    reason, version = why_no_postgis(), _version()
    if reason is not None or version is None:
        raise RuntimeError(reason)
    programs = PACKAGED / version / "bin"
    folder = Path(tempfile.mkdtemp(prefix="deconflict-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        data = folder / "data"
        _as_owner(
            [
                str(programs / "initdb"),
                *("--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--pgdata"),
                str(data),
            ]
        )
        settings = "".join(f" -c {name}='{value}'" for name, value in SETTINGS.items())
        control = [str(programs / "pg_ctl"), "--pgdata", str(data), "--silent", "--wait"]
        log = ["--log", str(folder / "log"), "--options", f"-k '{folder}'{settings}"]
        _as_owner([*control, *log, "start"])
        try:
            server = Postgres(folder, programs)
            server.run("SET client_min_messages = error; CREATE EXTENSION postgis;")
            yield server
        finally:
            _as_owner([*control, "--mode=immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_owner(command: list[str], said: str = "") -> str:
    """Run a program as whoever may run PostgreSQL; return what it prints."""
    if os.geteuid() == 0:
        command = ["runuser", "-u", OWNER, "--", *command]
    done = subprocess.run(
        command,
        input=said,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )
    if done.returncode:
        raise RuntimeError(f"{command[-1]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
