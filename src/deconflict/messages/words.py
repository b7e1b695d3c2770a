"""The words no message may say (R32), and the shape every free text must have.

A line carries facts and deadlines between parties of whom neither commands the other. Words such
as "approve" or "permission" claim what a line cannot give, and each language has its own. The lists
are data (``data/words.*.toml``); this module reads a text the way a person would, so that spelling
tricks do not pass: other scripts' letters, zero-width characters, digits for letters, letters set
apart. The lists of all languages hold for every text, whatever language it says it is in.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from deconflict.errors import BannedWordError, InvalidDocumentError

__all__ = ["LANGUAGES", "MAX_FREE_TEXT", "BannedWord", "check_text", "check_words", "find_banned"]

LANGUAGES: Final = ("en", "ru", "ar")  # the first three of R36
_SCRIPTS: Final = ("latin", "cyrillic", "arabic")  # in which each of them is written
MAX_FREE_TEXT: Final = 500  # characters

# Invisible characters that right-to-left scripts need. Every other format character (bidi
# overrides and isolates, soft hyphen, tags, byte order mark) can make a text read differently
# from its bytes, and is refused.
_INVISIBLE_BUT_NEEDED: Final = frozenset("\u200c\u200d\u200e\u200f\u061c")
_REFUSED_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
# More than a writing sets on one letter; with hundreds a text is drawn over the lines above it.
_MOST_MARKS: Final = 8
# What Arabic writes as one word with the next: "and" or "so", then a preposition or the mark of the
# future, then the article ("for the" is one sign of two letters).
_JOINED_BEFORE: Final = (("و", "ف"), ("لل", "ب", "ك", "ل", "س"), ("ال",))
_LEAST_WORD: Final = 2  # letters: what is left of a word is one, as "لا"
_PIECE: Final = re.compile(r"[^\W_]+(?:[@$]+[^\W_]+)*|[@$]+[^\W_]+(?:[@$]+[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class BannedWord:
    """One find: the text as written, what it reads as, and the list that has it."""

    written: str
    reads_as: str
    language: str


@dataclass(frozen=True, slots=True)
class _List:
    language: str
    script: str
    stems: tuple[str, ...]
    words: frozenset[str]
    sequences: Mapping[str, tuple[tuple[str, ...], ...]]  # by their first word
    fixed: Mapping[str, tuple[tuple[str, ...], ...]]

    def has(self, word: str) -> bool:
        """Return True exactly when the normalised word is banned."""
        return word in self.words or word.startswith(self.stems)


def check_text(text: str, *, what: str = "text", max_chars: int = MAX_FREE_TEXT) -> str:
    """Return the free text unchanged if its shape is acceptable, on either side of a line.

    One line of 1 to ``max_chars`` characters that are visible, spaces, or the five invisible
    characters right-to-left scripts need. What the words say is :func:`check_words`'s matter.

    Raises:
        InvalidDocumentError: empty, too long, or holding control characters, line breaks, bidi
            overrides, characters that Unicode has not assigned, or more than eight marks in a row.

    >>> check_text("wind from the sea")
    'wind from the sea'
    """
    if not text.strip():
        raise InvalidDocumentError(
            f"{what} is empty",
            expected="words, or leave the field out",
            remedy="fill it or drop it",
        )
    if len(text) > max_chars:
        raise InvalidDocumentError(
            f"{what} is too long",
            given=f"{len(text)} characters",
            expected=f"at most {max_chars} characters",
            remedy="say it shorter",
        )
    if text.isascii() and text.isprintable():  # of these none is refused
        return text
    marks = 0
    for index, character in enumerate(text):
        if character in _INVISIBLE_BUT_NEEDED:
            continue
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if marks > _MOST_MARKS:
            raise InvalidDocumentError(
                f"{what} sets more marks on one letter than any writing does",
                given=f"U+{ord(character):04X} at character {index + 1}",
                expected=f"at most {_MOST_MARKS} combining marks in a row",
                remedy="type the text again without them",
            )
        if category in _REFUSED_CATEGORIES:
            raise InvalidDocumentError(
                f"{what} holds a control or hidden character",
                given=f"U+{ord(character):04X} at character {index + 1}",
                expected="one line of visible text",
                remedy="type the text again without it",
            )
    return text


def check_words(text: str, *, what: str = "text") -> str:
    """Return the text unchanged if no list bans any of its words.

    Meant for outgoing text: a peer's text is evidence as it came and is never refused for this.

    Raises:
        BannedWordError: the first find, as written and as it reads.

    >>> check_words("Acknowledged is not permission")
    'Acknowledged is not permission'
    >>> check_words("you are cleared")
    Traceback (most recent call last):
    ...
    deconflict.errors.BannedWordError: text says what no message on a line may say; \
given: "cleared"; expected: facts, places, times; to do: say what is, not what is granted
    """
    found = find_banned(text)
    if found:
        first = found[0]
        shown = f'"{first.written}"'
        if first.written.casefold() != first.reads_as:
            shown += f' (reads as "{first.reads_as}")'
        raise BannedWordError(
            f"{what} says what no message on a line may say",
            given=shown,
            expected="facts, places, times",
            remedy="say what is, not what is granted",
        )
    return text


def find_banned(text: str) -> tuple[BannedWord, ...]:
    """Return every banned word of any language in the text, in order, each once.

    Whole words only: "nuclear" is free. Wording that a list names as fixed is free where it
    stands as written, without spelling tricks.

    >>> [find.reads_as for find in find_banned("СLEAR the area, c-l-e-a-r, cle\u200bar")]
    ['clear', 'clear', 'clear']
    """
    visible = _visible(text)
    pieces = [(m.start(), m.group()) for m in _PIECE.finditer(visible)]
    plain = [_plain(piece) for _, piece in pieces]
    finds: list[tuple[int, BannedWord]] = []
    for word_list in _lists():
        free = _fixed(plain, word_list)
        kept = [piece for index, piece in enumerate(pieces) if index not in free]
        readings = [(at, piece, _readings(piece, word_list.script)) for at, piece in kept]
        for at, piece, candidates in (*readings, *_joined(kept, visible, word_list.script)):
            for candidate in candidates:
                if word_list.has(candidate):
                    finds.append((at, BannedWord(piece, candidate, word_list.language)))
                    break
        finds.extend(_sequences(readings, word_list))
    finds.sort(key=lambda find: (find[0], -len(find[1].reads_as)))
    first: dict[int, BannedWord] = {}
    for at, found in finds:
        first.setdefault(at, found)
    return tuple(first.values())


def _visible(text: str) -> str:
    """Return the text without what nobody sees, in compatibility form."""
    if text.isascii():  # is its own compatibility form, and of its format characters none is there
        return text
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not _ignorable(c))


def _ignorable(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


def _plain(text: str) -> str:
    """Return the text case-folded and without accents: ё reads as е, й as и, é as e."""
    return _bare(text.casefold(), ("Mn", "Me"))


def _bare(text: str, marks: tuple[str, ...]) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if unicodedata.category(c) not in marks)


def _as_written_in(script: str, text: str) -> str:
    return _plain(_bare(text, ("Mn",)).translate(_lookalikes()[script]))


def _readings(piece: str, script: str) -> tuple[str, ...]:
    """Return the ways a person may read the piece as a word of this script."""
    mapped = _as_written_in(script, piece)
    if script == "latin" and "1" in mapped:
        return mapped.replace("1", "l"), mapped.replace("1", "i")
    return _parted(mapped) if script == "arabic" else (mapped,)


def _parted(word: str) -> tuple[str, ...]:
    """Return the word as it stands, and what is left of it without what Arabic joins to it."""
    found = [word]
    for joined in _JOINED_BEFORE:
        found += [
            rest
            for known in found
            for short in joined
            if known.startswith(short) and len(rest := known.removeprefix(short)) >= _LEAST_WORD
        ]
    return tuple(dict.fromkeys(found))


def _joined(
    pieces: list[tuple[int, str]], visible: str, script: str
) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield words set apart: pieces with only punctuation between, and runs of single letters."""
    run: list[tuple[int, str]] = []
    for position, (at, piece) in enumerate(pieces):
        if run:
            previous_at, previous = run[-1]
            between = visible[previous_at + len(previous) : at]
            together = not any(c.isspace() for c in between)
            spelled = len(piece) == 1 and len(previous) == 1
            if not (together or spelled):
                yield from _as_one(run, script)
                run = []
        run.append((at, piece))
        if position == len(pieces) - 1:
            yield from _as_one(run, script)


def _as_one(run: list[tuple[int, str]], script: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    if len(run) > 1:
        joined = "".join(piece for _, piece in run)
        yield run[0][0], joined, _readings(joined, script)


def _sequences(
    readings: list[tuple[int, str, tuple[str, ...]]], word_list: _List
) -> Iterator[tuple[int, BannedWord]]:
    for start, (at, _, candidates) in enumerate(readings):
        for first in candidates:
            for sequence in word_list.sequences.get(first, ()):
                window = readings[start : start + len(sequence)]
                if len(window) == len(sequence) and all(
                    word in read for word, (_, _, read) in zip(sequence, window, strict=True)
                ):
                    written = " ".join(piece for _, piece, _ in window)
                    yield at, BannedWord(written, " ".join(sequence), word_list.language)


def _fixed(plain: list[str], word_list: _List) -> frozenset[int]:
    """Return the places of the words that stand in wording a list names as fixed."""
    free: set[int] = set()
    index = 0
    while index < len(plain):
        for sequence in word_list.fixed.get(plain[index], ()):
            if tuple(plain[index : index + len(sequence)]) == sequence:
                free.update(range(index, index + len(sequence)))
                index += len(sequence)
                break
        else:
            index += 1
    return frozenset(free)


@cache
def _lookalikes() -> dict[str, dict[int, str]]:
    tables = tomllib.loads(_data("lookalikes.toml"))
    return {script: str.maketrans(table) for script, table in tables.items()}


@cache
def _lists() -> tuple[_List, ...]:
    return tuple(
        _load(language, script) for language, script in zip(LANGUAGES, _SCRIPTS, strict=True)
    )


def _load(language: str, script: str) -> _List:
    table = tomllib.loads(_data(f"words.{language}.toml"))
    return _List(
        language=language,
        script=script,
        stems=tuple(_as_written_in(script, stem) for stem in table["stems"]),
        words=frozenset(_as_written_in(script, word) for word in table["words"]),
        sequences=_by_first_word(_as_written_in(script, text) for text in table["sequences"]),
        fixed=_by_first_word(_plain(entry["text"]) for entry in table["fixed"]),
    )


def _by_first_word(texts: Iterable[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for text in texts:
        words = tuple(text.split())
        found[words[0]] = (*found.get(words[0], ()), words)
    return found


def _data(name: str) -> str:
    return files("deconflict.messages").joinpath("data", name).read_text(encoding="utf-8")
