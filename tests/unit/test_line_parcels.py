"""Parcels: the packets of the network in a file, a mail, codes; and what the way does to them."""

import hashlib
import quopri
import re
import textwrap
import time
import tracemalloc
import zlib
from email.message import EmailMessage

import pytest

from deconflict.errors import DeconflictError, InvalidDocumentError
from deconflict.line.armour import armoured
from deconflict.line.bearers import MAX_BROUGHT_BYTES, parcels_of
from deconflict.line.codes import code_texts
from deconflict.line.packets import encode_packets
from deconflict.line.parcel import (
    MAX_PARCEL_BYTES,
    PARCEL_MAGIC,
    decode_parcel,
    encode_parcel,
    pack_parcel,
    unpack_parcel,
)
from line_talk import LINE
from parcel_samples import MADE, PACKED, parcel_of

PARCEL = parcel_of(3)
BLOCK = armoured(PACKED)
WORDS = "From: watch@example\r\n\r\nGood evening. 1 + 1 = 2, and this is no part of it.\r\n"


def taken(*files: str | bytes) -> bytes:
    contents = [file.encode() if isinstance(file, str) else file for file in files]
    (brought,) = parcels_of(contents)
    return brought.parcel


def quoted(text: str, mark: str = "> ") -> str:
    return "".join(f"{mark}{line}\n" for line in text.splitlines())


def test_a_parcel_holds_the_packets_that_the_network_would_carry() -> None:
    parcel = decode_parcel(PARCEL)
    assert PARCEL[:-65].endswith(encode_packets(parcel.packets))
    assert (parcel.head.sender, parcel.head.to, parcel.head.packets) == ("blue", "red", 3)


@pytest.mark.parametrize("at", [0, len(PARCEL_MAGIC) + 3, len(PARCEL) - 200, len(PARCEL) - 1])
def test_a_changed_byte_of_a_file_is_found(at: int) -> None:
    changed = PARCEL[:at] + bytes([PARCEL[at] ^ 1]) + PARCEL[at + 1 :]
    with pytest.raises(InvalidDocumentError):
        decode_parcel(changed)


def test_a_parcel_cut_off_says_so() -> None:
    with pytest.raises(InvalidDocumentError, match="cut off"):
        decode_parcel(PARCEL[:-10])
    with pytest.raises(InvalidDocumentError, match="something follows"):
        decode_parcel(PARCEL + b"\n")


def test_a_parcel_says_how_many_packets_it_holds() -> None:
    head, _, body = PARCEL[:-65][len(PARCEL_MAGIC) :].partition(b"\n")
    fewer = body.splitlines(keepends=True)[0]
    lying = head.replace(b'"bytes":%d' % len(body), b'"bytes":%d' % len(fewer))
    short = PARCEL_MAGIC + lying + b"\n" + fewer
    with pytest.raises(InvalidDocumentError, match="packets are missing"):
        decode_parcel(short + hashlib.sha256(short).hexdigest().encode() + b"\n")


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        WORDS + BLOCK + "-- \nthe watch\n",
        BLOCK.replace("\n", "\r\n"),
        BLOCK.replace("\n", "\r"),
        BLOCK.replace("\n", "   \t\n"),
        quoted(BLOCK),
        quoted(quoted(WORDS + BLOCK), ">"),
        quoted(BLOCK, "| "),
        "\n\n".join(BLOCK.splitlines()),
        "\n".join(f"    {line}" for line in BLOCK.splitlines()),
        # Rewrapped at its spaces, as a mailer does that thinks it is prose.
        "\n".join(textwrap.fill(line, 66) for line in BLOCK.splitlines()),
        quopri.encodestring((WORDS + BLOCK).encode(), quotetabs=True).decode(),
        # Soft breaks in the middle of every line.
        re.sub(r"(.{40})(?=.)", r"\1=\r\n", BLOCK),
        BLOCK.replace("+", "=2B").replace("/", "=2f"),
        BLOCK + quoted(BLOCK),
        "<p>a < b</p><div>" + BLOCK.replace("\n", '<br style="x">') + "</div>",
        "".join(f"<div>&gt;&nbsp;{line}</div>\n" for line in BLOCK.splitlines()),
    ],
    ids=[
        *("plain", "words around", "CRLF", "CR", "spaces", "quoted", "quoted twice", "bars"),
        *("double spaced", "indented", "rewrapped", "quoted-printable", "soft breaks"),
        *("escaped", "and quoted again", "HTML", "HTML quoted"),
    ],
)
def test_what_mail_does_to_a_block_is_undone(text: str) -> None:
    assert taken(text) == PARCEL


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
def test_a_whole_mail_is_read_as_it_was_saved(encoding: str) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Линия"
    mail.set_content("НЕ ПОДЛИННО\n" + BLOCK, charset="utf-8", cte=encoding)
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png")
    assert taken(mail.as_bytes()) == PARCEL


def test_a_text_file_of_another_encoding_is_read() -> None:
    assert taken(BLOCK.encode("utf-16")) == PARCEL
    assert taken(b"\xef\xbb\xbf" + BLOCK.encode()) == PARCEL
    assert taken(b"caf\xe9 " + BLOCK.encode("latin-1")) == PARCEL


def test_no_line_of_a_block_is_longer_than_mail_likes() -> None:
    assert BLOCK.isascii()
    assert max(map(len, BLOCK.splitlines())) <= 76
    assert "=" not in BLOCK


def test_a_broken_line_is_named() -> None:
    lines = BLOCK.splitlines()
    number, data, its_sum = lines[4].split()
    lines[4] = f"{number} {data[:-1]}{'A' if data[-1] != 'A' else 'B'} {its_sum}"
    del lines[7]
    with pytest.raises(InvalidDocumentError) as caught:
        taken("\n".join(lines))
    assert caught.value.given.startswith("line 4 broken; line 7 missing; ")


def test_a_block_cut_off_names_what_is_missing() -> None:
    lines = BLOCK.splitlines()
    with pytest.raises(InvalidDocumentError, match=r"lines 6 to \d+ missing"):
        taken("\n".join(lines[:6]))


def test_two_broken_mails_of_one_parcel_make_it_whole() -> None:
    lines = BLOCK.splitlines()
    assert taken("\n".join(lines[:9]), "\n".join([lines[0], *lines[7:]])) == PARCEL


def test_lines_of_two_parcels_do_not_mix() -> None:
    other = armoured(pack_parcel(parcel_of(2))).splitlines()
    mixed = [*BLOCK.splitlines()[:3], other[3], *BLOCK.splitlines()[4:]]
    with pytest.raises(InvalidDocumentError, match="line 3 broken"):
        taken("\n".join(mixed))


def test_several_parcels_are_read_at_once() -> None:
    other = parcel_of(2)
    found = parcels_of([PARCEL, armoured(pack_parcel(other)).encode(), BLOCK.encode()])
    assert {brought.parcel for brought in found} == {PARCEL, other}


def test_codes_are_read_in_any_order_and_as_often_as_scanned() -> None:
    texts = code_texts(PACKED)
    assert len(texts) > 2
    scanned = [f"QR-Code:{text.lower()} " for text in [*reversed(texts), texts[0]]]
    assert taken("\r\n".join(scanned)) == PARCEL
    assert taken(*reversed(texts)) == PARCEL
    assert max(map(len, texts)) <= 590  # of 600 that version 15 holds at level M


def test_missing_and_broken_codes_are_named() -> None:
    texts = code_texts(PACKED)
    broken = texts[1][:-12] + ("A" if texts[1][-12] != "A" else "B") + texts[1][-11:]
    with pytest.raises(InvalidDocumentError) as caught:
        taken("\n".join([texts[0], broken, *texts[3:]]))
    assert caught.value.given.startswith("code 2 broken; code 3 missing; ")


def test_a_bomb_does_not_unpack() -> None:
    bomb = zlib.compress(b"\0" * (MAX_PARCEL_BYTES + 1_000), 9)
    with pytest.raises(InvalidDocumentError, match="does not end"):
        unpack_parcel(bomb)


def test_bombs_that_each_fit_do_not_unpack_together() -> None:
    """Some 14 kB of mail each: six hundred in one file would be five gigabytes."""
    bombs = (
        zlib.compress(PARCEL_MAGIC + bytes([number]) * (MAX_PARCEL_BYTES // 2), 9)
        for number in range(40)
    )
    text = "".join(map(armoured, bombs)).encode()
    assert len(text) < 400_000
    tracemalloc.start()
    try:
        with pytest.raises(InvalidDocumentError, match="too much to be read at once"):
            parcels_of([text])
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BROUGHT_BYTES
    finally:
        tracemalloc.stop()


def deep_mail(depth: int, lines: int) -> bytes:
    heads = "".join(
        f"Content-Type: multipart/mixed; boundary=b{each}\n\n--b{each}\n" for each in range(depth)
    )
    return ("Content-Transfer-Encoding: base64\n" + heads + "x\n" * lines).encode()


def test_too_much_is_refused_unread() -> None:
    with pytest.raises(InvalidDocumentError, match="too much"):
        parcels_of([b"x" * MAX_BROUGHT_BYTES, b"x"])
    with pytest.raises(InvalidDocumentError, match="too large"):
        decode_parcel(PARCEL_MAGIC + b"x" * MAX_PARCEL_BYTES)
    with pytest.raises(InvalidDocumentError, match="too much for an e-mail"):
        armoured(b"x" * 42 * 100_000)
    with pytest.raises(InvalidDocumentError, match="too much for paper"):
        code_texts(b"x" * 345 * 100)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"garbage\n" * 10_000,
        b"-----BEGIN DECONFLICT PARCEL 0123456789abcdef 99999-----\n" * 10_000,
        b"DCF1:0123456789ABCDEF:1/2:" + b"A" * 1_000_000,
        b"DCF1:0123456789ABCDEF:1/2:AAAAAAAA:00000000\n" * 10_000,
        b"> " * 1_000_000,
        b"content-transfer-encoding: base64\n" * 10_000,
        b"content-transfer-encoding: base64\n" * 10_000 + b"\n" + b"QUJD\n" * 100_000,
        b"content-transfer-encoding: base64\n\nQUJD\n" * 10_000,
        deep_mail(200, 100_000),
        b"content-transfer-encoding: base64\nX: " + b"a=b; " * 100_000,
        b"=\n" * 100_000 + b"DECONFLICT PARCEL",
        (BLOCK.splitlines()[0] + "\n" + "00001 \n" * 10_000).encode(),
    ],
)
def test_ten_thousand_lines_of_garbage_are_refused_in_a_second(garbage: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(DeconflictError):
        parcels_of([garbage])
    assert time.process_time() - begun < 1


def test_an_empty_parcel_is_a_parcel() -> None:
    empty = encode_parcel([], line=LINE, sender="blue", to="red", made_utc=MADE)
    assert decode_parcel(taken(armoured(pack_parcel(empty)))).packets == ()
