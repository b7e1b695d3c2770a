"""Where flights and volumes stand in their files, so that a refusal can say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deconflict.separation.labels import Labels

__all__ = ["Rows"]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """File, number and word (row, line, feature) of each flight or volume."""

    file: Labels
    number: NDArray[np.int64]
    word: Labels

    @classmethod
    def of(cls, file: str, number: NDArray[np.int64], word: str) -> "Rows":
        """Return rows of one file."""
        return cls(Labels.same(file, len(number)), number, Labels.same(word, len(number)))

    def where(self, row: int) -> str:
        """Return how a refusal names it: ``day.parquet: row 18``."""
        return f"{self.file.name(row)}: {self.word.name(row)} {self.number[row]}"

    def taken(self, rows: NDArray[np.integer[Any]]) -> "Rows":
        """Return these rows."""
        return Rows(self.file.taken(rows), self.number[rows], self.word.taken(rows))

    @classmethod
    def joined(cls, parts: Sequence["Rows"]) -> "Rows":
        """Return the parts one after another."""
        return cls(
            Labels.joined([part.file for part in parts]),
            np.concatenate([part.number for part in parts]),
            Labels.joined([part.word for part in parts]),
        )
