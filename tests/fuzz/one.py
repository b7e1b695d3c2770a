"""Fuzz one parser with atheris: ``python -m tests.fuzz.one NAME [libFuzzer options]``.

Whatever is no error of ours ends the run, and libFuzzer keeps the bytes.
"""

import sys

import atheris

with atheris.instrument_imports(include=["deconflict"], enable_loader_override=False):
    from tests.fuzz.parsers import PARSERS, never_breaks


def main() -> None:
    parser = PARSERS[sys.argv.pop(1)]

    def one(data: bytes) -> None:
        never_breaks(parser, data)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
