"""What a server has to do for another type, and which defaults differ from row to row."""

import re
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.postgres import quote
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import tokenize
from fastapi_easy.infrastructure.migrations.relational.detection.normal_forms import is_literal
from fastapi_easy.infrastructure.relational.server import ServerName

_ARGUMENTS: Final = re.compile(r"\([^)]*\)")
_TEXTS: Final = frozenset({"text", "character varying", "character"})
_STEADY: Final = frozenset(
    {
        "now",
        "current_timestamp",
        "current_date",
        "current_time",
        "localtime",
        "localtimestamp",
        "current_user",
    }
)


def needs_using(connection: Connection, before: str, after: str, server: ServerName) -> bool:
    """Return whether PostgreSQL does not cast from *before* to *after* by itself."""
    one, other = (_ARGUMENTS.sub("", each).replace("  ", " ").strip() for each in (before, after))
    if server != "postgresql" or one == other or other in _TEXTS:
        return False
    try:
        # A cast of what has no cast function goes through text, which is done for text types only.
        found = connection.exec_driver_sql(
            "SELECT castcontext::text FROM pg_cast"  # noqa: S608 - literals, quoted
            f" WHERE castsource = to_regtype({quote(one)}) AND casttarget = to_regtype({quote(other)})"
        ).scalar()
    except DBAPIError:
        return True
    return found not in {"a", "i"}


def rewrites_table(before: str, after: str, server: ServerName) -> dict[str, Any]:
    """Return whether the change of type is known to write the table anew on PostgreSQL, or not to."""
    if server != "postgresql":
        return {}
    one, other = _parts(before), _parts(after)
    if one[0] in {"text", "character varying"} and other[0] in {"text", "character varying"}:
        is_wider = not other[1] or bool(one[1] and one[1] <= other[1])
        # A text that may be too long is looked at, and written anew.
        return {"rewrites": not is_wider}
    if one[0] == other[0] == "numeric":
        if not other[1]:
            return {"rewrites": False}
        scales = [(each[1] + [0])[1] for each in (one, other)]
        return {"rewrites": not (bool(one[1]) and one[1][0] <= other[1][0] and scales[0] == scales[1])}
    if one == (("cidr"), []) and other == (("inet"), []):
        return {"rewrites": False}
    if {one[0], other[0]} == {"timestamp without time zone", "timestamp with time zone"} and one[1] == other[
        1
    ]:
        # Not in a session whose time zone is UTC, such as those of migrations.
        return {"rewrites": False}
    return {"rewrites": True}


def _parts(spelling: str) -> tuple[str, list[int]]:
    numbers = [int(each) for each in re.findall(r"\d+", "".join(_ARGUMENTS.findall(spelling)))]
    return " ".join(_ARGUMENTS.sub("", spelling).split()), numbers


def is_volatile(connection: Connection, default: str | None, server: ServerName) -> bool:
    """Return whether *default* differs from row to row, so that existing rows have to be written."""
    if default is None or is_literal(default) or server == "sqlite":
        return False
    tokens = tokenize(default)
    called = {
        token.text.lower()
        for token, following in pairwise(tokens)
        if token.kind in {"word", "quoted"} and following.text == "("
    } - _STEADY
    if not called:
        return False
    if server == "mysql":
        return True
    listed = ", ".join(quote(each.strip('"')) for each in sorted(called))
    return bool(
        connection.exec_driver_sql(
            "SELECT coalesce(bool_or(provolatile = 'v'), true) FROM pg_proc"  # noqa: S608 - literals, quoted
            f" WHERE proname IN ({listed})"
        ).scalar()
    )
