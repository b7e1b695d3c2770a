"""Words of a label that read like something nobody needs to share (requirements, section 7).

A label goes to the peer, and nothing obliges anybody to write one. What reads like a callsign, a
tail number or a type of aircraft, like a weapon, a mission or a base, or like the name of a person
is told before it is sent; it is the sender's to decide. A warning too many costs a look.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["NeverShared", "NeverSharedKind", "find_never_shared"]


class NeverSharedKind(StrEnum):
    """What a word reads like; each is the name of the phrase that tells it."""

    AIRCRAFT = "LABEL_READS_LIKE_AIRCRAFT"
    MEANS = "LABEL_READS_LIKE_MEANS"
    PERSON = "LABEL_READS_LIKE_PERSON"


@dataclass(frozen=True, slots=True)
class NeverShared:
    """One find: the words as written, and what they read like."""

    kind: NeverSharedKind
    written: str


# A registration: N123AB, G-ABCD, RA-12345; a flight or callsign: RCH123, VIPER 21; a type: Su-24.
_TAIL: Final = re.compile(
    r"\b(?:N[1-9][0-9]{1,4}[A-Z]{0,2}|[A-Z]{1,2}-[A-Z]{3,4}|[A-Z]{2}-[0-9]{3,5})\b"
)
_CALLSIGN: Final = re.compile(r"\b([^\W\d_]{3,})[ -]?([0-9]{1,4}[A-Z]?)\b")
_TYPE: Final = re.compile(
    r"\b(?:F|A|B|C|E|P|EA|EC|KC|RC|MC|AC|HC|MQ|RQ|UH|AH|CH|HH|MH|SH|OH|V|CV|MV|Mi|Ka|Su|MiG|Tu|Il|An"
    r"|Yak|Be|JAS|Ми|Ка|Су|МиГ|Ту|Ил|Ан|Як)-[0-9]{1,3}[A-Z]{0,2}\b"
)
_NEUTRAL: Final = frozenset(
    (
        *("area", "zone", "sector", "box", "route", "corridor", "transit", "leg", "phase", "part"),
        *("site", "place", "point", "convoy", "block", "level", "flight", "segment", "circle"),
        *("район", "зона", "сектор", "маршрут", "коридор", "этап", "участок", "точка", "колонна"),
        *("клетка", "эшелон", "объект", "часть", "полёт", "no", "nr", "day", "день", "hospital"),
        *(
            "camp",
            "school",
            "clinic",
            "больница",
            "лагерь",
            "школа",
            "clearing",
            "exercise",
            "red",
            "cross",
            "crescent",
            "рейс",
            "aid",
        ),
    )
)
_AIRCRAFT: Final = re.compile(
    r"\b(?:typhoon|rafale|gripen|eurofighter|tornado|hercules|globemaster|apache|black ?hawk"
    r"|chinook|predator|reaper|global ?hawk|bayraktar|shahed|geran|orlan|raptor|hornet|eagle|falcon"
    r"|frogfoot|fencer|flanker|fulcrum|awacs|позывной|шахед|герань|орлан|байрактар)\b",
    re.IGNORECASE,
)
_MEANS: Final = re.compile(
    r"\b(?:bomb\w*|missiles?|rockets?|guns?|gunships?|artillery|howitzers?|mortars?|torpedo\w*"
    r"|munitions?|ammunition|ordnance|warheads?|jdams?|gbu|agm|himars|atacms|snipers?|s-?[2345]00"
    r"|strikes?|raids?|sorties?|missions?|recon\w*|surveillance|intelligence|isr|cas|sead|escorts?"
    r"|tankers?|refuel\w*|interdiction|base|bases|air ?base|airbases?|barracks|headquarters|hq"
    r"|depots?|бомб\w*|ракет\w*|снаряд\w*|артиллер\w*|гаубиц\w*|миномёт\w*|миномет\w*"
    r"|боеприпас\w*|удар\w*"
    r"|налёт\w*|налет\w*|развед\w*|заправ\w*|сопровожд\w*|миссия|задание|база|базы|базе|авиабаз\w*"
    r"|штаб\w*|казарм\w*|склад\w*)\b",
    re.IGNORECASE,
)
_RANK: Final = re.compile(
    r"\b(?:col|colonel|maj|major|capt|captain|gen|general|lt|lieutenant|sgt|sergeant|cdr|commander"
    r"|admiral|mr|mrs|ms|dr|полковник\w*|майор\w*|капитан\w*|генерал\w*|лейтенант\w*|сержант\w*"
    r"|командир\w*|адмирал\w*)\b",
    re.IGNORECASE,
)
# Two words that begin large and go on small, as names of people do.
_TWO_NAMES: Final = re.compile(r"\b([^\W\d_][^\W\d_]+)\s+([^\W\d_][^\W\d_]+)\b")


def find_never_shared(label: str, known: Iterable[str] = ()) -> tuple[NeverShared, ...]:
    """Return what in a label reads like something never to be shared, each once.

    Args:
        label: as it would be sent.
        known: names that both sides agreed on, as landmarks and the theatre: they say nothing new.

    >>> [find.written for find in find_never_shared("VIPER 21 tanker")]
    ['VIPER 21', 'tanker']
    >>> find_never_shared("area 7")
    ()
    """
    text = label
    for name in sorted(known, key=len, reverse=True):
        if name:
            text = re.sub(re.escape(name), " · ", text, flags=re.IGNORECASE)
    return tuple(dict.fromkeys(_found(text)))


def _found(text: str) -> Iterator[NeverShared]:
    for pattern in (_TAIL, _TYPE, _AIRCRAFT):
        for match in pattern.finditer(text):
            yield NeverShared(NeverSharedKind.AIRCRAFT, match[0])
    for match in _CALLSIGN.finditer(text):
        if match[1].lower() not in _NEUTRAL and not _MEANS.fullmatch(match[1]):
            yield NeverShared(NeverSharedKind.AIRCRAFT, match[0])
    for match in _MEANS.finditer(text):
        yield NeverShared(NeverSharedKind.MEANS, match[0])
    for match in _RANK.finditer(text):
        yield NeverShared(NeverSharedKind.PERSON, match[0])
    for match in _TWO_NAMES.finditer(text):
        words = (match[1], match[2])
        if all(word.istitle() and word.lower() not in _NEUTRAL for word in words):
            yield NeverShared(NeverSharedKind.PERSON, match[0])
