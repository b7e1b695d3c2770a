"""A process of its own that sets one sheet into a PDF: reads its JSON, writes the PDF, and ends.

The node neither loads the typesetter nor waits for it without end: what goes wrong in eighty
megabytes of it ends here. Nothing of a sheet is read as its language; the template shows strings.
"""

import re
import resource
import sys
from datetime import datetime
from importlib.resources import as_file, files
from typing import Final

import msgspec

__all__ = ["MOST_PDF_BYTES", "NOT_SET", "main"]

NOT_SET: Final = 3  # how the process ends where no font here has a sign of the text
_MOST_MEMORY: Final = 2 * 1024**3
_MOST_CPU_S: Final = 20
MOST_PDF_BYTES: Final = 16_000_000
_UNKNOWN_SIGN: Final = re.compile(r"the text `(.*)` could not be displayed", re.DOTALL)


def main() -> int:
    """Set the sheet that stands in the standard input; return how the process ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    import typst

    given = sys.stdin.buffer.read()
    made_utc = msgspec.json.decode(given)["made_utc"]
    with as_file(files("deconflict.paper").joinpath("data")) as data:
        try:
            pdf = typst.compile(
                data / "sheet.typ",
                root=data,
                font_paths=[data / "fonts"],
                ignore_system_fonts=True,  # the same sheet looks the same at every node
                format="pdf",
                sys_inputs={"sheet": given.decode()},
                pdf_standards=["a-2b"],
                timestamp=int(datetime.fromisoformat(made_utc).timestamp()),
            )
        except typst.TypstError as error:
            unknown = _UNKNOWN_SIGN.search(str(error))
            if unknown is None:
                raise
            sys.stderr.write(unknown[1])
            return NOT_SET
    if len(pdf) > MOST_PDF_BYTES:
        raise ValueError(f"a PDF of {len(pdf):,} bytes")
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
