"""Columns of text that repeats: a few names, and a number a row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_NAME", "NAME_WORDS", "NO_LABEL", "Labels", "all_names", "is_name", "numbered"]

NO_LABEL: Final = -1
MAX_NAME: Final = 256  # characters of what names a flight, a volume or a party
NAME_WORDS: Final = f"1 to {MAX_NAME} printable characters"


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """One name, or none, for each row.

    Attributes:
        codes: place of each row's name in ``names``, ``NO_LABEL`` where there is none; int32.
        names: each once.
    """

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    @classmethod
    def none(cls, rows: int) -> "Labels":
        """Return the column that names nothing."""
        return cls(np.full(rows, NO_LABEL, dtype=np.int32), ())

    @classmethod
    def same(cls, name: str, rows: int) -> "Labels":
        """Return the column that says one name throughout."""
        return cls(np.zeros(rows, dtype=np.int32), (name,))

    @classmethod
    def of(cls, values: Sequence[Any] | NDArray[Any]) -> "Labels":
        """Return a column of text as labels; None and empty text name nothing.

        >>> Labels.of(["red", None, "blue", "red"]).codes.tolist()
        [0, -1, 1, 0]
        """
        array = np.asarray(values)
        if array.dtype.kind in "US":
            names, codes = np.unique(array.astype(np.str_), return_inverse=True)
            return cls(codes.astype(np.int32), tuple(names.tolist())).clean()
        return cls.of_text(["" if value is None else str(value) for value in array.tolist()])

    @classmethod
    def of_text(cls, values: Sequence[str]) -> "Labels":
        """Return Python text as labels; empty text names nothing."""
        numbers = numbered(name for name in dict.fromkeys(values) if name)
        codes = {"": NO_LABEL, **numbers}
        return cls(
            np.fromiter(map(codes.__getitem__, values), dtype=np.int32, count=len(values)),
            tuple(numbers),
        )

    def __len__(self) -> int:
        return len(self.codes)

    def name(self, row: int) -> str | None:
        """Return the name of one row, or None."""
        code = int(self.codes[row])
        return None if code == NO_LABEL else self.names[code]

    def taken(self, rows: NDArray[np.integer[Any]] | slice) -> "Labels":
        """Return the column of these rows."""
        return Labels(self.codes[rows], self.names)

    def used(self) -> list[str]:
        """Return the names that some row says, in the order of ``names``."""
        if not self.names:
            return []
        counts = np.bincount(self.codes + 1, minlength=len(self.names) + 1)
        return [name for name, count in zip(self.names, counts[1:].tolist(), strict=True) if count]

    def compact(self) -> "Labels":
        """Return the same without names that no row says."""
        numbers = numbered(self.used())
        return Labels(self.by(numbers, without=NO_LABEL).astype(np.int32), tuple(numbers))

    def by(self, numbers: Mapping[str, int], *, without: int) -> NDArray[np.int64]:
        """Return each row's number by its name, ``without`` for rows that name nothing."""
        table = [numbers.get(name, without) for name in self.names]
        return np.array([*table, without], dtype=np.int64)[self.codes]

    def objects(self) -> NDArray[np.object_]:
        """Return the names as an array of Python text and None."""
        return np.array([*self.names, None], dtype=np.object_)[self.codes]

    @classmethod
    def joined(cls, parts: Sequence["Labels"]) -> "Labels":
        """Return the parts one after another."""
        numbers = numbered(name for part in parts for name in part.names)
        codes = [part.by(numbers, without=NO_LABEL).astype(np.int32) for part in parts]
        return cls(np.concatenate(codes) if codes else np.zeros(0, np.int32), tuple(numbers))

    def clean(self) -> "Labels":
        """Return the same with empty text naming nothing, and each name once."""
        if len(set(self.names)) == len(self.names) and "" not in self.names:
            return self
        numbers = numbered(name for name in self.names if name)
        return Labels(self.by(numbers, without=NO_LABEL).astype(np.int32), tuple(numbers))


def is_name(text: object) -> bool:
    r"""Say whether this can name something: 1 to 256 printable characters.

    Nothing invisible, so that two names that look alike are alike wherever they are shown.

    >>> is_name("=BAW 12"), is_name("BAW\x0012"), is_name("")
    (True, False, False)
    """
    return isinstance(text, str) and 0 < len(text) <= MAX_NAME and text.isprintable()


def all_names(texts: Sequence[Any]) -> bool:
    """Say whether each of these is a name; quickly, because hardly ever one is not."""
    try:
        joined = "".join(texts)
    except TypeError:
        return False
    lengths = set(map(len, texts))
    return joined.isprintable() and (not lengths or (min(lengths) > 0 and max(lengths) <= MAX_NAME))


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Return the names with a number each, in the order of their first appearance."""
    return {name: number for number, name in enumerate(dict.fromkeys(names))}
