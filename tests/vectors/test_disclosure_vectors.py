"""The published small files, as any other implementation would read them."""

import json
from pathlib import Path
from typing import Any

import pytest

from deconflict import errors
from deconflict.line.keys import VerifyKey
from deconflict.node.disclosure import VerifiedDisclosure, verify_disclosure
from deconflict.node.equivocation import VerifiedEquivocation, verify_equivocation
from deconflict.node.proof_lines import Disclosure, read_proof_file

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "disclosure.json").read_text()
)
TRUSTED = {party: VerifyKey.from_base64(key) for party, key in VECTORS["trusted_keys"].items()}


def verified(text: str) -> VerifiedDisclosure | VerifiedEquivocation:
    proof = read_proof_file(text.encode())
    if isinstance(proof, Disclosure):
        return verify_disclosure(proof, TRUSTED)
    return verify_equivocation(proof, TRUSTED)


@pytest.mark.parametrize("case", VECTORS["good"], ids=lambda case: case["name"])
def test_a_published_file_proves_what_it_says(case: dict[str, Any]) -> None:
    found, proves = verified(case["text"]), case["proves"]
    assert found.party == proves["party"]
    if isinstance(found, VerifiedDisclosure):
        assert (found.envelope.seq, found.hash) == (proves["number"], proves["hash"])
        assert (found.size, found.cosigned_utc) == (proves["size"], proves["cosigned_utc"])
    else:
        assert (found.what, found.number) == (proves["what"], proves["number"])


@pytest.mark.parametrize("case", VECTORS["bad"], ids=lambda case: case["name"])
def test_any_other_file_gives_the_error_it_says(case: dict[str, Any]) -> None:
    with pytest.raises(getattr(errors, case["error"])) as refused:
        verified(case["text"])
    assert type(refused.value).__name__ == case["error"]
