"""Inserts that give values to columns which PostgreSQL would otherwise always generate."""

import re
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

# Quoted names may hold anything.
_END_OF_COLUMNS: Final = re.compile(r'((?:"(?:[^"]|"")*"|[^"])*?\)) (?=(?:VALUES|SELECT) )')


class OverridingInsert(Insert):
    """`INSERT … OVERRIDING SYSTEM VALUE`, for `GENERATED ALWAYS AS IDENTITY`; PostgreSQL takes it for every table."""

    inherit_cache = True


@compiles(OverridingInsert, "postgresql")
def _compile(statement: OverridingInsert, compiler: SQLCompiler, **options: Any) -> str:
    visit_insert: Callable[..., str] = compiler.visit_insert
    written = visit_insert(statement, **options)
    return _END_OF_COLUMNS.sub(r"\1 OVERRIDING SYSTEM VALUE ", written, count=1)
