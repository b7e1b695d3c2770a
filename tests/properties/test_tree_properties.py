"""The tree that grows against the definition of RFC 9162, word for word, on trees of any size."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.errors import BrokenProofError
from deconflict.line.tree import (
    MAX_PROOF_HASHES,
    CompactRange,
    TreeHead,
    verify_consistency,
    verify_inclusion,
)
from effort import examples
from line_talk import grown
from tree_leaves import leaf_hash

MOST = 130
ALL = [leaf_hash(str(number).encode()) for number in range(MOST)]
sizes = st.integers(0, MOST)


# ---- the definition: RFC 9162 §2.1.1, §2.1.3.1 and §2.1.4.1 ------------------------------------


def split(count: int) -> int:
    half = 1
    while half * 2 < count:
        half *= 2
    return half


def twin_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + twin_root(leaves[:k]) + twin_root(leaves[k:])).digest()


def twin_path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*twin_path(m, leaves[:k]), twin_root(leaves[k:])]
    return [*twin_path(m - k, leaves[k:]), twin_root(leaves[:k])]


def twin_proof(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [twin_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*twin_proof(m, leaves[:k], whole), twin_root(leaves[k:])]
    return [*twin_proof(m - k, leaves[k:], False), twin_root(leaves[:k])]


def head(size: int) -> TreeHead:
    return TreeHead(size, twin_root(ALL[:size]))


# ---- the same, growing --------------------------------------------------------------------------


@given(sizes)
def test_the_root_is_the_defined_one(size: int) -> None:
    tree = grown(ALL[:size], size)
    assert tree.agreed == tree.head_at(size) == head(size)
    assert tree.agreed_size == tree.agreed.size == size


@given(st.lists(sizes, min_size=2, max_size=4).map(sorted))
def test_a_tree_knows_every_size_from_the_agreed_one_on(at: list[int]) -> None:
    agreed, *later, last = at
    tree = grown(ALL[:last], agreed)
    for size in (*later, last):
        assert tree.head_at(size) == head(size)
    for size in (last, *reversed(later), *later):  # asked in any order
        assert tree.head_at(size) == head(size)
    for size in later:
        tree.agree(size)
        assert (tree.agreed, tree.size, tree.head_at(last)) == (head(size), last, head(last))


@given(st.lists(sizes, min_size=3, max_size=3).map(sorted))
def test_consistency_is_the_defined_proof_and_verifies(at: list[int]) -> None:
    old, new, last = at
    proof = grown(ALL[:last], old).consistency(new)
    assert list(proof) == ([] if old == 0 else twin_proof(old, ALL[:new]))
    assert verify_consistency(head(old), head(new), proof) == head(new)


@given(st.lists(sizes, min_size=3, max_size=3).map(sorted))
def test_inclusion_is_the_defined_proof_and_verifies(at: list[int]) -> None:
    agreed, index, size = at
    if index >= size:
        return
    proof = grown(ALL[:MOST], agreed).inclusion(index, size)
    assert list(proof) == twin_path(index, ALL[:size])
    assert verify_inclusion(ALL[index], index, head(size), proof) == head(size)


# ---- and nothing else verifies ------------------------------------------------------------------


def altered(proof: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    changed = list(proof)
    how = data.draw(st.sampled_from(["flip", "drop", "add", "swap", "short"]))
    at = data.draw(st.integers(0, max(len(changed) - 1, 0)))
    if how == "add" or not changed:
        changed.insert(at, data.draw(st.sampled_from([ALL[0], b"\0" * 32, head(3).root])))
    elif how == "drop":
        del changed[at]
    elif how == "short":
        changed[at] = changed[at][:-1]
    elif how == "flip":
        bit = data.draw(st.integers(0, 255))
        changed[at] = bytes(
            byte ^ (1 << bit % 8) if place == bit // 8 else byte
            for place, byte in enumerate(changed[at])
        )
    else:
        changed[0], changed[at] = changed[at], changed[0]
    return tuple(changed)


@given(st.lists(sizes, min_size=2, max_size=2).map(sorted), st.data())
def test_any_other_consistency_proof_is_refused(at: list[int], data: st.DataObject) -> None:
    old, new = at
    proof = grown(ALL[:new], old).consistency(new)
    wrong = altered(proof, data)
    if wrong != proof:
        with pytest.raises(BrokenProofError):
            verify_consistency(head(old), head(new), wrong)


@given(sizes, sizes, sizes, st.data())
def test_a_proof_between_other_trees_is_refused(
    old: int, new: int, other: int, data: st.DataObject
) -> None:
    old, new = min(old, new), max(old, new)
    proof = grown(ALL[:new], old).consistency(new)
    changed = TreeHead(old, data.draw(st.sampled_from([head(other).root, b"\0" * 32])))
    if changed != head(old):
        with pytest.raises(BrokenProofError):
            verify_consistency(changed, head(new), proof)
    if old not in (0, other) and new != other:
        with pytest.raises(BrokenProofError):
            verify_consistency(head(old), head(other), proof)


@given(st.integers(1, MOST), st.data())
def test_any_other_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = grown(ALL[:size], 0).inclusion(index, size)
    wrong = altered(proof, data)
    if wrong != proof:
        with pytest.raises(BrokenProofError):
            verify_inclusion(ALL[index], index, head(size), wrong)
    other = data.draw(st.integers(0, MOST - 1))
    if other != index:
        with pytest.raises(BrokenProofError):
            verify_inclusion(ALL[other], index, head(size), proof)
        with pytest.raises(BrokenProofError):
            verify_inclusion(ALL[index], other, head(size), proof)


def test_a_proof_without_end_is_refused() -> None:
    with pytest.raises(BrokenProofError):
        verify_inclusion(ALL[0], 0, head(1), [ALL[0]] * (MAX_PROOF_HASHES + 1_000_000))


def test_what_is_no_longer_known_cannot_be_asked() -> None:
    tree = grown(ALL[:20], 10)
    for size in (9, 21):
        for ask in (tree.head_at, tree.agree, tree.consistency):
            with pytest.raises(ValueError, match="size"):
                ask(size)
    with pytest.raises(ValueError, match="leaf"):
        tree.inclusion(9, 20)
    with pytest.raises(ValueError, match="subtrees"):
        grown(ALL[:10], 10)._agreed.part(3, 5)


@examples(20)
@given(st.data())
def test_a_long_tree_asked_in_any_order_is_the_defined_one(data: st.DataObject) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(5_000)]
    tree = grown(leaves, 1_500)
    least = 1_500
    for asked in data.draw(st.lists(st.integers(1_500, 5_000), min_size=1, max_size=8)):
        size = max(asked, least)
        whole = CompactRange()
        for leaf in leaves[:size]:
            whole.add(leaf)
        assert tree.head_at(size) == whole.head
        if data.draw(st.booleans()) and size - least < 600:
            tree.agree(size)
            least = size


def test_sizes_that_fall_cost_no_more_than_a_stride_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer chooses the sizes; a tree that began anew for each would hold up whoever asks."""
    tree = grown([leaf_hash(str(number).encode()) for number in range(20_000)], 0)
    tree.head_at(20_000)
    added = 0
    add = CompactRange.add

    def counted(self: CompactRange, leaf: bytes) -> None:
        nonlocal added
        added += 1
        add(self, leaf)

    monkeypatch.setattr(CompactRange, "add", counted)
    for size in range(19_999, 19_899, -1):
        tree.head_at(size)
    assert added <= 100 * 1_024
