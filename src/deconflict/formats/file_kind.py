"""What a file is by its first bytes, so that a refusal says it, not what a parser stumbled on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deconflict.errors import InvalidDocumentError

__all__ = ["check_kind"]

_LONGEST: Final = 8
_PARQUET: Final = b"PAR1"
_ARROW: Final = b"ARROW1"
# A stream of Arrow begins with the length of its schema, after a mark that releases before 0.15 did
# not write; it ends with the mark and a length of none.
_STREAM: Final = b"\xff\xff\xff\xff"
_STREAM_END: Final = _STREAM + b"\0\0\0\0"


@dataclass(frozen=True, slots=True)
class _Kind:
    """``remedy`` is what to do, or the one word of a command that unpacks it."""

    name: str
    begins: bytes
    remedy: str

    def to_do(self, path: Path) -> str:
        if " " in self.remedy:
            return self.remedy
        plain = path.stem if path.suffix.lower() in _PACKED else f"plain-{path.name}"
        return _UNPACK.format(command=self.remedy, name=path.name, plain=plain)


_UNPACK: Final = "unpack it first: {command} < {name} > {plain}"
_KINDS: Final = (
    _Kind("compressed by gzip", b"\x1f\x8b", "gunzip"),
    _Kind("compressed by Zstandard", b"\x28\xb5\x2f\xfd", "unzstd"),
    _Kind("compressed by bzip2", b"BZh", "bunzip2"),
    _Kind("compressed by xz", b"\xfd7zXZ\0", "unxz"),
    _Kind("a zip file", b"PK\x03\x04", "unpack it; NumPy arrays end with .npz, and a spreadsheet "
          "is saved as CSV first"),
    _Kind("a Parquet file", _PARQUET, "let its name end with .parquet"),
    _Kind("an Arrow file", _ARROW, "let its name end with .arrow"),
    _Kind("a stream of Arrow", _STREAM, "let its name end with .arrow"),
    _Kind("a NumPy array alone", b"\x93NUMPY", "write all columns in one file: numpy.savez"),
    _Kind("text in UTF-16", b"\xff\xfe", "save it as UTF-8"),
    _Kind("text in UTF-16", b"\xfe\xff", "save it as UTF-8"),
    _Kind("an HDF5 file", b"\x89HDF", "write it in one of the formats that are read"),
    _Kind("a database of SQLite", b"SQLite f", "write its table as CSV or Parquet"),
)  # fmt: skip
_PACKED: Final = {".gz": 0, ".gzip": 0, ".zst": 1, ".bz2": 2, ".xz": 3, ".zip": 4}
_OWN: Final = {
    ".parquet": ("a Parquet file",),
    ".pq": ("a Parquet file",),
    ".arrow": ("an Arrow file", "a stream of Arrow"),
    ".feather": ("an Arrow file", "a stream of Arrow"),
    ".ipc": ("an Arrow file", "a stream of Arrow"),
    ".npz": ("a zip file",),
}


def check_kind(path: Path, expected: str) -> None:
    """Pass when a file may be what the ending of its name says, and does not break off.

    Args:
        path: of the file.
        expected: what its ending says, in words.

    Raises:
        InvalidDocumentError: it is empty, of another kind, compressed, or breaks off.
    """
    ending = path.suffix.lower()
    if not path.is_file():  # of a pipe, what is looked at is gone
        return
    with path.open("rb") as file:
        head = file.read(_LONGEST)
        size = file.seek(0, 2)
        file.seek(max(size - _LONGEST, 0))
        tail = file.read()
    if ending in _PACKED:
        kind = _KINDS[_PACKED[ending]]
        raise InvalidDocumentError(
            f"{path.name}: compressed files are not read",
            given=f"ending {ending}",
            expected="the file as it is; Parquet compresses what is in it",
            remedy=kind.to_do(path),
        )
    if not size:
        raise InvalidDocumentError(
            f"{path.name}: the file is empty",
            expected=expected,
            remedy="write it again, and look whether this is the file you mean",
        )
    found = next((kind for kind in _KINDS if head.startswith(kind.begins)), None)
    own = _OWN.get(ending, ())
    if found is not None and found.name not in own:
        raise InvalidDocumentError(
            f"{path.name}: this is {found.name}, whatever its ending says",
            given="first bytes " + head[: len(found.begins)].hex(" "),
            expected=expected,
            remedy=found.to_do(path),
        )
    if found is None and len(own) == 1:  # of others some spellings begin with no mark
        raise InvalidDocumentError(
            f"{path.name}: this is no {expected.removeprefix('a ')}",
            given=f"first bytes {head.hex(' ')}",
            expected=expected,
            remedy="look whether it is the file you mean, and whether its ending is right",
        )
    ends = {"a Parquet file": _PARQUET, "an Arrow file": _ARROW, "a stream of Arrow": _STREAM_END}
    if found is not None and not tail.endswith(ends.get(found.name, b"")):
        raise InvalidDocumentError(
            f"{path.name}: the file breaks off: it begins as {found.name} and does not end as one",
            given=f"{size:,} bytes",
            expected=expected,
            remedy="write or copy it again, to its end: nothing of it was read",
        )
