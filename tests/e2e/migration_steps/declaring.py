"""Short ways to declare the tables of cases."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table

Declare = Callable[[MetaData], object]


def books(*more: Any, **options: Any) -> Declare:
    """Declare one table with a key, and *more*."""
    return table("books", key, *more, **options)


def both(*declares: Declare) -> Declare:
    """Declare several tables."""
    return lambda metadata: [each(metadata) for each in declares]


def table(name: str, *items: Callable[[], Any], **options: Any) -> Declare:
    """Declare a table; what it consists of is made anew each time."""
    return lambda metadata: Table(name, metadata, *[each() for each in items], **options)


def nothing(metadata: MetaData) -> None:
    """Declare nothing."""


def column(name: str, kind: Any, *more: Any, **options: Any) -> Callable[[], Column[Any]]:
    """Declare a column."""
    return lambda: Column(name, kind, *[each() if callable(each) else each for each in more], **options)


key = column("id", Integer, primary_key=True)
title = column("title", String(50))
