"""Schemas that new tables are in and that do not exist yet."""

from collections.abc import Iterable

from sqlalchemy import inspect

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.situation import Situation
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import schema_probe


def missing_schemas(wanted: Iterable[str | None], situation: Situation) -> list[Placed]:
    """Return the steps that create those of the schemas *wanted* that do not exist; none without a connection."""
    if situation.connection is None:
        return []
    named = sorted({each for each in wanted if each})
    if not named:
        return []
    stored = set(inspect(situation.connection).get_schema_names())
    return [Placed(Phase.SCHEMAS, _created(each, situation)) for each in named if each not in stored]


def _created(schema: str, situation: Situation) -> Step:
    mode = StepMode.TRANSACTION if situation.server.name == "postgresql" else StepMode.AUTOCOMMIT
    quoted = situation.write.quote(schema)
    return Step(
        changes=(Change(kind=ChangeKind.CREATE_SCHEMA, name=schema),),
        summary=f"create schema {schema}",
        statements=(f"CREATE SCHEMA {quoted}",),
        reverse=(f"DROP SCHEMA {quoted}",),
        reversibility=Reversibility.FULL,
        mode=mode,
        reverse_mode=mode,
        probe=schema_probe(schema),
        statement_timeout=60.0,
    )
