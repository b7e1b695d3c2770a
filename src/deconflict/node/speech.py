"""What to say of one own message over a telephone, in each language of its line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deconflict.errors import InvalidInputError, LineStateError
from deconflict.messages.bodies import parse_body
from deconflict.messages.kinds import Kind
from deconflict.messages.voice import SAYABLE, check_digits, parts_of, voice_script
from deconflict.messages.words import LANGUAGES

__all__ = ["ScriptView", "script_languages", "script_of"]


@dataclass(frozen=True, slots=True)
class ScriptView:
    """The script of one message: what is said, by language, and the digits that check it."""

    message: str
    number: int
    check: str
    said: tuple[dict[str, Any], ...]  # each template by its number, with its values
    scripts: dict[str, tuple[str, ...]]


def script_languages(own: str, agreed: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the languages in which a script is written: the reader's, then those of the terms."""
    parties = [] if agreed is None else agreed["parties"]
    named = [language for party in parties for language in party["languages"]]
    return tuple(dict.fromkeys(one for one in (own, *named) if one in LANGUAGES))


def script_of(message: Mapping[str, Any], languages: Sequence[str]) -> ScriptView:
    """Return the script of a message.

    Args:
        message: as ``MessageView`` has it.
        languages: in this order.

    Raises:
        InvalidInputError: it is the peer's.
        LineStateError: a message of this kind is not said by voice.
    """
    if not message["outgoing"]:
        raise InvalidInputError(
            "only a message of yours is said by you",
            given=message["hash"][:10],
            expected="one of those that `deconflict line carry` lists",
        )
    if message["kind"] not in SAYABLE:
        raise LineStateError(
            f"{message['kind']} is not said by voice",
            remedy="carry it as a file, an e-mail or on paper",
        )
    kind, party, drill = Kind(message["kind"]), message["from_party"], message["drill"]
    body = parse_body(kind, message["body"])
    parts = parts_of(kind, body, party=party)
    return ScriptView(
        message=message["hash"],
        number=message["seq"],
        check=check_digits(parts, drill=drill),
        said=tuple({"phrase": part.phrase, "values": dict(part.values)} for part in parts),
        scripts={
            language: voice_script(
                kind,
                body,
                party=party,
                peer=message["to_party"],
                number=message["seq"],
                message_hash=message["hash"],
                language=language,
                drill=drill,
            )
            for language in languages
        },
    )
