"""Several grants as one: what all of them allow, and what any of them allows."""

from collections.abc import Iterable, Sequence

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.queries.specification import AnyOf, Everything, Specification, all_of


def meet(grants: Sequence[Grant | None]) -> Grant | None:
    """Return what all of *grants* allow; `None` where one is `None`, or two stamp the same field differently."""
    stamps: dict[str, object] = {}
    allowed: list[Grant] = []
    for each in grants:
        if each is None or any(stamps.get(name, value) != value for name, value in each.stamps.items()):
            return None
        stamps |= each.stamps
        allowed.append(each)
    rows = all_of(*_distinct(each.rows for each in allowed))
    return Grant(
        rows=rows,
        readable=_shared(each.readable for each in allowed),
        writable=_shared(each.writable for each in allowed),
        stamps=stamps,
    )


def join(grants: Iterable[Grant | None]) -> Grant | None:
    """Return one grant for what any of *grants* allows; `None` where all are `None`.

    Of entities it allows those of each. Of fields it allows those that all of them do: no entity shows, or takes, a
    field which none of the grants that are about this very entity allows. A grant that another one includes adds
    nothing, and takes nothing away either.

    Those that stamp a field differently from an earlier one are left out.
    """
    kept: list[Grant] = []
    for each in grants:
        if each is None or any(_includes(other, each) for other in kept):
            continue
        kept = [other for other in kept if not _includes(each, other)]
        if not any(_contradict(each, other) for other in kept):
            kept.append(each)
    if len(kept) < 2:  # noqa: PLR2004 (nothing to join)
        return kept[0] if kept else None
    stamps = {name: value for each in kept for name, value in each.stamps.items()}
    return Grant(
        rows=_any_of(_distinct(each.rows for each in kept)),
        readable=_shared(each.readable for each in kept),
        writable=_shared(each.writable for each in kept),
        stamps=stamps,
    )


def _includes(wider: Grant, narrower: Grant) -> bool:
    """Return whether *wider* allows all that *narrower* does."""
    return (
        (isinstance(wider.rows, Everything) or wider.rows == narrower.rows)
        and _has_all(wider.readable, narrower.readable)
        and _has_all(wider.writable, narrower.writable)
        and wider.stamps.items() <= narrower.stamps.items()
    )


def _has_all(wider: frozenset[str] | None, narrower: frozenset[str] | None) -> bool:
    return wider is None or (narrower is not None and narrower <= wider)


def _contradict(one: Grant, other: Grant) -> bool:
    return any(other.stamps.get(name, value) != value for name, value in one.stamps.items())


def _any_of(parts: Sequence[Specification]) -> Specification:
    whole = next((each for each in parts if isinstance(each, Everything)), None)
    return whole or (parts[0] if len(parts) == 1 else AnyOf(tuple(parts)))


def _distinct(rows: Iterable[Specification]) -> Sequence[Specification]:
    # Values of a user's own policy need not be hashable.
    distinct: list[Specification] = []
    for each in rows:
        if each not in distinct:
            distinct.append(each)
    return distinct


def _shared(names: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Return the names that are in all of *names*, of which `None` holds every name."""
    shared: frozenset[str] | None = None
    for each in names:
        shared = each if shared is None else shared if each is None else shared & each
    return shared
