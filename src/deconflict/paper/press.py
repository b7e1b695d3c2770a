"""Makes PDFs of sheets, one at a time, within bounds of size and time."""

import asyncio
import sys
from importlib.util import find_spec
from typing import Final

import msgspec

from deconflict.errors import (
    ConfigurationError,
    InvalidDocumentError,
    InvalidInputError,
    MissingExtraError,
)
from deconflict.paper.sheet import MOST_BYTES, Sheet
from deconflict.paper.typeset import NOT_SET

__all__ = ["Press", "can_press"]

LONGEST_S: Final = 40.0
_SHOWN: Final = 20
_PRINT_THE_PAGE: Final = "print the page from the browser instead: it says the same"


def can_press() -> bool:
    """Return True exactly when the typesetter is installed here."""
    return find_spec("typst") is not None


class Press:
    """What a node makes PDFs with; whoever comes second waits."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def pdf(self, sheet: Sheet) -> bytes:
        """Return a sheet as PDF/A-2b; the same sheet gives the same bytes.

        Raises:
            MissingExtraError: the typesetter is not installed.
            InvalidDocumentError: the sheet is too long.
            InvalidInputError: no font here has a sign that stands on it.
            ConfigurationError: it took too long, or the typesetter failed.
        """
        if not can_press():
            raise MissingExtraError(
                "a PDF needs typst, which is not installed at this node",
                expected="deconflict[pdf]",
                remedy=f"pip install 'deconflict[pdf]', or {_PRINT_THE_PAGE}",
            )
        given = msgspec.json.encode(sheet)
        if len(given) > MOST_BYTES:
            raise InvalidDocumentError(
                "this is too much for one sheet",
                given=f"{len(given):,} bytes",
                expected=f"{MOST_BYTES:,} at most",
                remedy=_PRINT_THE_PAGE,
            )
        async with self._one:
            return await _typeset(given)


async def _typeset(given: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deconflict.paper.typeset"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        pdf, said = await asyncio.wait_for(process.communicate(given), LONGEST_S)
    except TimeoutError:
        raise ConfigurationError(
            "the PDF was not ready in time",
            given=f"{LONGEST_S:.0f} s",
            remedy=f"try again, or {_PRINT_THE_PAGE}",
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    words = said.decode("utf-8", "replace").strip()
    if process.returncode == NOT_SET:
        raise InvalidInputError(
            "no font of this node's PDFs has these signs",
            given=words[:_SHOWN],
            expected="Latin, Cyrillic, Greek, Arabic or Hebrew letters",
            remedy=_PRINT_THE_PAGE,
        )
    if process.returncode != 0:
        raise ConfigurationError(
            "the PDF could not be made",
            given=words.splitlines()[-1][:200] if words else f"exit {process.returncode}",
            remedy=_PRINT_THE_PAGE,
        )
    return pdf
