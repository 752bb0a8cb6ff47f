"""A real migration: compared, judged and applied as a program does."""

from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, make_url

from fastapi_easy.application.migrations.assessing.rule_assessor import RuleAssessor
from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.rule_set import RuleSet
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.migrations.relational.store import RelationalSchemaStore
from fastapi_easy.infrastructure.migrations.relational.toolbox import tools_for
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from fastapi_easy.infrastructure.relational.server import server_name_of

HINTS = Hints(fill={"books.stock": "7"}, batch_size=2)
ALL = Approvals(frozenset({"dangerous", "destructive"}))


def declared(version: int) -> DeclaredTables:
    """The schema of a shop, older or newer."""
    metadata = MetaData()
    newer = version > 1
    Table(
        "books",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", String(40 if newer else 20), nullable=not newer, index=newer),
        Column("old", Integer) if not newer else Column("stock", Integer, nullable=False),
    )
    if newer:
        Table(
            "loans",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("book", Integer, ForeignKey("books.id")),
        )
    return DeclaredTables(metadata=metadata, system=frozenset())


def migrations_at(url: str, version: int) -> tuple[Migrations, RelationalSchemaStore]:
    """The migrations of the database at *url*, for a program of that version."""
    made, clock = make_url(url), SystemClock()
    server = server_name_of(made.get_backend_name())
    store = RelationalSchemaStore("shop", made, lambda _: declared(version), tools_for(server), clock)
    assessor = RuleAssessor(RuleSet(()), store.dialect, [], lambda: clock.now().date())
    return Migrations(MigrationCollaborators(store=store, assessor=assessor, clock=clock)), store
