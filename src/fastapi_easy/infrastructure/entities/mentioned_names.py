"""Which names the code of a rule mentions: the fields that it may look at."""

from collections.abc import Iterator
from types import CodeType
from typing import Any


def mentioned_names(entity: type[Any], function: object) -> frozenset[str]:
    """Return the names that *function*, a method of *entity*, mentions, and those in the methods that it calls."""
    code = getattr(function, "__code__", None)
    return frozenset(_mentioned(entity, code, set())) if isinstance(code, CodeType) else frozenset()


def _mentioned(entity: type[Any], code: CodeType, seen: set[CodeType]) -> Iterator[str]:
    if code in seen:
        return
    seen.add(code)
    for name in (*code.co_names, *_texts(code.co_consts)):
        yield name
        called = getattr(getattr(entity, name, None), "__code__", None)
        if isinstance(called, CodeType):
            yield from _mentioned(entity, called, seen)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _mentioned(entity, inner, seen)


def _texts(constants: tuple[Any, ...] | frozenset[Any]) -> Iterator[str]:
    """Yield the texts among *constants*, also those in literal tuples and sets."""
    for each in constants:
        if isinstance(each, str):
            yield each
        elif isinstance(each, tuple | frozenset):
            yield from _texts(each)
