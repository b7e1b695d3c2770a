"""KMZ: a zip file with one KML in it, unpacked within bounds; nothing else of it is opened."""

import zipfile
import zlib
from io import BytesIO
from typing import Final

from deconflict.errors import InvalidDocumentError
from deconflict.formats.pasted.losses import LossReport, quoted

__all__ = ["MAX_ENTRIES", "MAX_UNPACKED_BYTES", "kml_of"]

MAX_ENTRIES: Final = 1_000
MAX_UNPACKED_BYTES: Final = 32 * 1024 * 1024
_ENTRY_MARK: Final = b"PK\x01\x02"  # of each entry of the directory (APPNOTE 4.3.12)
_READ: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def kml_of(data: bytes, losses: LossReport) -> bytes:
    """Return the bytes of the KML: ``doc.kml``, or the first one at the top.

    Raises:
        InvalidDocumentError: no zip file, over 1,000 entries, no KML in it, encrypted, damaged, or
            over 32 MiB unpacked, whatever its directory claims.
    """
    if data.count(_ENTRY_MARK) > MAX_ENTRIES:
        raise InvalidDocumentError(
            "the KMZ holds too many files", expected=f"at most {MAX_ENTRIES}"
        )
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            found = [one for one in entries if one.filename.lower().endswith(".kml")]
            found.sort(key=lambda one: (one.filename.lower() != "doc.kml", "/" in one.filename))
            if not found:
                raise InvalidDocumentError(
                    "there is no KML in this zip file",
                    given=", ".join(quoted(one.filename) for one in entries[:5]),
                    expected="a KMZ: doc.kml and what belongs to it",
                )
            chosen = found[0]
            for other in entries:
                if other is not chosen:
                    losses.set_aside("other files in the KMZ", quoted(other.filename))
            return _unpacked(archive, chosen)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise InvalidDocumentError(
            "the KMZ is damaged", given=f"{error!s:.80}", expected="a zip file as KMZ has it"
        ) from error


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 0x1 or entry.compress_type not in _READ:
        raise InvalidDocumentError(
            "the KML in this KMZ is encrypted or packed in an uncommon way",
            given=quoted(entry.filename), expected="stored or deflated",
        )  # fmt: skip
    with archive.open(entry) as file:
        data = file.read(MAX_UNPACKED_BYTES + 1)
    if len(data) > MAX_UNPACKED_BYTES:
        raise InvalidDocumentError(
            "the KML in this KMZ is too large",
            given=f"{entry.compress_size:,} bytes packed",
            expected=f"at most {MAX_UNPACKED_BYTES:,} bytes unpacked",
            remedy="split it",
        )
    return data
