"""Sheets as PDF: opened again and read, in every language; nothing on them is taken for markup."""

import asyncio
import hashlib
import re
import sys
import tomllib
import unicodedata
from importlib.resources import files
from pathlib import Path

import pypdfium2
import pytest
from test_paper_sheets import HOSTILE, TEXTS, fallback, handover, readout

from deconflict.errors import (
    ConfigurationError,
    InvalidDocumentError,
    InvalidInputError,
    MissingExtraError,
)
from deconflict.paper import press
from deconflict.paper.press import Press, can_press
from deconflict.paper.sheet import Sheet

FONTS = Path(str(files("deconflict.paper").joinpath("data", "fonts")))


def pressed(sheet: Sheet) -> bytes:
    return asyncio.run(Press().pdf(sheet))


def text_of(pdf: bytes) -> list[str]:
    """The text of each page, its letters as they are typed: a PDF may name their joined forms."""
    with pypdfium2.PdfDocument(pdf) as opened:
        texts = []
        for page in opened:
            found = page.get_textpage()
            texts.append(unicodedata.normalize("NFKC", found.get_text_range()))
            found.close()
            page.close()
    return texts


def words_in(text: str) -> set[str]:
    # Where two directions meet, readers of PDFs order words as they like; each is there whole.
    return set(re.findall(r"\w+", re.sub("[\u064b-\u0652\u2066-\u2069]", "", text)))


@pytest.mark.parametrize(("language", "peer"), [("en", "ru"), ("ru", "ar"), ("ar", "en")])
def test_a_readout_is_one_page_with_its_text_in_both_languages(language: str, peer: str) -> None:
    texts = {code: TEXTS[code] for code in (language, peer)}
    (page,) = text_of(pressed(readout(language, peer_language=peer, texts=texts)))
    for code in (language, peer):
        assert words_in(TEXTS[code][0]) <= words_in(page), code
    assert {"ab" * 32, "ef" * 32} <= words_in(page)


@pytest.mark.parametrize("make", [handover, fallback])
@pytest.mark.parametrize("language", ["en", "ru", "ar"])
def test_the_other_sheets_are_set_in_every_language(make: object, language: str) -> None:
    sheet = make(language)  # type: ignore[operator]
    text = "\n".join(text_of(pressed(sheet)))
    (title, *_) = sheet.title
    assert words_in(title.text) <= words_in(text)


def test_what_somebody_wrote_is_shown_and_never_run() -> None:
    texts = {"en": (HOSTILE, "#" * 200), "ru": ("#sys.inputs", "]#[", "\\u{41}")}
    text = "\n".join(text_of(pressed(readout(texts=texts))))
    squeezed = re.sub(r"\s", "", text)
    assert re.sub(r"\s", "", HOSTILE) in squeezed
    assert "#sys.inputs" in text
    assert "root:" not in text


def test_a_pdf_says_that_it_is_pdf_a_2b_and_the_same_sheet_gives_the_same_bytes() -> None:
    one, other = pressed(readout()), pressed(readout())
    assert one == other
    assert re.search(rb"pdfaid:part>2<.*pdfaid:conformance>B<", one, re.DOTALL)
    assert b"/JavaScript" not in one


def test_signs_that_no_font_has_are_refused_by_name_and_not_left_out() -> None:
    with pytest.raises(InvalidInputError, match="no font") as refused:
        pressed(readout(texts={"zh": ("双方谈到了这一事件。",)}))
    assert refused.value.given
    assert "print the page" in refused.value.remedy


@pytest.mark.parametrize("text", ["Türkçe ğış", "Україна її", "הצדדים דיברו", "دو طرف گفتگو کردند"])
def test_the_other_languages_of_a_readout_can_be_set(text: str) -> None:
    code = {"T": "tr", "У": "uk", "ה": "he"}.get(text[0], "fa")
    assert words_in(text) <= words_in(text_of(pressed(readout(texts={code: (text,)})))[0])


def test_without_the_typesetter_it_is_said_so_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    monkeypatch.setattr(press, "find_spec", lambda _name: None)
    assert not can_press()
    with pytest.raises(MissingExtraError, match="print the page from the browser"):
        pressed(readout())


def test_a_sheet_is_bounded_in_size_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = tuple("word " * 200 for _ in range(2_100))
    with pytest.raises(InvalidDocumentError, match="too much"):
        pressed(readout(texts={"en": huge}))
    monkeypatch.setattr(press, "LONGEST_S", 0.01)
    with pytest.raises(ConfigurationError, match="not ready in time"):
        pressed(readout())


def test_fonts_are_byte_for_byte_what_the_manifest_says() -> None:
    manifest = tomllib.loads((FONTS / "MANIFEST.toml").read_text())
    assert {path.name for path in FONTS.glob("*.ttf")} == manifest.keys()
    assert (FONTS / "LICENSE.OFL-1.1.txt").exists()
    for name, facts in manifest.items():
        assert hashlib.sha256((FONTS / name).read_bytes()).hexdigest() == facts["sha256"], name
        assert facts["licence"] == "OFL-1.1"
