"""What people print: the words of it, what stands on a readout, a handover sheet and a card."""

import json
import re
from typing import Any

import pytest

from deconflict.messages.words import LANGUAGES, find_banned
from deconflict.node.call_views import CallView, ReadoutView, RecordView
from deconflict.node.handover import Part, Sheet, SheetItem
from deconflict.node.views import DeclarationView, HeadView, LineView, NodeView
from deconflict.paper.fallback import fallback_sheet
from deconflict.paper.handover import handover_sheet
from deconflict.paper.readout import Drawn, readout_sheet
from deconflict.paper.sheet import Sheet as Printed
from deconflict.paper.sheet import to_wire
from deconflict.paper.words import words_of

LINE = "0123456789abcdef0123456789abcdef"
TEXTS = {
    "en": ("Both sides spoke of the event.",),
    "ru": ("Стороны говорили о событии.",),
    "ar": ("تحدث الجانبان عن الحدث في 2015-09-30.",),
}
# Each of them is markup of the typesetter, of the page, or of both.
HOSTILE = '#panic() #read("/etc/passwd") *b* $x$ <script>alert(1)</script> \\ @label // @preview'


def place(lat: float, lon: float) -> dict[str, int]:
    return {"lat_e7": round(lat * 1e7), "lon_e7": round(lon * 1e7)}


def terms(peer_language: str = "ru") -> dict[str, Any]:
    corners = [place(34, 35), place(36, 35), place(36, 38), place(34, 38)]
    marks = [{"name": "الرقة", "position": place(35.5, 36)}]
    return {
        "parties": [
            {"party": "blue", "languages": ["en"]},
            {"party": "red", "languages": [peer_language]},
        ],
        "theatre": {"name": f"Theatre {HOSTILE}"[:80], "outline": corners, "landmarks": marks},
    }


def about(language: str = "en") -> NodeView:
    now = "2015-09-30T12:00:00.123Z"
    return NodeView("blue", "1", now, now, ("watch",), language, "aa", 1, drill=False)


def call(**changes: Any) -> CallView:
    record = RecordView(
        *("blue", "cd" * 32, "2015-09-30T10:00:00.000Z", "2015-09-30T10:40:00.000Z"),
        *("SENIOR_1", "PHONE", ("en", "ru"), {"blue": ("SENIOR_1",)}),
    )
    known: dict[str, Any] = {"records": (record,), "differing": (), "readouts": (), "drill": False}
    return CallView(call_id="ab" * 32, line_id=LINE, peer="red", **known | changes)


def declared(label: str, start: str, end: str, *lines: str) -> DeclarationView:
    circle = {"center": place(35, 36), "radius_mm": 5_000_000}
    volume = {
        "outline": {"circle": circle},
        "band": {"reference": "AMSL", "lower_tmm": 0, "upper_tmm": 10_000_000},
        "span": {"start_utc": start, "end_utc": end},
    }
    return DeclarationView(
        *(label * 32, "red", False, lines or (LINE,), "ACTIVITY", f"area {label}", 1, "ACTIVE"),
        *(start, end, start, (), {}, {}, {}, {"volumes": [volume]}),
    )


def readout(
    language: str = "en",
    *,
    texts: dict[str, tuple[str, ...]] | None = None,
    peer_language: str = "ru",
    drawn: Drawn = "theatre",
    state: str = "AGREED",
    **changes: Any,
) -> Printed:
    shown = ReadoutView(
        state,
        None if state == "AGREED" else "red",
        None,
        "ef" * 32,
        TEXTS if texts is None else texts,
    )
    day = "2015-09-30T{:02}:00:00.000Z"
    return readout_sheet(
        about(language),
        call(**changes),
        shown,
        language=language,
        talk=None,
        terms=terms(peer_language),
        heads=[HeadView("blue", "aa" * 16, 4, "ab" * 32), HeadView("red", "bb" * 16, 9, "12" * 32)],
        declarations=[
            declared("a", day.format(9), day.format(11)),
            declared("b", day.format(12), day.format(13)),
            declared("c", day.format(9), day.format(11), "another line"),
        ],
        drawn=drawn,
    )


def fallback(language: str = "en", peer_language: str = "ru") -> Printed:
    heard = "2015-09-30T09:00:00.000Z"
    line = LineView(
        *(LINE, "red", "DOWN", heard, heard, None, None, False, None, "AGREED", None, None),
        *(17, 17, None, 4, 0),
    )
    return fallback_sheet(
        about(language), line, "watch", language=language, terms=terms(peer_language)
    )


def handover(language: str = "en") -> Printed:
    now = "2015-09-30T12:00:00.000Z"
    item = SheetItem(
        Part.QUERIES, "q", f"Is this yours? {HOSTILE}", urgency="IMMEDIATE", due_utc=now
    )
    return handover_sheet(Sheet("blue", "watch", language, now, now, now, None, (), (item,)))


def whole(sheet: Printed) -> str:
    return json.dumps(to_wire(sheet), ensure_ascii=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_of_a_sheet_and_none_is_banned(language: str) -> None:
    reference, found = words_of("en"), words_of(language)
    assert found.keys() == reference.keys()
    for key, text in found.items():
        wanted = re.findall(r"\{(\w+)\}", reference[key])
        assert sorted(re.findall(r"\{(\w+)\}", text)) == sorted(wanted), key
        assert find_banned(text) == (), key


def test_a_readout_stands_in_the_readers_language_first_and_the_peers_beside_it() -> None:
    sheet = readout("en", peer_language="ar")
    assert sheet.languages == ("en", "ar")
    first, *_more = [each for each in sheet.blocks if type(each).__name__ == "Columns"]
    assert [column[0].language for column in first.columns] == ["en", "ar"]
    assert readout("ru", peer_language="ru").languages == ("ru",)


def test_figures_in_an_arabic_text_keep_their_order_and_latin_ones_are_left_alone() -> None:
    text = whole(readout("ar"))
    assert "\u20662015-09-30\u2069." in text
    assert TEXTS["en"][0] in text


def test_a_readout_says_who_signed_it_and_what_proves_it() -> None:
    assert "Both sides signed exactly this text." in whole(readout())
    assert "red proposes this text. It is not agreed." in whole(readout(state="PROPOSED"))
    assert "binds nobody else" in whole(readout(state="OWN"))
    text = whole(readout(state="WITHHELD", texts={}))
    assert "gives no details" in text
    for fact in (f"blue {'aa' * 16} 4 {'ab' * 32}", f"red {'bb' * 16} 9 {'12' * 32}", "ef" * 32):
        assert fact in text


def test_a_map_shows_what_was_declared_then_on_this_line_and_only_where_it_is_asked() -> None:
    assert "<svg" in whole(readout())
    assert "area " not in whole(readout())
    text = whole(readout(drawn="declared"))
    assert "area a" in text
    assert "area b" not in text
    assert "area c" not in text
    assert "Picture" not in {type(each).__name__ for each in readout(drawn="none").blocks}


def test_an_exercise_is_marked_over_the_whole_sheet() -> None:
    assert readout().mark == ""
    assert "DRILL" in readout(drill=True).mark
    assert "УЧЕНИЕ" in readout("ru", drill=True).mark


def test_a_card_holds_no_number_but_room_for_them_and_every_safety_template() -> None:
    text = whole(fallback())
    assert "written here by hand" in text
    assert "blanks" in text
    assert "Firing in progress" in text
    assert "Контрольные цифры" in text
    assert "Check digits" in text
    assert "zero" in text
    assert "alfa" in text


def test_a_handover_sheet_says_what_is_open_and_has_room_for_both() -> None:
    text = whole(handover())
    assert "Is this yours?" in text
    assert "Hands over" in text
    assert "Takes over" in text
    assert "→ 2015-09-30 12:00Z" in text
