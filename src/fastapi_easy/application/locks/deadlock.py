"""Who waits, in the end, for themselves."""

from collections.abc import Sequence
from typing import Final

from fastapi_easy.application.locks.owners import task_of
from fastapi_easy.domain.locks.lease import WaitEdge

LONGEST: Final = 64
"""Tasks in a circle that is looked for."""


def circle_of(owner: str, edges: Sequence[WaitEdge]) -> tuple[WaitEdge, ...]:
    """The waits that lead from the task of *owner* back to it, its own the first; empty when none do.

    Only for the one who came last: everybody else in the circle gets on when that one gives up.
    """
    waits = {task_of(each.waiter): each for each in edges}
    me = here = task_of(owner)
    walked: list[WaitEdge] = []
    while here in waits and len(walked) < LONGEST:
        edge = waits[here]
        walked.append(edge)
        here = task_of(edge.holder)
        if here == me:
            return tuple(walked) if walked[0] == max(walked, key=_lateness) else ()
    return ()


def _lateness(edge: WaitEdge) -> tuple[int, str]:
    return edge.ticket, edge.waiter
