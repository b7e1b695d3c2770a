"""Changing a closed record behind its back, as a bad disk or a hand with an SQLite shell does."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw


@contextmanager
def tampered(path: Path) -> Iterator[apsw.Connection]:
    """Lend a connection on which no trigger, check or foreign key stops an edit."""
    connection = apsw.Connection(str(path))
    connection.pragma("foreign_keys", "OFF")
    connection.pragma("ignore_check_constraints", "ON")
    connection.pragma("synchronous", "OFF")
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
    ).fetchall()
    connection.execute("BEGIN")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    try:
        yield connection
        for _, sql in triggers:
            connection.execute(sql)
        connection.execute("COMMIT")
    finally:
        connection.close()


def flipped(value: bytes | str | int, rng: random.Random) -> bytes | str | int:
    """The same value with one bit changed, still of its type (a text stays ASCII)."""
    if isinstance(value, bytes):
        changed = bytearray(value)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    if isinstance(value, str):
        place = rng.randrange(len(value))
        return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
    return value ^ 1 << rng.randrange(40)
