"""Defaults that ask a clock without a zone, `datetime.now`: they are understood, or refused, and never shifted."""

import dataclasses
import datetime
import functools
from collections.abc import Callable
from typing import Any

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.domain.values.naive_times import in_utc, is_of_no_clock


def with_zones(shape: Shape) -> Shape:
    """Return *shape*, whose defaults of times are in UTC, whichever clock they ask.

    Raises:
        DeclarationError: A default makes a time without a zone that no clock shows, `datetime.now() + …`.
    """
    made = [each for each in shape.fields if each.kind is Kind.DATETIME and each.default_factory is not None]
    if not made:
        return shape
    if mistakes := [
        f"the default of {each.name!r} makes a time without a zone that is not now, so that it may be meant in UTC or "
        "in local time: let it begin with datetime.now(UTC)"
        for each in made
        if _is_doubtful(each)
    ]:
        raise DeclarationError(mistakes)
    replaced = {
        each.name: dataclasses.replace(each, default_factory=_aware(each.default_factory)) for each in made
    }
    return dataclasses.replace(shape, fields=tuple(replaced.get(each.name, each) for each in shape.fields))


def _is_doubtful(field: Field) -> bool:
    assert field.default_factory is not None  # noqa: S101 (they were chosen by it)
    try:
        made = field.default_factory()
    except Exception:  # noqa: BLE001 (the user's function may want a request around it, and raise anything)
        return False
    return isinstance(made, datetime.datetime) and is_of_no_clock(made)


def _aware(make: Callable[[], Any] | None) -> Callable[[], Any]:
    assert make is not None  # noqa: S101 (they were chosen by it)

    # Wrapped, so that it can be seen which function it is.
    @functools.wraps(make, assigned=(), updated=())
    def make_in_utc() -> Any:
        made = make()
        return in_utc(made) if isinstance(made, datetime.datetime) and made.tzinfo is None else made

    return make_in_utc
