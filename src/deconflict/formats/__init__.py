"""Declarations in the spellings of other systems. Parsing refuses instead of guessing."""

from deconflict.airspace.purposes import PURPOSES
from deconflict.formats.declaration_input import DeclarationInput
from deconflict.formats.display import DisplayItem, write_geojson
from deconflict.formats.geojson import read_declarations
from deconflict.formats.geojson_writer import write_declarations

__all__ = [
    "PURPOSES",
    "DeclarationInput",
    "DisplayItem",
    "read_declarations",
    "write_declarations",
    "write_geojson",
]
