"""What the server generates once rows are inserted whose keys it has not generated itself."""

import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from sqlalchemy import BigInteger, String, bindparam, column, text
from sqlalchemy import Sequence as Counter

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.field import Kind
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.relational.transaction import Transaction, TransactionLost

# The sequence that the class names, or one that the column owns, or else one that only its default names. Another
# session may take a number between the look at the last one and `setval`; then one later insert fails as a duplicate,
# and the next one succeeds.
_ADVANCE: Final = (
    text(
        """
    SELECT setval(found.sequence, CASE WHEN seqincrement > 0 THEN :fe_high ELSE :fe_low END) AS number
    FROM (
        SELECT coalesce(
            CAST(:fe_sequence AS regclass),
            CAST(pg_get_serial_sequence(:fe_table, :fe_column) AS regclass),
            (
                SELECT CAST(objects.oid AS regclass)
                FROM pg_attribute
                JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                JOIN pg_depend ON classid = CAST('pg_attrdef' AS regclass) AND objid = pg_attrdef.oid
                JOIN pg_class AS objects ON objects.oid = refobjid AND objects.relkind = 'S'
                WHERE attrelid = CAST(:fe_table AS regclass) AND attname = :fe_column
            )
        ) AS sequence
    ) AS found
    JOIN pg_sequence ON seqrelid = found.sequence
    WHERE CASE
        WHEN seqincrement > 0
        THEN :fe_high <= seqmax AND :fe_high > coalesce(pg_sequence_last_value(found.sequence), seqstart - 1)
        ELSE :fe_low >= seqmin AND :fe_low < coalesce(pg_sequence_last_value(found.sequence), seqstart + 1)
    END
    """
    )
    .bindparams(
        bindparam("fe_sequence", type_=String()),
        bindparam("fe_table", type_=String()),
        bindparam("fe_column", type_=String()),
        bindparam("fe_high", type_=BigInteger()),
        bindparam("fe_low", type_=BigInteger()),
    )
    .columns(number=BigInteger())
)
_LIMITS: Final = [column(name, BigInteger()) for name in ("increment", "minimum_value", "maximum_value")]
_NEXT_VALUE: Final = re.compile(r"nextval\((.+)\)$", re.IGNORECASE)
_MODE: Final = text("SELECT @@SESSION.sql_mode AS mode").columns(mode=String())
_SET_MODE: Final = text("SET SESSION sql_mode = :fe_mode").bindparams(bindparam("fe_mode", type_=String()))


async def advance_sequences(plan: Plan, transaction: Transaction, many: Sequence[Values]) -> None:
    """Let the sequences of PostgreSQL and MariaDB go on behind the numbers in *many*.

    Counters that are no sequences do so by themselves.
    """
    if not plan.server.dialect.supports_sequences:
        return
    advance = _advance if plan.server.name == "postgresql" else _advance_on_mariadb
    for name in _counted_fields(plan):
        numbers = [number for values in many if isinstance(number := values.get(name), int)]
        if numbers:
            await advance(plan, transaction, name, min(numbers), max(numbers))


async def _advance(plan: Plan, transaction: Transaction, name: str, low: int, high: int) -> None:
    parameters = {
        "fe_sequence": _declared_sequence(plan, name),
        "fe_table": plan.server.dialect.identifier_preparer.format_table(plan.table),
        "fe_column": plan.columns[name].name,
        "fe_high": high,
        "fe_low": low,
    }
    _ = await transaction.execute(_ADVANCE, parameters, writes=True)


async def _advance_on_mariadb(plan: Plan, transaction: Transaction, name: str, low: int, high: int) -> None:
    # As the server spells it, quoted.
    default = _NEXT_VALUE.match(plan.stored_defaults.get(plan.columns[name].name, ""))
    sequence = _declared_sequence(plan, name) or (default and default[1])
    if sequence is None:
        return
    limits = text(f"SELECT increment, minimum_value, maximum_value FROM {sequence}")  # noqa: S608 (quoted)
    increment, least, most = (await transaction.execute(limits.columns(*_LIMITS), {})).rows[0]
    number = high if increment >= 0 else low
    if least <= number <= most:
        # It takes literals only, and no number that lies behind it.
        advance = text(f"SELECT setval({sequence}, {number:d}) AS number").columns(number=BigInteger())
        _ = await transaction.execute(advance, {}, writes=True)


def _declared_sequence(plan: Plan, name: str) -> str | None:
    """Return the sequence that the class says SQLAlchemy asks for values of the field *name*."""
    default = plan.columns[name].default
    return (
        plan.server.dialect.identifier_preparer.format_sequence(default)
        if isinstance(default, Counter)
        else None
    )


@contextlib.asynccontextmanager
async def keep_zero_keys(plan: Plan, transaction: Transaction, many: Sequence[Values]) -> AsyncIterator[None]:
    """Let MySQL store a generated key that is 0 in *many*, in place of which it would generate another."""
    name = plan.autoincrement_key
    if plan.server.name != "mysql" or name is None or all(values.get(name) != 0 for values in many):
        yield
        return
    found = await transaction.execute(_MODE, {})
    usual = str(found.rows[0][0])
    _ = await transaction.execute(_SET_MODE, {"fe_mode": f"{usual},NO_AUTO_VALUE_ON_ZERO".lstrip(",")})
    try:
        yield
    finally:
        # A lost transaction takes its connection along.
        with contextlib.suppress(TransactionLost):
            _ = await transaction.execute(_SET_MODE, {"fe_mode": usual})


def _counted_fields(plan: Plan) -> Iterator[str]:
    """Yield the fields for which a sequence may count."""
    for name in plan.names:
        field = plan.resource.stored_fields[name]
        is_counted = (field.generated and not field.computed) or field.store_default
        if is_counted and field.kind is Kind.INTEGER and name != plan.resource.version:
            yield name
