"""The console's own words in each language: headings, buttons, names of states.

What people say to each other is rendered by the node from numbered phrases and is not here. What
each side knew is said in the words of `deconflict replay`, which are the messages' own.
``data/words.<language>.toml`` holds a flat table of key to text; a text that depends on a number is
a table of the plural categories of CLDR that its language has.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

from deconflict.errors import NotFoundError
from deconflict.messages.phrases import wording
from deconflict.messages.words import LANGUAGES

__all__ = ["PLURALS", "Words", "words_json", "words_of"]

# The categories of CLDR 46 that whole numbers have in each language.
PLURALS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("one", "other"),
    "ru": ("one", "few", "many", "other"),
    "ar": ("zero", "one", "two", "few", "many", "other"),
}

Words: TypeAlias = Mapping[str, str | Mapping[str, str]]


@cache
def words_of(language: str) -> Words:
    """Return the words of a language by their key, as ``alert.since``.

    Raises:
        NotFoundError: the console is not written in it.
    """
    if language not in LANGUAGES:
        raise NotFoundError(
            "the console is not written in this language",
            given=ascii(language[:20]),
            expected="one of " + ", ".join(LANGUAGES),
        )
    text = files("deconflict.console").joinpath("data", f"words.{language}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(text), "")) | {
        f"known.{name.lower()}": said for name, said in wording(language)["terms"]["replay"].items()
    }


def words_json(language: str) -> bytes:
    """Return the same as the page reads it."""
    return json.dumps(words_of(language), ensure_ascii=False, sort_keys=True).encode()


def _flat(table: Mapping[str, Any], before: str) -> Iterator[tuple[str, str | Mapping[str, str]]]:
    for key, value in table.items():
        name = f"{before}.{key}" if before else key
        if isinstance(value, str) or "other" in value:
            yield name, value
        else:
            yield from _flat(value, name)
