"""Writes ``vectors/bundle-parts.json``: a record of a check of sites, whose list travels in a part.

    PYTHONPATH=src:tests python tests/vectors/make_bundle_parts.py

What each case is refused with is asked of nobody: it is written here by hand.
"""

import base64
import hashlib
import json
import tempfile
from pathlib import Path

from deconflict.store.parts import Parts
from private_record import PERIOD_MS
from record_samples import KEYS
from site_record import HELD, SiteRecord

FILE = Path(__file__).parents[2] / "vectors" / "bundle-parts.json"


def lines(bundle: bytes) -> list[str]:
    """Return the lines of a bundle without their ends."""
    return bundle.decode().splitlines()


def main() -> None:
    """Write the file."""
    record = SiteRecord()
    with tempfile.TemporaryDirectory() as folder:
        bundle = lines(record.bundle(Parts(Path(folder) / "parts"), exported_ms=PERIOD_MS + 1))
    without = lines(record.bundle(None, exported_ms=PERIOD_MS + 1))
    (part,) = (line for line in bundle if line.endswith('"type":"part"}'))
    held = json.loads(part)
    (at,) = (place for place, line in enumerate(bundle) if line == part)
    data = base64.b64decode(held["data"])
    flipped = base64.b64encode(bytes([data[0] ^ 1]) + data[1:]).decode()
    strange = next(  # behind the part by its order
        text
        for text in (f"nobody named it {number}".encode() for number in range(10_000))
        if hashlib.sha256(text).hexdigest() > held["sha256"]
    )
    unnamed = json.dumps(
        {
            "data": base64.b64encode(strange).decode(),
            "sha256": hashlib.sha256(strange).hexdigest(),
            "type": "part",
        },
        separators=(",", ":"),
    )
    content = {
        "format": "deconflict vectors/1",
        "specification": "specs/bundle.md, specs/private-check.md section 10",
        "source": "made by this project (tests/vectors/make_bundle_parts.py); signing seeds are 32 "
        "times the letter b (blue) and r (red)",
        "about": "'bundle' is the file's lines, each ended by a newline. It verifies with "
        "'trusted_keys'. Without its one part line, and with 'seal_without' for the last line, it "
        "verifies too, and the part is reported missing. Each case under 'invalid' alters it (one "
        "text replaced once, or lines by number, and strange ones, in another order), and is "
        "refused with this error. 'opened' is what each side gives an "
        "arbiter of run 0: both follow from it.",
        "trusted_keys": {party: key.to_base64() for party, key in KEYS.items()},
        "bundle": bundle,
        "seal_without": without[-1],
        "parts": {"check": record.check, "run": 0, "named": [held["sha256"]]},
        "opened": {
            party: {"held": HELD[party].decode(), "seed": record.opened(party)} for party in HELD
        },
        "audited": {
            "blue": {"steps": 3, "outcome": "HIT", "warned": {"hospital": 1}},
            "red": {"steps": 4, "outcome": None, "sites": 2, "decoys": 1},
        },
        "invalid": [
            {
                "name": "a byte of a part",
                "replace": [held["data"][:64], flipped[:64]],
                "error": "BrokenProofError",
            },
            {
                "name": "a part in another spelling of base64",
                "replace": [held["data"][-64:], held["data"][-64:] + "===="],
                "error": "InvalidDocumentError",
            },
            {
                "name": "a part under another hash",
                "replace": [
                    f'"sha256":"{held["sha256"]}","type":"part"',
                    f'"sha256":"{"0" * 64}","type":"part"',
                ],
                "error": "BrokenProofError",
            },
            {
                "name": "a part with another member",
                "replace": ['","type":"part"}', '","size":1,"type":"part"}'],
                "error": "InvalidDocumentError",
            },
            {
                "name": "a part twice",
                "order": [*range(at + 1), at, *range(at + 1, len(bundle))],
                "error": "InvalidDocumentError",
            },
            {
                "name": "a part that no step names",
                "order": [*range(at + 1), unnamed, *range(at + 1, len(bundle))],
                "error": "InvalidDocumentError",
            },
            {
                "name": "a part before the entries",
                "order": [0, at, *range(1, at), *range(at + 1, len(bundle))],
                "error": "InvalidDocumentError",
            },
            {
                "name": "a part left out under the same seal",
                "order": [*range(at), *range(at + 1, len(bundle))],
                "error": "BadSignatureError",
            },
        ],
    }
    if bundle[:at] != without[:at]:
        raise SystemExit("a bundle without its part differs in more than the part and the seal")
    FILE.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
