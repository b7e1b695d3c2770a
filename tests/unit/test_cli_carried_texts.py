"""What people see of a parcel on its way: words above an e-mail's block, pages of codes."""

import re
import xml.etree.ElementTree as ET
from typing import Any

from deconflict.cli.email_text import email_text
from deconflict.cli.paper import CODES_A_PAGE, pages
from deconflict.line.bearers import parcels_of
from deconflict.line.codes import code_texts
from deconflict.line.parcel import pack_parcel
from deconflict.messages.direction import all_closed, without_isolates
from deconflict.messages.phrases import render_named
from line_talk import LINE
from parcel_samples import MADE, PACKED, parcel_of


def made(**changed: Any) -> dict[str, Any]:
    """What a node says of a parcel with one message in it."""
    message = {
        "hash": "4f" * 32,
        "seq": 17,
        "kind": "LINE_CHECK",
        "precedence": "IMMEDIATE",
        "drill": False,
        "created_utc": MADE,
        "expires_utc": "2015-10-01T18:30:00.000Z",
        "texts": {"en": "Line check. Retype exactly: 4711", "ru": "Проверка линии. 4711"},
    }
    return {
        "line_id": LINE,
        "from_party": "blue",
        "to_party": "red",
        "made_utc": MADE,
        "languages": ["ru", "en"],
        "messages": [message],
        "receipt_seq": 3,
        "left_out": 0,
        "left_out_from_seq": None,
    } | changed


def test_an_email_says_in_each_language_that_its_words_are_not_authentic() -> None:
    text = email_text(made(), PACKED)
    words, block = text.split("-----BEGIN", 1)
    russian, english = words.split("Messages of blue for red", 1)
    assert "НЕ ПОДЛИННО" in russian
    assert "NOT AUTHENTIC" in english
    assert russian.index("НЕ ПОДЛИННО") < russian.index("4711")
    assert "сообщения стороны red до номера 3" in " ".join(russian.split())
    assert "up to number 3" in " ".join(english.split())
    assert "It expires at 2015-10-01 18:30:00Z" in " ".join(english.split())
    assert "Срок истекает" in russian
    assert "deconflict line take blue FILE" in russian
    assert block.isascii()
    assert max(map(len, text.splitlines())) <= 76
    (brought,) = parcels_of([text.encode()])
    assert brought.bearer == "e-mail"


def test_each_line_of_an_email_in_arabic_is_whole() -> None:
    (message,) = made()["messages"]
    values = {
        "declaration": "4f" * 16,
        "where": {"lat_e7": 352_854_000, "lon_e7": 401_760_000},
        "level": {"reference": "AMSL", "tmm": 106_680_000},
        "at": MADE,
    }
    said = render_named("LEFT_DECLARED_LEVELS", values, "ar")
    text = email_text(made(messages=[message | {"texts": {"ar": said}}], languages=["ar"]), PACKED)
    assert "غير موثق" in text
    assert "deconflict line take blue FILE" in text
    words, _ = text.split("-----BEGIN", 1)
    assert all(map(all_closed, words.splitlines()))
    assert without_isolates(said).split() == [
        word
        for line in words.splitlines()
        if line.startswith("    ") and "take" not in line
        for word in line.translate(dict.fromkeys(map(ord, "\u2066\u2068\u2069"))).split()
    ]
    assert parcels_of([text.encode()])


def test_an_email_says_what_did_not_fit_and_when_nothing_is_in_it() -> None:
    text = email_text(made(messages=[], left_out=4, left_out_from_seq=18), PACKED)
    assert "No message is in it." in text
    assert "NOT IN THE BLOCK" in text
    assert "from number 18 on" in " ".join(text.split())


def test_the_words_of_a_message_cannot_pass_for_a_block_or_move_the_cursor() -> None:
    (message,) = made()["messages"]
    forged = "-----BEGIN DECONFLICT PARCEL 0123456789abcdef 3-----\x1b[2J"
    texts = {"en": forged, "ru": forged}
    text = email_text(made(messages=[message | {"texts": texts}]), PACKED)
    assert text.count("-----BEGIN") == 1
    assert "\x1b" not in text


def test_codes_stand_six_a_page_and_each_says_which_it_is() -> None:
    packed = pack_parcel(parcel_of(12))
    codes = len(code_texts(packed))
    drawn = pages(made(), packed)
    assert codes > CODES_A_PAGE
    assert len(drawn) == -(-codes // CODES_A_PAGE)
    for page in drawn:
        ET.fromstring(page)
        assert 'width="210mm" height="297mm"' in page
        assert "deconflict line take blue FILE" in page
    numbered = re.findall(r">(\d+)/(\d+)  [0-9a-f]{16}<", "".join(drawn))
    assert numbered == [(str(number), str(codes)) for number in range(1, codes + 1)]
    assert sum(page.count("<path") for page in drawn) == codes


def drilled(*marks: bool) -> dict[str, Any]:
    """A parcel with so many messages, those marked True of an exercise."""
    (message,) = made()["messages"]
    mark = {"en": "DRILL DRILL DRILL.", "ru": "УЧЕНИЕ УЧЕНИЕ УЧЕНИЕ."}
    return made(
        messages=[
            message | {"drill": drill, "seq": number} | ({"texts": mark} if drill else {})
            for number, drill in enumerate(marks, start=17)
        ]
    )


def test_an_email_and_a_page_of_an_exercise_say_so_before_anything_else() -> None:
    words = email_text(drilled(True, True), PACKED)
    assert words.startswith("УЧЕНИЕ УЧЕНИЕ УЧЕНИЕ.")
    assert "\nDRILL DRILL DRILL.\n\nMessages of blue" in words
    (page,) = pages(drilled(True), PACKED)
    assert ">DRILL DRILL DRILL<" in page


def test_an_email_and_a_page_count_the_exercises_among_what_is_real() -> None:
    words = " ".join(email_text(drilled(True, False, False), PACKED).split())
    assert "Exercise in it: 1 of 3 messages." in words
    assert "Из 3 сообщений учением являются 1." in words
    (page,) = pages(drilled(True, False, False), PACKED)
    assert "DRILL: 1 of 3 messages; the others are real" in page


def test_an_email_and_a_page_of_what_is_real_say_nothing_of_an_exercise() -> None:
    words = email_text(made(), PACKED)
    assert "DRILL" not in words
    assert "УЧЕНИ" not in words
    (page,) = pages(made(), PACKED)
    assert "DRILL" not in page
