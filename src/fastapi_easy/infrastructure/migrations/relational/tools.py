"""What knows the databases: the parts of a relational schema store that read schemas and write statements."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.step import Effect, Probe, Step
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.domain.ports.schema_store import StoredSchema
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables

Describe: TypeAlias = Callable[[Connection, Collection[str]], StoredSchema]
Detect: TypeAlias = Callable[[Connection, DeclaredTables, Hints, Collection[str]], Sequence[Any]]
Compile: TypeAlias = Callable[[Connection, Sequence[Any], Hints], Sequence[Step]]
"""Of `Detected`, which is not named: it imports Alembic."""
Measure: TypeAlias = Callable[[Connection, Sequence[Change], Sequence[str]], Statistics]
FindEffect: TypeAlias = Callable[[Connection, Probe], Effect]
BackUp: TypeAlias = Callable[[Path], Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaTools:
    """What knows one kind of database. None of it writes, but for the copy that `back_up` makes.

    `detect` and `compile` may create temporary tables; everything else gets a connection that only reads.

    Attributes:
        describe: Describes the stored schema, without some tables.

        checksum: Returns the checksum of a declared schema.

        detect: Compares the stored schema with the declared one; it is told which tables were created here.

        compile: Makes steps of differences.

        measure: Answers questions about the data.

        find_effect: Looks for the effect of a step.

        back_up: Copies the file of a database and returns where the copy is; `None` where there is no file.

        refusals: What they raise with a sentence for people, and what stops a migration then.
    """

    describe: Describe
    checksum: Callable[[DeclaredTables, Dialect], str]
    detect: Detect
    compile: Compile
    measure: Measure
    find_effect: FindEffect
    back_up: BackUp | None = None
    refusals: Mapping[type[Exception], MigrationStop] = field(default_factory=dict)

    def stop_of(self, error: Exception) -> MigrationStop | None:
        """Return what stops a migration for *error*; `None` when it is a defect."""
        return next((self.refusals[each] for each in type(error).__mro__ if each in self.refusals), None)
