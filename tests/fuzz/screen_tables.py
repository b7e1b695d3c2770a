"""Tables as `deconflict screen` reads them, and what people type beside them, from bytes.

What is read is screened too: it must be answered, or refused by an error of ours.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.screen_samples import (
    write_arrow,
    write_csv,
    write_npz,
    write_parquet,
    write_waypoint_parquet,
)

from deconflict.airspace.altitude import AltitudeReference
from deconflict.errors import InvalidDocumentError
from deconflict.formats.screen_files import read_screen_files
from deconflict.separation.said_minima import said_minima
from deconflict.separation.screening import screen

__all__ = ["minima_corpus", "table", "table_corpus", "typed_minima"]

MINIMA = ("5NM,1000ft", "FLIGHT:ACTIVITY=1NM,500ft")
MOST_WAYPOINTS = 2_000  # more than a few bytes come to: a fuzzer's time is for reading
WRITERS = {
    ".csv": (write_csv,),
    ".npz": (write_npz,),
    ".parquet": (write_parquet, write_waypoint_parquet),
    ".arrow": (write_arrow,),
}


def table(ending: str) -> Callable[[bytes], None]:
    """Return what reads bytes as a table of this ending, and screens what they say."""

    def run(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"day{ending}"
            path.write_bytes(data)
            held = read_screen_files([path], reference=AltitudeReference.FL)
            if len(held.flights.lat_deg) <= MOST_WAYPOINTS:
                screen(held.flights, held.volumes, minima=MINIMA)

    return run


def table_corpus(ending: str) -> Callable[[], Iterator[bytes]]:
    """Return what yields tables of this ending: flights, volumes, rows and lists."""

    def corpus() -> Iterator[bytes]:
        for write in WRITERS[ending]:
            with tempfile.TemporaryDirectory() as folder:
                for path in write(Path(folder)):
                    yield path.read_bytes()

    return corpus


def typed_minima(data: bytes) -> None:
    """Read minima as they are typed; what is no text no terminal passes on."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidDocumentError("no UTF-8") from error
    said_minima(text.split("\n"))


def minima_corpus() -> Iterator[bytes]:
    """Yield minima for all, for purposes and for parties."""
    yield b"5NM,1000ft"
    yield b"9.26 km,300m"
    yield "\n".join(("50m,50ft", "FLIGHT:ACTIVITY=3NM,500ft", "red:blue=3NM,500ft")).encode()
