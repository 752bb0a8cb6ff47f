"""Deadlock detection: a cycle of owners who wait for one another."""

from collections.abc import Sequence
from typing import Final

from fastapi_easy.application.locks.owners import task_of
from fastapi_easy.domain.locks.lease import WaitEdge

MAX_CYCLE_LENGTH: Final = 64
"""Tasks in a deadlock at most; longer chains are not followed."""


def find_cycle(owner: str, edges: Sequence[WaitEdge]) -> tuple[WaitEdge, ...]:
    """Return the wait edges of a deadlock that the task of *owner* is part of, its own first; empty without one.

    Only the youngest waiter of the cycle gets an answer: the others proceed once that one gives up.
    """
    waits = {task_of(each.waiter): each for each in edges}
    me = here = task_of(owner)
    walked: list[WaitEdge] = []
    while here in waits and len(walked) < MAX_CYCLE_LENGTH:
        edge = waits[here]
        walked.append(edge)
        here = task_of(edge.holder)
        if here == me:
            return tuple(walked) if walked[0] == max(walked, key=_arrival_order) else ()
    return ()


def _arrival_order(edge: WaitEdge) -> tuple[int, str]:
    return edge.ticket, edge.waiter
