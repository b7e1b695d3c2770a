"""Numbered phrases (R33): a number and values travel, each desk reads its own language.

``data/phrases.toml`` says which numbers there are and which values each takes;
``data/phrases.LANGUAGE.toml`` hold the texts, one file a language, and which way it runs. A new
language is one more such file, its ``words.LANGUAGE.toml``, and its name in ``words.LANGUAGES``.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError, InvalidInputError
from deconflict.messages.direction import has_right_to_left, isolated, without_isolates
from deconflict.messages.values import (
    WORD_LISTS,
    ValueType,
    Wording,
    check_value,
    heard_value,
    say_value,
    words_in,
    writer,
)
from deconflict.messages.words import LANGUAGES

__all__ = [
    "MESSAGE_PHRASES",
    "REASONS",
    "SAFETY_PHRASES",
    "Phrase",
    "Values",
    "check_reason",
    "check_values",
    "heard_values",
    "phrase",
    "phrase_named",
    "phrases",
    "render",
    "render_named",
    "say_aloud",
    "set_apart",
    "word_for",
    "wording",
]

SAFETY_PHRASES: Final = range(200, 250)
# What messages say: an alert, a reason, a card is the reader's own. A number never changes its
# meaning, so what came later stands behind the rest.
MESSAGE_PHRASES: Final = frozenset(
    (
        *(*range(101, 250), *range(580, 594), *range(800, 813), *range(840, 843)),
        *(*range(940, 948), *range(961, 964)),
    )
)
REASONS: Final = range(300, 350)

Values: TypeAlias = Mapping[str, Any]

# Words of the language itself: they run as the sentence around them does.
_OWN_WORDS: Final = frozenset((ValueType.PHRASE, *WORD_LISTS))
# What people wrote, in letters of any script; all else is written in forms of the language.
_TYPED: Final = frozenset((ValueType.NAME, ValueType.TEXT))
_OTHER_WAY: Final = frozenset(ValueType) - _OWN_WORDS  # in a language that is read from the right

_Write: TypeAlias = Callable[[Any], str]

_NUMBER: Final = re.compile(r"(?:(?<!\w)-)?[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One numbered phrase, the same in every language."""

    number: int
    name: str
    values: Mapping[str, ValueType]
    cites: bool = False  # it says nothing without the message that it cites


def phrases() -> tuple[Phrase, ...]:
    """Return all phrases, by number."""
    return tuple(_catalogue().values())


def phrase(number: int) -> Phrase:
    """Return the phrase of this number.

    Raises:
        InvalidDocumentError: there is none.
    """
    found = _catalogue().get(number)
    if found is None:
        raise InvalidDocumentError(
            "no phrase has this number",
            given=f"{number!r:.40}",
            expected="a number of docs/reference/phrases.md",
            remedy="both ends need the same edition of the phrases",
        )
    return found


def phrase_named(name: str) -> Phrase:
    """Return the phrase of this name; for code, which names what it says.

    >>> phrase_named("LINE_DOWN").number
    507
    """
    return _by_name()[name]


def check_reason(number: int) -> None:
    """Return when a phrase can be given as a reason.

    Raises:
        InvalidDocumentError: it is none, or takes values.
    """
    if number not in REASONS or phrase(number).values:
        raise InvalidDocumentError(
            "this phrase is no reason", given=str(number), expected="300 to 349"
        )


def check_values(number: int, values: object) -> Values:
    """Return ``values`` if they are exactly those that the phrase takes, each in its wire form.

    Raises:
        InvalidInputError: no such phrase, or a value is missing, unknown or malformed.
    """
    wanted = phrase(number).values
    if not isinstance(values, Mapping) or values.keys() != wanted.keys():
        given = sorted(map(str, values)) if isinstance(values, Mapping) else values
        raise InvalidDocumentError(
            f"phrase {number} takes other values",
            given=f"{given!r:.120}",
            expected=", ".join(f"{name} ({kind})" for name, kind in wanted.items()) or "none",
        )
    for name, kind in wanted.items():
        try:
            _check(kind, values[name], name)
        except InvalidInputError:
            with located(f"values.{name}"):
                raise
    return values


def render(number: int, values: Values, language: str, *, sound: bool = False) -> str:
    """Return the phrase with its values as a desk of this language reads it.

    With ``sound`` the values are not looked at again: for those that this program itself took from
    what it had checked. Somebody else's values MUST be looked at, since no phrase may hold them.

    A value that may run another way than the text around it stands in an isolate
    (`deconflict.messages.direction`): in a right-to-left language each that is not a word of that
    language, in any other each that holds letters of a right-to-left script. A text among the
    values may hold such isolates already, closed.

    Raises:
        InvalidInputError: unknown language or phrase, or values that do not fit.

    >>> render(214, {"at": "2015-09-30T06:12:00.000Z"}, "en")
    'What the message cited here states has not been so since 2015-09-30 06:12:00Z.'
    """
    text, writers = _wording_of(number, language)
    if not sound:
        _check_given(number, values)
    return text.format_map({name: write(values[name]) for name, write in writers})


@cache
def _wording_of(number: int, language: str) -> tuple[str, tuple[tuple[str, _Write], ...]]:
    """Return the text of a phrase in a language, and of each of its values what writes it.

    Found once: to find for each of some twenty values of an alert what its type asks for takes as
    long as writing them.
    """
    words = wording(language)
    texts: Mapping[str, str] = words["texts"]
    unlike = _OTHER_WAY if words["direction"] == "rtl" else _TYPED

    def write_of(kind: ValueType) -> _Write:
        if kind is ValueType.PHRASE:
            return lambda value: texts[str(value)]
        write = writer(kind, words)
        if kind not in unlike:
            return write
        return lambda value: set_apart(write(value), language)

    writers = tuple((name, write_of(kind)) for name, kind in phrase(number).values.items())
    return texts[str(number)], writers


def set_apart(written: str, language: str) -> str:
    r"""Return a value as it stands inside text of this language, in an isolate where one is needed.

    >>> set_apart("red", "en"), set_apart("الرقة", "en"), set_apart("red", "ar")
    ('red', '\u2068الرقة\u2069', '\u2068red\u2069')
    """
    if has_right_to_left(written) or wording(language)["direction"] == "rtl":
        return isolated(written)
    return written


def render_named(name: str, values: Values, language: str) -> str:
    """Return the same of the phrase of this name.

    >>> render_named("DRILL", {}, "en")
    'DRILL DRILL DRILL.'
    """
    return render(phrase_named(name).number, values, language)


def say_aloud(number: int, values: Values, language: str) -> str:
    """Return the script for saying the phrase over a telephone (R35): digits spelled, said twice.

    >>> say_aloud(214, {"at": "2015-09-30T06:12:00.000Z"}, "en")[:75]
    'What the message cited here states has not been so since zero six one two a'
    """
    words = wording(language)

    def form(kind: ValueType, value: Any) -> str:
        return say_value(kind, value, words)

    once = _spelled(without_isolates(_filled(number, values, words, form)), words)
    again: str = words["texts"][str(phrase_named("SAY_AGAIN").number)]
    return f"{once} {again} {once}"


def heard_values(number: int, values: Values) -> dict[str, str]:
    """Return each value as a listener can type it back; a reason by its number.

    What two people compare over a telephone, in whichever language they talk.

    >>> heard_values(214, {"at": "2015-09-30T06:12:00.000Z"})
    {'at': '2015-09-30T06:12:00.000Z'}
    """
    check_values(number, values)
    return {name: heard_value(kind, values[name]) for name, kind in phrase(number).values.items()}


def word_for(kind: ValueType, key: str, language: str) -> str:
    """Return one word of a closed list, as ``word_for(ValueType.PURPOSE, "HAZARD", "en")``."""
    words: Mapping[str, str] = wording(language)["terms"][kind.value]
    return words[key]


@cache
def wording(language: str) -> Wording:
    """Return all texts and forms of one language, as its file has them.

    Raises:
        InvalidInputError: no such language.
    """
    if language not in LANGUAGES:
        raise InvalidInputError(
            "no phrases in this language", given=f"{language:.20}", expected=", ".join(LANGUAGES)
        )
    return tomllib.loads(_data(f"phrases.{language}.toml"))


def _filled(
    number: int, values: Values, words: Wording, form: Callable[[ValueType, Any], str]
) -> str:
    texts: Mapping[str, str] = words["texts"]
    _check_given(number, values)
    wanted = phrase(number).values
    written = {
        name: texts[str(values[name])] if kind is ValueType.PHRASE else form(kind, values[name])
        for name, kind in wanted.items()
    }
    return texts[str(number)].format_map(written)


def _check_given(number: int, values: Values) -> None:
    # A text made here of other phrases has isolates in it; one that came over a line has none.
    named = _texts_in(number)
    check_values(number, _without_isolates(values, named) if named else values)


@cache
def _texts_in(number: int) -> tuple[str, ...]:
    """Return the names of those values of a phrase that are texts; there are not many."""
    return tuple(name for name, kind in phrase(number).values.items() if kind is ValueType.TEXT)


def _without_isolates(values: Values, named: tuple[str, ...]) -> Values:
    given = {name: values.get(name) for name in named}
    plain = {name: without_isolates(text) for name, text in given.items() if type(text) is str}
    return {**values, **plain}


def _spelled(text: str, words: Wording) -> str:
    digits: Mapping[str, str] = words["digits"]
    signs = {".": words["speech"]["point"], "-": words["speech"]["minus"]}

    def spell(match: re.Match[str]) -> str:
        return " ".join(digits.get(c) or signs[c] for c in match.group())

    return _NUMBER.sub(spell, text)


def _check(kind: ValueType, value: Any, name: str) -> None:
    check_value(kind, value, name)
    if kind is ValueType.PHRASE:
        check_reason(value)
    if kind in WORD_LISTS:
        _check_words(kind, value)


def _check_words(kind: ValueType, value: Any) -> None:
    known = wording(LANGUAGES[0])["terms"][WORD_LISTS[kind]]
    for word in words_in(kind, value):
        if word not in known:
            raise InvalidDocumentError(
                "this is not one of the agreed words",
                given=f"{word:.40}",
                expected=", ".join(known),
            )


@cache
def _catalogue() -> dict[int, Phrase]:
    table = tomllib.loads(_data("phrases.toml"))
    return {
        int(number): Phrase(
            int(number),
            entry["name"],
            {name: ValueType(kind) for name, kind in entry["values"].items()},
            entry.get("cites", False),
        )
        for number, entry in sorted(table.items(), key=lambda item: int(item[0]))
    }


@cache
def _by_name() -> dict[str, Phrase]:
    return {entry.name: entry for entry in phrases()}


def _data(name: str) -> str:
    return files("deconflict.messages").joinpath("data", name).read_text(encoding="utf-8")
