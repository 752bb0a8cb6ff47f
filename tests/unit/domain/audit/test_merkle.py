"""Merkle trees: the vectors of RFC 6962's reference implementation, and properties for all sizes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    hash_children,
    is_consistent,
    is_included,
    prove_consistency,
    prove_inclusion,
    root_of,
)
from fastapi_easy.domain.audit.sealing import leaf_of

# The inputs and roots of the tests of certificate-transparency (Google), which RFC 6962 came with.
INPUTS = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_of(each) for each in INPUTS]

SIZES = st.integers(min_value=1, max_value=200)


def leaves(number: int) -> list[bytes]:
    return [leaf_of(str(each).encode()) for each in range(number)]


def naive_root(tree: list[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word by word."""
    if not tree:
        return EMPTY_ROOT
    if len(tree) == 1:
        return tree[0]
    split = 1
    while split * 2 < len(tree):
        split *= 2
    return hash_children(naive_root(tree[:split]), naive_root(tree[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_proofs_are_those_of_the_reference_implementation() -> None:
    inclusion = [each.hex() for each in prove_inclusion(LEAVES, 5)]
    consistency = [each.hex() for each in prove_consistency(LEAVES, 6)]

    assert inclusion == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert consistency == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_a_growing_tree_has_the_root_of_the_definition() -> None:
    for size in range(130):
        assert root_of(leaves(size)) == naive_root(leaves(size))


@given(SIZES, st.data())
def test_a_frontier_goes_on_where_another_stopped(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, size))
    before = Frontier()
    for each in leaves(first):
        before.append(each)
    after = Frontier(before.size, before.nodes)
    for each in leaves(size)[first:]:
        after.append(each)

    assert (after.size, after.root()) == (size, naive_root(leaves(size)))


@pytest.mark.parametrize(("size", "nodes"), [(-1, 0), (3, 1), (4, 2), (0, 1)])
def test_a_frontier_of_another_size_is_refused(size: int, nodes: int) -> None:
    with pytest.raises(ValueError, match="another frontier"):
        Frontier(size, [bytes(32)] * nodes)


def test_a_node_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="another frontier"):
        Frontier(1, [b"short"])


@given(SIZES, st.data())
def test_each_leaf_is_proved_and_no_other(size: int, data: st.DataObject) -> None:
    tree = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof, root = prove_inclusion(tree, index), root_of(tree)

    assert is_included(tree[index], index, size, proof, root)
    assert not is_included(leaf_of(b"another"), index, size, proof, root)
    assert not is_included(tree[index], index, size, [*proof, bytes(32)], root)
    assert not is_included(tree[index], index, size, proof, bytes(32))
    assert not is_included(tree[index], size, size, proof, root)
    assert not is_included(tree[index], -1, size, proof, root)
    assert not any(
        is_included(tree[index], other, size, proof, root) for other in range(size) if other != index
    )
    if proof:
        assert not is_included(tree[index], index, size, proof[:-1], root)
        assert not is_included(tree[index], index, size, [bytes(32), *proof[1:]], root)


@given(SIZES, st.data())
def test_growth_is_proved_and_nothing_else(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    tree = leaves(size)
    proof, before, after = prove_consistency(tree, old), root_of(tree[:old]), root_of(tree)

    assert is_consistent(old, before, size, after, proof)
    assert not is_consistent(old, bytes(32), size, after, proof)
    assert not is_consistent(old, before, size, after, [*proof, bytes(32)])
    if old:
        assert not is_consistent(old, before, size, bytes(32), proof)
    if old < size:
        assert not is_consistent(size, after, old, before, proof)
    if proof:
        assert not is_consistent(old, before, size, after, proof[:-1])
        assert not is_consistent(old, before, size, after, [bytes(32), *proof[1:]])


def test_all_sizes_up_to_thirty_three_are_proved_to_have_grown() -> None:
    for size in range(34):
        tree = leaves(size)
        for old in range(size + 1):
            proof = prove_consistency(tree, old)
            assert is_consistent(old, root_of(tree[:old]), size, root_of(tree), proof)


@given(st.integers(2, 100), st.data())
def test_a_tree_that_was_rewritten_has_not_grown(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old - 1))
    tree = leaves(size)
    rewritten = [*tree[:changed], leaf_of(b"another"), *tree[changed + 1 :]]

    proof = prove_consistency(rewritten, old)

    assert not is_consistent(old, root_of(tree[:old]), size, root_of(rewritten), proof)


@pytest.mark.parametrize("index", [-1, 3])
def test_what_is_not_there_cannot_be_proved(index: int) -> None:
    with pytest.raises(IndexError):
        prove_inclusion(leaves(3), index)


@pytest.mark.parametrize("old", [-1, 4])
def test_growth_from_a_larger_tree_cannot_be_proved(old: int) -> None:
    with pytest.raises(IndexError):
        prove_consistency(leaves(3), old)


def test_roots_of_neighbouring_sizes_differ() -> None:
    roots = [root_of(leaves(size)) for size in range(20)]
    assert all(one != another for one, another in pairwise(roots))
