"""Query strings that came before: most clients ask for the same pages again and again."""

import re
from collections.abc import Callable
from typing import Final

from fastapi_easy.domain import Outcome, Query
from fastapi_easy.domain.value_object import value_object
from fastapi_easy.interfaces.http.exchange import Exchange, unwrap_or_raise
from fastapi_easy.interfaces.http.requests.decode import IGNORED_PARAMETERS, Pairs, read_pairs

_MAX_QUERIES: Final = 256
"""Query strings remembered for one resource; the oldest is dropped."""

_MAX_LENGTH: Final = 512
"""Bytes of a query string that is remembered."""

_REPEATABLE: Final = re.compile(rb"(?:(?!cursor=|offset=)[A-Za-z_][\w.]*=[\w.,:~-]*(?:&(?!$)|$))*")


@value_object
class ReadQuery:
    """A query as a caller has written it.

    Attributes:
        query: What it asks for.

        pairs: Its names and values.

        is_repeatable: Whether a link can repeat its text as it is: nothing is percent-encoded, and it has no cursor and
            no offset.
    """

    query: Query
    pairs: Pairs
    is_repeatable: bool


class KnownQueries:
    """Reads the query strings of one resource, each of those that come often once.

    What a query string says depends on nothing but the resource and its limits; what its caller may see is looked at
    later. A cursor is for a caller, and comes once.

    Args:
        read: Reads names and values, for a tenant.

        limit: Bytes of a query string at most.
    """

    def __init__(self, read: Callable[[Pairs, str | None], Outcome[Query]], limit: int) -> None:
        self._read = read
        self._limit = limit
        self._known: dict[bytes, ReadQuery] = {}

    def read(self, exchange: Exchange, tenant: str | None) -> ReadQuery:
        """Return the query of *exchange*, whose caller is of *tenant*.

        Raises:
            ProblemError: It is too long, or not understood.
        """
        scope = exchange.scope
        text: bytes = scope["query_string"]
        found = self._known.get(text)
        if found is not None and IGNORED_PARAMETERS not in scope:
            return found
        pairs = read_pairs(exchange, self._limit)
        query = unwrap_or_raise(self._read(pairs, tenant))
        read = ReadQuery(query, pairs, _REPEATABLE.fullmatch(text) is not None)
        if read.is_repeatable and len(text) <= _MAX_LENGTH and IGNORED_PARAMETERS not in scope:
            if len(self._known) >= _MAX_QUERIES:
                _ = self._known.pop(next(iter(self._known)), None)
            self._known[text] = read
        return read
