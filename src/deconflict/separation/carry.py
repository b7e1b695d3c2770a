"""Tables that come in parts, cut so that no flight's waypoints lie in two of them."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deconflict.separation.batch import Batch, Column
from deconflict.separation.labels import Labels

__all__ = ["whole_batches"]


def whole_batches(batches: Iterable[Batch], key: str) -> Iterator[Batch]:
    """Yield the rows of all batches, of which those of one ``key`` stay in one batch.

    Only tables of a row a waypoint are cut anew: each batch is held back from its last key on,
    until the next one begins with another.
    """
    held: Batch | None = None
    coming = iter(batches)
    following = next(coming, None)
    while (batch := following) is not None:
        following = next(coming, None)
        if batch.offsets is not None or key not in batch.columns:
            yield batch
            continue
        whole = batch if held is None else _joined(held, batch)
        if following is None:
            yield whole
            return
        column = whole.columns[key]
        keys = column.codes if isinstance(column, Labels) else column
        changes = np.flatnonzero(np.asarray(keys[1:] != keys[:-1], dtype=np.bool_))
        if len(changes):
            cut = int(changes[-1]) + 1
            yield _part(whole, slice(0, cut))
            held = _part(whole, slice(cut, None))
        else:
            held = whole


def _part(batch: Batch, rows: slice) -> Batch:
    return Batch(
        columns={
            name: column.taken(rows).compact() if isinstance(column, Labels) else column[rows]
            for name, column in batch.columns.items()
        },
        missing={name: empty[rows] for name, empty in batch.missing.items()},
        name=batch.name,
        base=batch.base,
        row_word=batch.row_word,
        row_numbers=batch.numbers()[rows],
    )


def _joined(one: Batch, other: Batch) -> Batch:
    columns: dict[str, Column] = {}
    missing: dict[str, NDArray[np.bool_]] = {}
    for name in [*one.columns, *(name for name in other.columns if name not in one.columns)]:
        columns[name] = _column(one.columns[name], other.columns[name])
        if name in one.missing or name in other.missing:
            missing[name] = np.concatenate([_empty(one, name), _empty(other, name)])
    return Batch(
        columns=columns,
        missing=missing,
        name=one.name,
        base=one.base,
        row_word=one.row_word,
        row_numbers=np.concatenate([one.numbers(), other.numbers()]),
    )


def _column(one: Column, other: Column) -> Column:
    if isinstance(one, Labels) or isinstance(other, Labels):
        return Labels.joined(
            [part if isinstance(part, Labels) else Labels.of(part) for part in (one, other)]
        )
    joined: NDArray[Any] = np.concatenate([one, other])
    return joined


def _empty(batch: Batch, name: str) -> NDArray[np.bool_]:
    found = batch.missing.get(name)
    return np.zeros(batch.rows, dtype=np.bool_) if found is None else found
