"""`HoldsWords` → SQL: by the full-text index of the table where there is one, otherwise row by row."""

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Final, TypeAlias, assert_never

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    LargeBinary,
    String,
    and_,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    true,
)
from sqlalchemy.dialects import mysql

from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.indexes.text_index import (
    configuration,
    lower_text,
    search_vector,
    word_in_index,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term, Terms
from fastapi_easy.infrastructure.relational.catalogue.text_indexes import TextIndex
from fastapi_easy.infrastructure.relational.sqlite.text_index import matched_words

TextTemplate: TypeAlias = tuple[Hashable, ...]
"""The form of a `HoldsWords`: `text`, its fields, its language, and what is asked of the index and of rows."""

_Bind: TypeAlias = Callable[..., BindParameter[Any]]

_PART: Final = r"[\p{L}\p{N}\p{M}_]"
"""What a word consists of, as the regular expressions of MariaDB and MySQL spell it."""


def parameterize_words(asked: HoldsWords, terms: Terms, values: list[Any]) -> TextTemplate:
    """Return the form of *asked*, and add its values to *values*."""
    index = terms.text_index
    match terms.server.name:
        case "postgresql":
            values.extend(map(word_in_index, asked.words))
            return ("text", asked.fields, asked.language, True, len(asked.words))
        case "sqlite":
            has_index = index is not None and index.is_there
            values.append(matched_words(asked.words) if has_index else " ".join(asked.words))
            return ("text", asked.fields, asked.language, has_index, 0)
        case "mysql":
            # A subquery of the table does not have the column.
            has_index = index is not None and index.is_there and index.name in terms.table.columns
            found = [each for each in asked.words if index and has_index and index.stored.holds(each)]
            others = [each for each in asked.words if each not in found]
            if found:
                # In quotes nothing is an operator, and no word has a quote in it.
                values.append(" ".join(f'+"{word_in_index(each)}"' for each in found))
            values.extend(f"(?<!{_PART}){re.escape(word_in_index(each))}(?!{_PART})" for each in others)
            return ("text", asked.fields, asked.language, bool(found), len(others))
        case _:
            assert_never(terms.server.name)


def build_words(form: TextTemplate, terms: Terms, bind: _Bind) -> ColumnElement[bool]:
    """Build the condition of *form*, which is never unknown."""
    _, fields, language, by_index, number = form
    has_index = by_index is True
    index = terms.text_index
    columns = [terms.plain(name) for name in _names(fields)]
    match terms.server.name:
        case "postgresql":
            return _on_postgres(
                columns, None if language is None else str(language), int(str(number)), terms, bind
            )
        case "sqlite":
            return _by_fts5(terms, index, bind) if index and has_index else _by_function(columns, bind)
        case "mysql":
            return _on_mysql(
                columns, terms, bind, index=index if has_index else None, number=int(str(number))
            )
        case _:
            assert_never(terms.server.name)


def _on_postgres(
    columns: list[Term], language: str | None, number: int, terms: Terms, bind: _Bind
) -> ColumnElement[bool]:
    # Each word as a phrase: the server divides some that are one here.
    asked: ColumnElement[Any] = _phrase(language, bind)
    for _ in range(number - 1):
        asked = asked.op("&&")(_phrase(language, bind))
    matches: ColumnElement[bool] = search_vector(columns, language, terms.server).bool_op("@@")(asked)
    return matches


def _phrase(language: str | None, bind: _Bind) -> ColumnElement[Any]:
    return func.phraseto_tsquery(configuration(language), bind(String()))


def _by_fts5(terms: Terms, index: TextIndex, bind: _Bind) -> ColumnElement[bool]:
    words = table(index.name, column("rowid"), column(index.name))
    matching = select(words.c.rowid).where(words.c[index.name].op("MATCH")(bind(String())))
    return terms.table.columns[index.key].in_(matching)


def _by_function(columns: list[Term], bind: _Bind) -> ColumnElement[bool]:
    text: ColumnElement[Any] = func.coalesce(columns[0], literal_column("''"))
    for each in columns[1:]:
        text = text.op("||")(literal_column("' '")).op("||")(func.coalesce(each, literal_column("''")))
    return func.has_all_words(cast(text, LargeBinary()), bind(String())) == literal_column("1")


def _on_mysql(
    columns: list[Term], terms: Terms, bind: _Bind, *, index: TextIndex | None, number: int
) -> ColumnElement[bool]:
    def parts() -> Iterator[ColumnElement[bool]]:
        if index is not None:
            found = terms.table.columns[index.name]
            yield mysql.match(found, against=bind(String()), in_boolean_mode=True)
        text = lower_text(columns, terms.server)
        for _ in range(number):
            yield text.regexp_match(bind(String()))

    return and_(true(), *parts())


def _names(fields: Hashable) -> tuple[str, ...]:
    return fields if isinstance(fields, tuple) else ()
