"""What is told, before it is in anybody's language: kept once, put in words for each who reads.

Numbered phrases with their values say nearly everything. What stands inside a value of text, such
as why or where two things differ, is a tree of the same: JSON values, so that it is kept as it is.

=============================  ===================================================================
``"text"``                     in no language of ours: a name, a hash, a figure
``[number, values]``           a phrase; a value of type text may itself be any of these
``{"message": hash}``          a message of the record, in words
``{"unlogged": {...}}``        one that is in no record: ``kind``, ``body`` and ``party``
``{"word": [list, key]}``      a word of a closed list
``{"value": [type, value]}``   a value as it stands in a phrase
``{"angle": tenths}``          an angle that is no direction, in tenths of a degree
``{"format": name}``           a piece of a language's forms, such as ``surface``
``{"all": [...], "by": " "}``  several, with this between them, itself any of these
``{"sentences": [...]}``       several, one after the other; what ends in no sentence keeps its line
``{"say": ..., "or": what}``   one that may have no words; then what it is about, and why not
=============================  ===================================================================
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Final, TypeAlias

from deconflict.errors import InvalidInputError, NotFoundError
from deconflict.messages.phrases import Values, phrase, phrase_named, render, wording
from deconflict.messages.values import ValueType, write_angle, write_value

__all__ = ["MessageWords", "Said", "joined", "no_message", "said", "say", "say_or", "worded"]

_ENDS: Final = (".", "!", "?", "؟")

Said: TypeAlias = Any  # a JSON value, one of those above
# What is told of a message, and a language -> that message in words. Where a message stands, this
# module does not know.
MessageWords: TypeAlias = Callable[[Said, str], str]


def no_message(told: Said, language: str) -> str:  # noqa: ARG001 (a MessageWords)
    """Say that there is no message; for what is told of none.

    Raises:
        NotFoundError: always.
    """
    raise NotFoundError("there is no such message here", given=f"{told!r:.80}")


def said(name: str, values: Values | None = None) -> Said:
    """Return a phrase by its name, as it is kept.

    >>> said("DRILL")
    [702, {}]
    """
    return [phrase_named(name).number, {} if values is None else dict(values)]


def joined(items: Sequence[Said], by: Said = " ") -> Said:
    """Return several as one, with ``by`` between them."""
    return {"all": list(items), "by": by}


def say(told: Said, language: str, messages: MessageWords = no_message) -> str:
    """Return what is told in words of a language.

    Args:
        told: as it was kept.
        language: of who reads it.
        messages: puts a message in words.

    Raises:
        InvalidInputError: an unknown language or phrase, or values that do not fit.
        NotFoundError: a message that is not in the record.

    >>> say([214, {"at": "2015-09-30T06:12:00.000Z"}], "en")
    'What the message cited here states has not been so since 2015-09-30 06:12:00Z.'
    >>> say({"all": ["0a1b", {"word": ["fields", "none"]}], "by": ": "}, "en")
    '0a1b: nothing'
    """
    if isinstance(told, str):
        return told
    if isinstance(told, (list, tuple)):
        number, values = told
        return render(number, worded(number, values, language, messages), language)
    match told:
        case {"message": _} | {"unlogged": _}:
            return messages(told, language)
        case {"word": [name, key]}:
            return str(wording(language)["terms"][name][key])
        case {"value": [kind, value]}:
            return write_value(ValueType(kind), value, wording(language))
        case {"angle": tenths}:
            return write_angle(tenths, wording(language))
        case {"format": name}:
            return str(wording(language)["formats"][name])
        case {"all": items, "by": by}:
            between = say(by, language, messages)
            return between.join(say(item, language, messages) for item in items)
        case {"sentences": items}:
            return reduce(_followed, (say(item, language, messages) for item in items), "")
        case {"say": item, "or": what}:
            return say_or(what, item, language, messages)
    raise InvalidInputError("nothing says this", given=f"{told!r:.80}")


def _followed(text: str, more: str) -> str:
    # What follows must not read as part of a text that is to be retyped exactly.
    if not text or not more:
        return text or more
    return f"{text} {more}" if text.endswith(_ENDS) else f"{text}\n{more}"


def say_or(what: str, told: Said, language: str, messages: MessageWords = no_message) -> str:
    """Return what is told in words, or what it is about and why it cannot be put in words.

    A value that no phrase can hold must not keep an alert from a person, nor end the node.
    """
    try:
        return say(told, language, messages)
    except InvalidInputError as error:
        return f"{what.replace('_', ' ')}. {error.problem}: {error.given}"


def worded(
    number: int, values: Values, language: str, messages: MessageWords = no_message
) -> Mapping[str, Any]:
    """Return the values of a phrase, with those in words that are told as a tree."""
    inner = {
        name: say(values[name], language, messages)
        for name, kind in phrase(number).values.items()
        if kind is ValueType.TEXT and not isinstance(values.get(name, ""), str)
    }
    return {**values, **inner} if inner else values
