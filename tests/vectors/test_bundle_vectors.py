"""The published bundle and its altered copies, as any other implementation would read them."""

import base64
import json
from pathlib import Path

import pytest

from deconflict import errors
from deconflict.line.keys import VerifyKey
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_proof import verify_bundle
from deconflict.store.base import Batch
from deconflict.store.sqlite import SqliteStore
from record_samples import KEYS, LINE, SECRETS, START_MS, conversation

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "bundle.json").read_text("utf-8"))
TRUSTED = {
    party: VerifyKey(base64.b64decode(key)) for party, key in VECTORS["trusted_keys"].items()
}
BUNDLE = "".join(line + "\n" for line in VECTORS["bundle"]).encode()


def altered(case: dict) -> bytes:
    """The bundle with one text replaced once, or cut after so many bytes, or lengthened."""
    if "replace" in case:
        before, after = (text.encode() for text in case["replace"])
        assert before in BUNDLE
        return BUNDLE.replace(before, after, 1)
    if "keep_bytes" in case:
        return BUNDLE[: case["keep_bytes"]]
    return BUNDLE + case["append"].encode()


def test_the_published_bundle_verifies_to_what_it_says() -> None:
    report = verify_bundle([BUNDLE], TRUSTED)
    proves = VECTORS["proves"]
    assert (report.line_id, report.by, report.sha256) == (
        proves["line"],
        proves["by"],
        proves["sha256"],
    )
    assert list(report.agreed_terms) == proves["agreed_terms"]
    for chain in report.chains:
        told = proves["chains"][chain.party]
        assert chain.head is not None
        assert (chain.length, chain.head.hash, chain.unreceipted, chain.drills) == (
            told["length"],
            told["head"],
            told["unreceipted"],
            told["drills"],
        )
        assert (chain.cosigned, chain.cosigned_utc) == (told["cosigned"], told["cosigned_utc"])


@pytest.mark.parametrize("case", VECTORS["invalid"], ids=lambda case: case["name"])
def test_an_altered_bundle_gives_the_error_it_says(case: dict) -> None:
    with pytest.raises(getattr(errors, case["error"])) as refused:
        verify_bundle([altered(case)], TRUSTED)
    assert type(refused.value).__name__ == case["error"]


def test_a_bundle_against_other_keys_is_refused() -> None:
    with pytest.raises(errors.UnknownKeyError):
        verify_bundle([BUNDLE], {"blue": TRUSTED["red"], "red": TRUSTED["blue"]})


def test_the_same_record_exports_to_the_published_bytes() -> None:
    said: Batch = conversation(2)
    with SqliteStore.open(":memory:") as store:
        store.commit(said)
        lines = export_bundle(
            store, LINE, signer=SECRETS["blue"], peer_key=KEYS["red"], exported_utc_ms=START_MS
        )
        assert b"".join(lines) == BUNDLE
