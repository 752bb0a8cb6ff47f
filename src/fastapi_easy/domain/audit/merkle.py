"""Merkle trees of RFC 9162: one hash for a whole chain, and short proofs about it."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

_HASH_BYTES: Final = 32

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def hash_children(left: bytes, right: bytes) -> bytes:
    """Return the node above two nodes: 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the full subtrees of a growing tree: all it takes to add leaves and to know the root.

    Args:
        size: The number of leaves so far.

        nodes: The roots of its full subtrees, the largest first: one for each 1 in the binary form of *size*.

    Raises:
        ValueError: *nodes* is not as long as *size* asks for.

    Attributes:
        size: The number of leaves.
    """

    __slots__ = ("_nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._nodes = list(nodes)
        are_hashes = all(len(each) == _HASH_BYTES for each in self._nodes)
        if size < 0 or len(self._nodes) != size.bit_count() or not are_hashes:
            raise ValueError(f"a tree of {size} leaves has another frontier")

    @property
    def nodes(self) -> tuple[bytes, ...]:
        """The roots of the full subtrees, the largest first."""
        return tuple(self._nodes)

    def append(self, leaf: bytes) -> None:
        """Add *leaf* at the end."""
        nodes, size, node = self._nodes, self.size, leaf
        while size & 1:
            node = hash_children(nodes.pop(), node)
            size >>= 1
        nodes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree."""
        if not self._nodes:
            return EMPTY_ROOT
        *left, node = self._nodes
        for each in reversed(left):
            node = hash_children(each, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root of the tree with *leaves*."""
    frontier = Frontier()
    for each in leaves:
        frontier.append(each)
    return frontier.root()


def prove_inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that the tree with *leaves* has the leaf at *index*, from 0: the nodes beside its way up.

    Raises:
        IndexError: There is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start = middle
    path.reverse()
    return path


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether *proof* shows that *leaf* is at *index* of the tree with *size* leaves and *root*."""
    if not 0 <= index < size:
        return False
    node, position, last = leaf, index, size - 1
    for each in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = hash_children(each, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = hash_children(node, each)
        position, last = position >> 1, last >> 1
    return last == 0 and node == root


def prove_consistency(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the tree with *leaves* has grown out of the one with the first *old_size* of them.

    Raises:
        IndexError: *old_size* is larger than the tree.
    """
    if not 0 <= old_size <= len(leaves):
        raise IndexError(old_size)
    if old_size in {0, len(leaves)}:
        return []
    path: list[bytes] = []
    start, end, is_whole = 0, len(leaves), True
    # The subtree in which the old tree ends; *is_whole* while the old tree is all of what it begins with.
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start, is_whole = middle, False
    if not is_whole:
        path.append(root_of(leaves[start:end]))
    path.reverse()
    return path


def is_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Return whether *proof* shows that the new tree has grown out of the old one."""
    if not 0 <= old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    nodes = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    if not nodes:
        return False
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = nodes[0]
    for each in nodes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = hash_children(each, old), hash_children(each, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = hash_children(new, each)
        position, last = position >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _split(size: int) -> int:
    """Return the largest power of two below *size*: the leaves of its left subtree."""
    return 1 << (size - 1).bit_length() - 1
