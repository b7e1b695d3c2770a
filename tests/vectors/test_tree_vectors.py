"""The published trees and proofs of Certificate Transparency."""

import json
from pathlib import Path
from typing import Any

import pytest

from deconflict.errors import BrokenProofError
from deconflict.line.tree import (
    EMPTY_ROOT,
    CompactRange,
    TreeHead,
    verify_consistency,
    verify_inclusion,
)
from line_talk import grown
from tree_leaves import leaf_hash

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "tree.json").read_text()
)
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves_hex"]]
ROOTS = [bytes.fromhex(VECTORS["empty_root"]), *(bytes.fromhex(root) for root in VECTORS["roots"])]


def head(size: int) -> TreeHead:
    return TreeHead(size, ROOTS[size])


def hashes(proof: list[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(one) for one in proof)


def test_the_root_is_the_published_one_at_every_size() -> None:
    growing = CompactRange()
    assert growing.head == TreeHead(0, EMPTY_ROOT) == head(0)
    for size, leaf in enumerate(LEAVES, start=1):
        growing.add(leaf)
        assert growing.head == head(size)
        assert grown(LEAVES, 0).head_at(size) == head(size)


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=lambda c: f"{c['index']} in {c['size']}")
def test_inclusion_is_proven_as_published(case: dict[str, Any]) -> None:
    index, size, proof = case["index"], case["size"], hashes(case["proof"])
    assert grown(LEAVES, 0).inclusion(index, size) == proof
    assert verify_inclusion(LEAVES[index], index, head(size), proof) == head(size)


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda c: f"{c['old']} to {c['new']}")
def test_consistency_is_proven_as_published(case: dict[str, Any]) -> None:
    old, new, proof = case["old"], case["new"], hashes(case["proof"])
    assert grown(LEAVES, old).consistency(new) == proof
    assert verify_consistency(head(old), head(new), proof) == head(new)


@pytest.mark.parametrize("case", VECTORS["refused_inclusion"], ids=lambda c: c["name"])
def test_a_leaf_of_no_tree_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BrokenProofError):
        verify_inclusion(LEAVES[0], case["index"], TreeHead(case["size"], EMPTY_ROOT), ())


@pytest.mark.parametrize("case", VECTORS["refused_consistency"], ids=lambda c: c["name"])
def test_a_tree_that_did_not_grow_out_of_the_other_is_refused(case: dict[str, Any]) -> None:
    old, new = (TreeHead(size, bytes.fromhex(root)) for size, root in (case["old"], case["new"]))
    with pytest.raises(BrokenProofError):
        verify_consistency(old, new, hashes(case["proof"]))
