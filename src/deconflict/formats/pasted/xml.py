"""XML from outside, read within bounds into plain elements: no DTD, no entities, nothing fetched.

Expat (of the standard library) does the reading. A document type declaration ends it at once, so
no entity is ever declared and none can expand; what is left to bound is size, depth and count.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from deconflict.errors import InvalidDocumentError

__all__ = ["MAX_DEPTH", "MAX_ELEMENTS", "Element", "parse_xml"]

MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 400_000
_MAX_ATTRIBUTES: Final = 64


@dataclass(slots=True)
class Element:
    """One element: its name without namespace, its text without that of its children."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text that stands directly in it, without the space around."""
        return "".join(self.pieces).strip()

    def first(self, name: str) -> "Element | None":
        """Return the first child of this name."""
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> Iterator["Element"]:
        """Yield the children of this name."""
        return (child for child in self.children if child.name == name)

    def text_of(self, name: str) -> str:
        """Return the text of the first child of this name; empty where there is none."""
        child = self.first(name)
        return "" if child is None else child.text


def parse_xml(data: bytes) -> Element:
    """Return the root element of a document in UTF-8.

    Raises:
        InvalidDocumentError: a DTD, no well-formed XML, no UTF-8, nested deeper than 64, more than
            400,000 elements.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDocumentError(
            "the document is no UTF-8", given=f"byte {error.start} of {len(data)}",
            expected="XML in UTF-8", remedy="save it as UTF-8",
        ) from error  # fmt: skip
    reading = _Reading()
    try:
        reading.parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise InvalidDocumentError(
            f"the document is no XML: {expat.ErrorString(error.code)}",
            given=f"line {error.lineno}, column {error.offset + 1}",
            expected="one well-formed XML document",
        ) from error
    return reading.root()


class _Reading:
    """One run of expat, with everything refused that reaches beyond the document."""

    def __init__(self) -> None:
        # The encoding is fixed: what the document says of its own is not asked for a codec.
        parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse_dtd
        parser.EntityDeclHandler = self._refuse_dtd
        parser.ExternalEntityRefHandler = lambda *_: 0
        self.parser = parser
        self._open: list[Element] = []
        self._root: Element | None = None
        self._count = 0

    def root(self) -> Element:
        if self._root is None:
            raise InvalidDocumentError("the document holds no element", expected="XML")
        return self._root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH:
            raise InvalidDocumentError(
                "the document is nested too deep", expected=f"at most {MAX_DEPTH} elements deep"
            )
        if self._count > MAX_ELEMENTS or len(attributes) > _MAX_ATTRIBUTES:
            raise InvalidDocumentError(
                "the document holds too much", expected=f"at most {MAX_ELEMENTS} elements and "
                f"{_MAX_ATTRIBUTES} attributes in one", remedy="split it",
            )  # fmt: skip
        element = Element(name.rpartition(" ")[2], attributes, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].pieces.append(text)

    def _refuse_dtd(self, *_: object) -> None:
        raise InvalidDocumentError(
            "the document brings a document type of its own, or entities",
            given="<!DOCTYPE or <!ENTITY",
            expected="XML without them: they can make a small file expand without end, or reach "
            "for other files",
            remedy="remove them",
        )
