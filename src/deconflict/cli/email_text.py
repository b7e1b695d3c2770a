"""The text of an e-mail that carries a parcel: words for people above, the signed block below."""

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from deconflict.cli.output import clean
from deconflict.line.armour import armoured
from deconflict.messages.direction import closed_lines
from deconflict.messages.phrases import phrase_named, render

__all__ = ["email_text"]

_COLUMNS: Final = 72  # RFC 5322 §2.1.1 wants at most 78; two marks of quoting still fit


def email_text(made: dict[str, Any], packed: bytes) -> str:
    """Return what a parcel says, in each language of the line, and below it the parcel.

    Args:
        made: the parcel as the node made it (``ParcelView``).
        packed: its packed bytes.
    """
    parts = ["\n".join(_words(made, language)) for language in made["languages"]]
    return "\n\n".join(parts) + "\n\n" + armoured(packed)


def _words(made: dict[str, Any], language: str) -> Iterator[str]:
    def said(name: str, **values: Any) -> str:
        return _wrapped(render(phrase_named(name).number, values, language))

    sender, receiver = made["from_party"], made["to_party"]
    messages = made["messages"]
    if drills := sum(bool(message["drill"]) for message in messages):
        if drills == len(messages):
            yield said("DRILL")
        else:
            yield said("PARCEL_DRILL", drills=drills, messages=len(messages))
        yield ""
    yield said("PARCEL_HEAD", sender=sender, receiver=receiver, made=made["made_utc"])
    yield said("PARCEL_NOT_AUTHENTIC")
    yield ""
    for message in made["messages"]:
        yield said(
            "PARCEL_MESSAGE",
            number=message["seq"],
            kind=message["kind"],
            sent=message["created_utc"],
        )
        yield _wrapped(message["texts"][language], indent="    ")
        if message["expires_utc"] is not None:
            yield said("PARCEL_UNTIL", expired=message["expires_utc"])
        yield ""
    if not made["messages"]:
        yield said("PARCEL_EMPTY")
    if made["receipt_seq"]:
        yield said("PARCEL_RECEIPT", sender=sender, receiver=receiver, number=made["receipt_seq"])
    if made["left_out_from_seq"]:
        yield said("PARCEL_LEFT_OUT", messages=made["left_out"], number=made["left_out_from_seq"])
    yield said("PARCEL_HOW")
    yield f"    deconflict line take {clean(sender)} FILE"


def _wrapped(text: str, indent: str = "") -> str:
    # A peer's word must not look like the block: no line of words begins with a dash.
    safe = clean(text).replace("-----", "- - -")
    lines = textwrap.wrap(safe, _COLUMNS - len(indent), break_on_hyphens=False)
    return "\n".join(indent + line for line in closed_lines(lines))
