"""Every parser of bytes from outside, as something to be fuzzed: its function and its corpus.

A parser either returns what its bytes say or raises an error of ours. What it returns is written
again, where there is one spelling, and must be the same bytes.
"""

import io
import json
import random
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tests.fuzz.bearer_parsers import BEARERS
from tests.fuzz.kernel_entries import indexed, kernel_corpus, screened
from tests.fuzz.screen_tables import minima_corpus, table, table_corpus, typed_minima
from tests.fuzz.sealed_parsers import SEALED

import deconflict.api.schemas as schemas
from deconflict.airspace.instant import parse_utc
from deconflict.airspace.notation import parse_position
from deconflict.airspace.quantity import (
    parse_altitude,
    parse_distance,
    parse_duration,
    parse_height,
)
from deconflict.airspace.wire import geometry_from_wire
from deconflict.errors import DeconflictError, UnknownKeyError
from deconflict.formats.bounded_json import parse_json
from deconflict.formats.geojson import read_declarations
from deconflict.formats.geojson_stream import read_geojson_stream
from deconflict.formats.pasted import Given, read_pasted
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.line.checkpoint import read_checkpoint
from deconflict.line.envelope import SealedEnvelope, envelope_bytes, read_envelope
from deconflict.line.key_change import open_change, read_change
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.link import decode_beat, encode_beat
from deconflict.line.note import NoteKey, read_note
from deconflict.line.packets import decode_packets, encode_packets
from deconflict.line.receipt import read_receipt
from deconflict.line.root import Root
from deconflict.line.statement import Signature, statement_bytes
from deconflict.line.tlog_witness import (
    add_checkpoint_bytes,
    origin_of,
    read_add_checkpoint,
    read_size,
    size_bytes,
    with_cosignature,
)
from deconflict.messages.agreement import read_terms
from deconflict.messages.bodies import parse_body
from deconflict.messages.kinds import Kind
from deconflict.node.bundle_lines import decoded, encoded
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.disclosure import verify_disclosure
from deconflict.node.equivocation import verify_equivocation
from deconflict.node.folder import NodeFolder
from deconflict.node.invitation import Invitation
from deconflict.node.proof_lines import Disclosure, encode_proof_file, read_proof_file
from deconflict.node.settings import Endpoint, Settings
from deconflict.node.witness.folder import WitnessSettings

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


@dataclass(frozen=True)
class Parser:
    """One parser.

    Attributes:
        run: takes any bytes; raises DeconflictError for those that are refused.
        corpus: yields what it reads, and near misses.
    """

    run: Callable[[bytes], object]
    corpus: Callable[[], Iterator[bytes]]


def never_breaks(parser: Parser, data: bytes) -> bool:
    """True exactly when the bytes were read; anything but an error of ours is let through."""
    try:
        parser.run(data)
    except DeconflictError:
        return False
    return True


# ---- what is read, and written again -------------------------------------------------------------


def _same(data: bytes, written: bytes) -> None:
    if written != data:
        raise AssertionError(f"read {data!r} and wrote {written!r}")


def _canonical(data: bytes) -> None:
    _same(data, canonical_bytes(parse_canonical(data)))


def _envelope(data: bytes) -> None:
    _same(data, envelope_bytes(read_envelope(data)))


def _receipt(data: bytes) -> None:
    _same(data, statement_bytes(read_receipt(data)))


def _packets(data: bytes) -> None:
    _same(data, encode_packets(decode_packets(data)))


def _beat(data: bytes) -> None:
    _same(data, encode_beat(decode_beat(data)))


def _note(data: bytes) -> None:
    note = read_note(data)
    _same(data, note.to_bytes())
    with suppress(DeconflictError):
        read_checkpoint(note.text)


def _add_checkpoint(data: bytes) -> None:
    request = read_add_checkpoint(data)
    _same(data, add_checkpoint_bytes(request))
    with suppress(DeconflictError):
        origin_of(request)


def _cosignatures(data: bytes) -> None:
    answered = _vectors("tlog-witness.json")["answers"][1]
    note, key = read_note(answered["note"].encode()), NoteKey.from_text(answered["vkey"])
    signed, _ = with_cosignature(note, data, key)
    if signed.text != note.text or len(signed.signatures) != 2:
        raise AssertionError(f"{data!r} became {signed!r}")


def _tlog_size(data: bytes) -> None:
    _same(data, size_bytes(read_size(data)))


def _vkey(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    _same(text.encode(), NoteKey.from_text(text).to_text().encode())


def _bundle_line(data: bytes) -> None:
    _same(data, encoded(decoded(data)))


def _bundle(data: bytes) -> None:
    verify_bundle([data], _keys("bundle.json"))


def _proof_file(data: bytes) -> None:
    proof = read_proof_file(data)
    _same(data, encode_proof_file(proof))
    keys = _keys("disclosure.json")
    if isinstance(proof, Disclosure):
        verify_disclosure(proof, keys)
    else:
        verify_equivocation(proof, keys)


def _invitation(data: bytes) -> None:
    _same(data, Invitation.parse(data).export())


def _key_change(data: bytes) -> None:
    change = read_change(data)
    _same(data.removesuffix(b"\n") + b"\n", change.export())
    vectors = _vectors("key-change.json")
    root = Root.from_plain(vectors["root"])
    open_change(change, party=vectors["party"], first=vectors["first"], root=root)


def _unknown_key(data: bytes) -> None:
    """An entry under a key that was never heard of is read before its signature: a part of it."""
    vectors = _vectors("key-change.json")
    first = SigningKey.from_seed(bytes.fromhex(vectors["seeds"]["first"]) * 32).verify_key
    ring = KeyRing(vectors["party"], first, Root.from_plain(vectors["root"]))
    sealed = SealedEnvelope(data, Signature("Ed25519", "0" * 64, b""))
    if len(ring.candidates(sealed)) == 1:
        raise UnknownKeyError("no root vouches for a key of it")


def _terms(data: bytes) -> None:
    read_terms(data)


def _settings(data: bytes) -> None:
    settings = Settings.parse(data.decode("utf-8", "replace"))
    if Settings.parse(settings.render()) != settings:
        raise AssertionError(f"{settings} is not read back as it was written")


def _witness_settings(data: bytes) -> None:
    settings = WitnessSettings.parse(data.decode("utf-8", "replace"))
    if WitnessSettings.parse(settings.render()) != settings:
        raise AssertionError(f"{settings} is not read back as it was written")


def _body(data: bytes) -> None:
    value = parse_json(data)
    for kind in Kind:
        with suppress(DeconflictError):
            parse_body(kind, value)


def _api_body(data: bytes) -> None:
    value = parse_json(data)
    for model in REQUESTS:
        with suppress(ValidationError):
            model.model_validate(value)


def _typed(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for parse in (
        parse_position,
        parse_altitude,
        parse_distance,
        parse_height,
        parse_duration,
        parse_utc,
    ):
        with suppress(DeconflictError):
            parse(text)


def _pasted(data: bytes) -> None:
    """Read as what it is found to be; what is whole is written, and read back the same."""
    for draft in read_pasted(data, PASTED_GAPS).drafts:
        for missing in draft.missing():
            if not missing.text:
                raise AssertionError(f"{missing} says nothing")
        wire = draft.to_wire()
        if draft.geometry is not None and geometry_from_wire(wire) != draft.geometry:
            raise AssertionError(f"{wire} is not read back as it was written")


def _pasted_kmz(data: bytes) -> None:
    """The same, of a KMZ that holds these bytes as its KML."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", data)
    _pasted(packed.getvalue())


def _screen_json(data: bytes) -> None:
    """In one piece, and a little at a time: what is read, and what is refused, must be the same."""
    said: list[object] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "screened.geojson"
        path.write_bytes(data)
        for part_bytes in (1 << 20, 61):
            try:
                parts = read_geojson_stream(path, advance=lambda _: None, part_bytes=part_bytes)
                said.append([name for part in parts for name in part.names().values()])
            except DeconflictError as error:
                said.append(error)
    one, other = said
    if isinstance(one, DeconflictError) and isinstance(other, DeconflictError):
        raise one
    _same(repr(one).encode(), repr(other).encode())


REQUESTS: tuple[type[schemas.Request], ...] = tuple(
    model
    for model in vars(schemas).values()
    if isinstance(model, type)
    and issubclass(model, schemas.Request)
    and model is not schemas.Request
)

# ---- what is known to be read --------------------------------------------------------------------


def _vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def _keys(name: str) -> dict[str, VerifyKey]:
    return {
        party: VerifyKey.from_base64(key) for party, key in _vectors(name)["trusted_keys"].items()
    }


def _texts(name: str, *lists: str, field: str = "text") -> Callable[[], Iterator[bytes]]:
    def corpus() -> Iterator[bytes]:
        vectors = _vectors(name)
        for one in lists:
            for case in vectors[one]:
                if isinstance(case.get(field), str):
                    yield case[field].encode("utf-8", "surrogatepass")

    return corpus


def _packet_texts() -> Iterator[bytes]:
    for name in ("packets.json", "resync.json"):
        yield from _texts(name, "good", "bad")()


def _vkeys() -> Iterator[bytes]:
    yield _vectors("tlog-witness.json")["answers"][1]["vkey"].encode()
    for vkey in _vectors("tlog-witness.json")["bad_vkeys"]:
        yield vkey.encode()


def _witness_settings_corpus() -> Iterator[bytes]:
    yield WitnessSettings("agency.example/w1", Endpoint("::1", 8444)).render().encode()


def _bundle_lines() -> Iterator[bytes]:
    for line in _vectors("bundle.json")["bundle"]:
        yield (line if isinstance(line, str) else json.dumps(line)).encode() + b"\n"


def _each_bundle_line() -> Iterator[bytes]:
    yield from _bundle_lines()
    part = next(line for line in _vectors("bundle-parts.json")["bundle"] if '"type":"part"' in line)
    yield part.encode() + b"\n"
    yield b'{"data":"","sha256":"' + b"ab" * 32 + b'","type":"part"}\n'


def _whole_bundle() -> Iterator[bytes]:
    yield b"".join(_bundle_lines())


def _beats() -> Iterator[bytes]:
    yield (
        b'{"v":1,"line":"' + b"0" * 32 + b'","from":"blue","session":"0011223344556677","number":1,'
        b'"utc_ms":1443571200000,"echo":null}'
    )
    yield (
        b'{"v":1,"line":"' + b"0" * 32 + b'","from":"red","session":"0011223344556677","number":2,'
        b'"utc_ms":1443571200000,"echo":{"session":"8899aabbccddeeff","number":1,"held_ms":7}}'
    )


def _settings_corpus() -> Iterator[bytes]:
    yield Settings(party="blue").render().encode()


def _bodies() -> Iterator[bytes]:
    for case in _vectors("messages.json")["cases"]:
        yield case["body"].encode()


def _requests() -> Iterator[bytes]:
    for model in REQUESTS:
        for example in (model.model_config.get("json_schema_extra") or {}).get("examples", ()):
            yield json.dumps(example).encode()
    yield b'{"kind":"ACK","body":{"answer":"ROGER"},"precedence":"FLASH"}'


def _geojson() -> Iterator[bytes]:
    page = (VECTORS.parent / "docs" / "reference" / "geojson-profile.md").read_text()
    for block in re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL):
        yield block.encode()


def _screened_features() -> Iterator[bytes]:
    yield from _geojson()
    flight = (
        '{"type":"Feature","id":"AF1","properties":{"label":"AF1 🛩","purpose":"TRANSIT",'
        '"party":"red","altitude_unit":"ft","altitude_reference":"FL","times_utc":'
        '["2026-11-29T08:00:00Z","2026-11-29T08:20:00Z"]},"geometry":{"type":"LineString",'
        '"coordinates":[[40.0,35.0,9000],[41.0,36.0,9000]]}}'
    )
    yield ('{"type":"FeatureCollection","features":[' + flight + "," + flight + "]}").encode()


PASTED = VECTORS.parent / "tests" / "unit" / "pasted_samples"
PASTED_GAPS = Given(
    purpose="HAZARD",
    shape="circles",
    radius="1 NM",
    half_width="1 NM",
    lower="SFC",
    upper="FL100",
    start_utc="2026-12-01T06:00:00Z",
    end_utc="2026-12-01T08:00:00Z",
)


def _pasted_samples(*names: str) -> Callable[[], Iterator[bytes]]:
    def corpus() -> Iterator[bytes]:
        for name in names:
            yield (PASTED / name).read_bytes()

    return corpus


def _pasted_positions() -> Iterator[bytes]:
    yield from _said()
    yield b"name;lat;lon\nA;35,4012;35,9487\nB;35,5;36"
    yield "36SYE6779321530\n35°24'04.3\"N 35°56'55.3\"E\n352404N0355655E".encode()
    yield "lat\tlon\n35.4\t35.9".encode("utf-16")


def _said() -> Iterator[bytes]:
    for text in ("35.4012 35.9487", "N35 24 04 E035 56 55", "37SCA1234567890", "FL250", "10 NM"):
        yield text.encode()
    yield b"2015-09-30T06:00:00Z"


def _invitations() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        NodeFolder.create(
            Path(folder) / "blue",
            Settings(party="blue", peer_url="https://blue.example:8443"),
            passphrase=None,
            now_utc_ms=1_443_571_200_000,
            random_bytes=random.Random(1).randbytes,
        )
        yield (Path(folder) / "blue" / "invitation.json").read_bytes()


PARSERS: dict[str, Parser] = {
    "canonical": Parser(_canonical, _texts("canonical.json", "valid", field="value_json")),
    "envelope": Parser(_envelope, _texts("envelope.json", "cases")),
    "packets": Parser(_packets, _packet_texts),
    "receipt": Parser(_receipt, _texts("receipt.json", "cases")),
    "note": Parser(_note, _texts("note.json", "good", "bad", field="note")),
    "checkpoint": Parser(_note, _texts("checkpoint.json", "good", "bad", field="note")),
    "add-checkpoint": Parser(
        _add_checkpoint, _texts("tlog-witness.json", "requests", "bad_requests", field="body")
    ),
    "cosignatures": Parser(_cosignatures, _texts("tlog-witness.json", "answers", field="answer")),
    "tlog-size": Parser(_tlog_size, _texts("tlog-witness.json", "sizes", field="body")),
    "vkey": Parser(_vkey, _vkeys),
    "witness-settings": Parser(_witness_settings, _witness_settings_corpus),
    "beat": Parser(_beat, _beats),
    "bundle-line": Parser(_bundle_line, _each_bundle_line),
    "bundle": Parser(_bundle, _whole_bundle),
    "proof-file": Parser(_proof_file, _texts("disclosure.json", "good", "bad")),
    "invitation": Parser(_invitation, _invitations),
    "key-change": Parser(_key_change, _texts("key-change.json", "changes")),
    "unknown-key": Parser(_unknown_key, _texts("key-change.json", "chain")),
    "settings": Parser(_settings, _settings_corpus),
    "terms": Parser(_terms, _texts("terms.json", "cases")),
    "body": Parser(_body, _bodies),
    "geojson": Parser(lambda data: read_declarations(data), _geojson),
    "pasted-positions": Parser(_pasted, _pasted_positions),
    "pasted-geojson": Parser(_pasted, _pasted_samples("areas.geojson")),
    "pasted-kml": Parser(_pasted, _pasted_samples("exercise.kml")),
    "pasted-kmz": Parser(_pasted_kmz, _pasted_samples("exercise.kml")),
    "pasted-openair": Parser(_pasted, _pasted_samples("zones.txt")),
    "api-request": Parser(_api_body, _requests),
    "typed": Parser(_typed, _said),
    "kernel-screen": Parser(screened, kernel_corpus),
    "kernel-index": Parser(indexed, kernel_corpus),
    **{name: Parser(*each) for name, each in {**BEARERS, **SEALED}.items()},
    "screen-json": Parser(_screen_json, _screened_features),
    "screen-minima": Parser(typed_minima, minima_corpus),
    **{
        f"screen-{ending[1:]}": Parser(table(ending), table_corpus(ending))
        for ending in (".csv", ".npz", ".parquet", ".arrow")
    },
}
