"""The published record of a check of sites: its part, copies that are refused, and both audits."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from deconflict import errors
from deconflict.line.canonical import canonical_bytes
from deconflict.line.keys import VerifyKey
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.private.from_bundle import audited_in
from deconflict.node.private.recorded import CHECK_KINDS, RecordedRun, Verdict, read_opened
from deconflict.store.parts import Parts
from private_record import PERIOD_MS
from site_record import SiteRecord

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "bundle-parts.json").read_text("utf-8")
)
TRUSTED = {
    party: VerifyKey(base64.b64decode(key)) for party, key in VECTORS["trusted_keys"].items()
}
BUNDLE = "".join(line + "\n" for line in VECTORS["bundle"]).encode()


def test_the_published_record_verifies_and_has_its_part() -> None:
    (parts,) = verify_bundle([BUNDLE], TRUSTED).parts
    told = VECTORS["parts"]
    assert (parts.proposal, parts.run, parts.named, parts.missing) == (
        told["check"],
        told["run"],
        len(told["named"]),
        (),
    )


def test_without_its_part_it_verifies_and_says_what_is_missing() -> None:
    left = [line for line in VECTORS["bundle"][:-1] if '"type":"part"' not in line]
    bundle = "".join(line + "\n" for line in (*left, VECTORS["seal_without"])).encode()
    (parts,) = verify_bundle([bundle], TRUSTED).parts
    assert list(parts.missing) == VECTORS["parts"]["named"]


@pytest.mark.parametrize("case", VECTORS["invalid"], ids=lambda case: case["name"])
def test_an_altered_record_gives_the_error_it_says(case: dict[str, Any]) -> None:
    altered = BUNDLE
    if "replace" in case:
        before, after = (text.encode() for text in case["replace"])
        assert BUNDLE.count(before) == 1
        altered = BUNDLE.replace(before, after)
    else:
        taken = [VECTORS["bundle"][at] if isinstance(at, int) else at for at in case["order"]]
        altered = "".join(line + "\n" for line in taken).encode()
    with pytest.raises(getattr(errors, case["error"])) as refused:
        verify_bundle([altered], TRUSTED)
    assert type(refused.value).__name__ == case["error"]


@pytest.mark.parametrize("party", ["blue", "red"])
def test_each_side_follows_from_what_it_opened(party: str) -> None:
    opened, told = VECTORS["opened"][party], VECTORS["audited"][party]
    recorded = RecordedRun(read_opened(canonical_bytes(opened["seed"])), opened["held"].encode())
    proven = verify_bundle([BUNDLE], TRUSTED, recorded.look, kinds=CHECK_KINDS)
    found = audited_in(io.BytesIO(BUNDLE), proven, recorded)
    assert (found.verdict, found.peer_deviates) == (Verdict.FOLLOWS, None)
    assert (found.steps, found.outcome) == (told["steps"], told["outcome"])
    assert {each.label: each.squares for each in found.warned} == told.get("warned", {})
    assert (found.sites, found.decoys) == (told.get("sites"), told.get("decoys"))


def test_the_same_check_is_recorded_in_the_published_bytes(tmp_path: Path) -> None:
    made = SiteRecord().bundle(Parts(tmp_path / "parts"), exported_ms=PERIOD_MS + 1)
    assert made == BUNDLE
