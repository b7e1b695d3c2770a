"""What people paste, in whatever notation or format, on its way to declarations."""

from deconflict.formats.pasted.draft import Loss, LossKind, Missing, ReadDraft
from deconflict.formats.pasted.given import SHAPES, Given
from deconflict.formats.pasted.reader import (
    MAX_PASTED_BYTES,
    PastedFormat,
    Reading,
    read_pasted,
)

__all__ = [
    "MAX_PASTED_BYTES",
    "SHAPES",
    "Given",
    "Loss",
    "LossKind",
    "Missing",
    "PastedFormat",
    "ReadDraft",
    "Reading",
    "read_pasted",
]
