"""The words of sheets that people print: headings and names, the same keys in every language."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from deconflict.messages.phrases import set_apart
from deconflict.messages.words import LANGUAGES
from deconflict.paper.sheet import Words

__all__ = ["Both", "as_written", "words_of"]

# A time, a level, a position: with a full stop, colon or stroke within, and none behind it.
_FIGURES: Final = re.compile(r"[0-9](?:[0-9A-Za-z.,:/+°′″'-]*[0-9A-Za-z°′″])?")
_RIGHT_TO_LEFT: Final = frozenset(("ar", "fa", "he"))


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Return the words of one of ``LANGUAGES`` by their key, as ``readout.title``."""
    text = files("deconflict.paper").joinpath("data", f"words.{language}.toml").read_text("utf-8")
    return {
        f"{table}.{key}": words
        for table, keys in tomllib.loads(text).items()
        for key, words in keys.items()
    }


def as_written(text: str, language: str) -> Words:
    """Return what somebody wrote, each figure of it in the order of its digits.

    Behind an Arabic letter ``2015-09-30`` would show as ``30-09-2015``. What is signed holds no
    isolates (decision 41); they stand on the sheet alone.

    >>> as_written("في 2015-09-30.", "ar").text
    'في \u20662015-09-30\u2069.'
    """
    if language in _RIGHT_TO_LEFT:
        text = _FIGURES.sub("\u2066\\g<0>\u2069", text)
    return Words(text, language)


class Both:
    """Says each thing in the languages of a sheet: the reader's first, then the peer's.

    Args:
        languages: codes; those in which nothing here is written are left out.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        known = dict.fromkeys(each for each in languages if each in LANGUAGES)
        self.languages: tuple[str, ...] = tuple(known) or LANGUAGES[:1]

    def __call__(self, key: str, **values: str) -> tuple[Words, ...]:
        """Return the words of a key in each language, their placeholders filled."""
        return tuple(
            Words(
                words_of(language)[key].format(
                    **{name: set_apart(value, language) for name, value in values.items()}
                ),
                language,
            )
            for language in self.languages
        )

    def value(self, text: str) -> tuple[Words, ...]:
        """Return what is the same in every language: a time, a hash, a name."""
        return (Words(text, self.languages[0]),)

    def choice(self, table: str, code: str) -> tuple[Words, ...]:
        """Return a word of a closed list in each language; one that is not listed, as it is."""
        key = f"{table}.{code}"
        if key not in words_of(self.languages[0]):
            return self.value(code)
        return self(key)
