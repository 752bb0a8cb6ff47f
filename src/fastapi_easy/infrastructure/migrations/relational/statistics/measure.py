"""Asks a database what the rules want to know of its data."""

import json
import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.risk import UNKNOWN, Measured, Statistics, Unmeasured
from fastapi_easy.domain.migrations.rules.questions import SQL_MODE, TIME_ZONE
from fastapi_easy.domain.migrations.statements.changes import expanded
from fastapi_easy.domain.migrations.statements.tokens import UnreadableError
from fastapi_easy.infrastructure.migrations.relational.statistics.bounded import bounded, execute
from fastapi_easy.infrastructure.migrations.relational.statistics.catalogue_queries import (
    dependents_of_object,
    number_from_catalogue,
    texts_from_catalogue,
)
from fastapi_easy.infrastructure.migrations.relational.statistics.data_queries import (
    COUNTED,
    ENOUGH,
    NoQuery,
    labels_query,
    number_query,
    rows_query,
)
from fastapi_easy.infrastructure.migrations.relational.statistics.place import Place, find_place
from fastapi_easy.infrastructure.migrations.relational.statistics.subject import (
    Subject,
    stored_column,
    stored_name,
    subjects_of,
)
from fastapi_easy.infrastructure.relational.server import ServerName, server_name_of

_SETTINGS: Final[dict[tuple[str, ServerName], str]] = {
    (SQL_MODE, "mysql"): "SELECT @@SESSION.sql_mode",
    (TIME_ZONE, "mysql"): "SELECT @@SESSION.time_zone",
    (TIME_ZONE, "postgresql"): "SELECT current_setting('TimeZone')",
}
_FROM_CATALOGUE: Final = frozenset({"triggers", "validated_checks", "indexes", "charset", "dependents"})


def measure(
    connection: Connection,
    changes: Sequence[Change],
    questions: Sequence[str],
    *,
    timeout: float = 5.0,
    budget: float = 60.0,
) -> Statistics:
    """Answer *questions* about the data that *changes* concern. Only reads, and takes no lock but that of a SELECT.

    Args:
        connection: To the database. A transaction that is open goes on as it is.

        changes: The changes for which they are asked; SQL by hand is read.

        questions: See `Statistics`.

        timeout: Seconds that one answer may take. One that takes longer is unknown, and so is one that fails.

        budget: Seconds that all answers may take. Those that are left are unknown then.

    Raises:
        SQLAlchemyError: The connection is broken.
    """
    server = server_name_of(connection.dialect.name)
    whole = tuple(expanded(changes, server))
    asking = _Asking(connection, server, whole)
    answers: dict[str, Measured | Unmeasured] = dict.fromkeys(questions, UNKNOWN)
    end = time.monotonic() + budget
    for question, subjects in subjects_of(whole, questions):
        found: list[Measured | Unmeasured] = []
        for subject in subjects:
            seconds = min(timeout, end - time.monotonic())
            found.append(asking.answer(subject, seconds) if seconds > 0 else UNKNOWN)
        answers[question] = _worst(found)
    return Statistics(answers)


def _worst(answers: Sequence[Measured | Unmeasured]) -> Measured | Unmeasured:
    """Return the answer that holds for each of those who have asked."""
    if all(each == answers[0] for each in answers):
        return answers[0]
    numbers = [each for each in answers if isinstance(each, int)]
    return max(numbers) if len(numbers) == len(answers) else UNKNOWN


class _Asking:
    def __init__(self, connection: Connection, server: ServerName, changes: Sequence[Change]) -> None:
        self._connection = connection
        self._server = server
        self._changes = changes
        self._is_mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
        self._places: dict[str, Place | None] = {}

    def answer(self, subject: Subject, seconds: float) -> Measured | Unmeasured:
        try:
            with bounded(self._connection, self._server, self._is_mariadb, seconds):
                return self._ask(subject)
        except (NoQuery, LookupError, UnreadableError):
            return UNKNOWN
        except SQLAlchemyError:
            if self._connection.invalidated:
                raise
            return UNKNOWN

    def _ask(self, subject: Subject) -> Measured | Unmeasured:
        if subject.kind in {SQL_MODE, TIME_ZONE}:
            return self._setting(subject.kind)
        if not subject.table:
            place = find_place(self._connection, subject.column, self._server)
            return dependents_of_object(self._connection, subject, self._server, place)
        place = self._place(subject.table)
        column = self._column(subject, place)
        if subject.kind == "rows":
            return self._rows(place)
        if subject.kind == "labels":
            return self._labels(place, column)
        if subject.kind == "size":
            return self._known(number_from_catalogue(self._connection, "size", place))
        if subject.kind in _FROM_CATALOGUE:
            return texts_from_catalogue(self._connection, subject, place, column)
        references = subject.change.facts.get("references")
        referred = self._place(references) if references else None
        statement = number_query(subject, place, column, referred)
        found = execute(self._connection, statement).scalar()
        return bool(found) if subject.kind == "all_null" else self._known(found)

    def _setting(self, kind: str) -> str:
        statement = _SETTINGS.get((kind, self._server))
        if statement is None:
            raise NoQuery(kind)
        return str(execute(self._connection, statement).scalar())

    def _place(self, table: str) -> Place:
        stored = stored_name(table, self._changes)
        place = self._found(stored)
        both = stored != table and self._found(table) is not None
        # Another table has the name now: nobody knows which of the two is meant.
        if place is None or both:
            raise LookupError(table)
        return place

    def _found(self, table: str) -> Place | None:
        # Many questions are about one table, and a server may be far away.
        if table not in self._places:
            self._places[table] = find_place(self._connection, table, self._server)
        return self._places[table]

    def _column(self, subject: Subject, place: Place) -> str:
        stored = stored_column(subject, subject.column, self._changes)
        if stored != subject.column and subject.column in place.columns:
            raise LookupError(subject.column)
        return stored

    def _rows(self, place: Place) -> int:
        counted = int(execute(self._connection, rows_query(place)).scalar_one())
        if counted < COUNTED or self._server == "sqlite":
            return counted
        return max(counted, number_from_catalogue(self._connection, "rows", place) or 0, self._planned(place))

    def _planned(self, place: Place) -> int:
        """Return how many rows PostgreSQL would plan for: it looks at the size of what was never analysed."""
        if self._server != "postgresql":
            return 0
        plan = execute(
            self._connection,
            f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {place.sql}",  # noqa: S608 - a quoted name
        ).scalar_one()
        read = json.loads(plan) if isinstance(plan, str) else plan
        return int(read[0]["Plan"]["Plan Rows"])

    def _labels(self, place: Place, column: str) -> tuple[str, ...]:
        rows = execute(self._connection, labels_query(place, column)).fetchmany(ENOUGH)
        if len(rows) == ENOUGH or any(str(kind).endswith("[]") for _, kind in rows):
            raise NoQuery("labels")
        return tuple(sorted(str(label) for label, _ in rows))

    def _known(self, found: object) -> int | Unmeasured:
        """Return *found* if it is a whole number: only those can be compared exactly."""
        try:
            number = int(str(found))
        except ValueError:
            return UNKNOWN
        return number
