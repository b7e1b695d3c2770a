"""Many rows in one statement.

SQLite gives up the interpreter's lock at each step of a statement, and to have it back the writer
waits until the event loop lets go: up to the switch interval, on a busy node each time. A commit of
a statement a row lasted tens of milliseconds there, and whatever it makes durable waited for that.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import apsw

__all__ = ["MOST_ROWS", "Statement", "write_rows"]

MOST_ROWS: Final = 64  # in one statement
_EACH_LENGTH: Final = 16  # up to here there is a statement for each number of rows


class Statement(str):
    """The text of a statement that takes many rows, where ``{rows}`` stands."""

    __slots__ = ()


def write_rows(
    connection: apsw.Connection,
    statement: Statement,
    rows: Sequence[tuple[Any, ...]],
) -> int:
    """Run the statement over rows of equal width, in their order; return how many it changed.

    In parts of 64, 32 or 16 rows, and what is left in one: few statements, of some lengths that
    are prepared once.

    Raises:
        apsw.Error: SQLite refused or failed.
    """
    changed = at = 0
    while left := len(rows) - at:
        count = left if left <= _EACH_LENGTH else min(1 << left.bit_length() - 1, MOST_ROWS)
        part = rows[at : at + count]
        connection.execute(
            _text(statement, count, len(part[0])), [value for row in part for value in row]
        )
        changed += connection.changes()
        at += count
    return changed


@cache
def _text(statement: Statement, rows: int, columns: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return statement.replace("{rows}", ", ".join([row] * rows))
