"""Programs that migrate by scripts, and Alembic beside them, on one database."""

import datetime
import io
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from returns.result import Failure, Success
from sqlalchemy import Connection, MetaData, inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from fastapi_easy.application.migrations.assessing.rule_assessor import RuleAssessor
from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.application.migrations.plan_document import read_plan, write_plan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.rule_set import RuleSet
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.migrations.relational.store import RelationalSchemaStore
from fastapi_easy.infrastructure.migrations.relational.toolbox import tools_for
from fastapi_easy.infrastructure.migrations.scripts.documents import PlanDocuments
from fastapi_easy.infrastructure.migrations.scripts.source import RelationalScripts
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from fastapi_easy.infrastructure.relational.server import server_name_of

ANYTHING = Approvals.read(["destructive", "dangerous"])
DOCUMENTS = PlanDocuments(write=lambda plan: write_plan(plan, indent=2), read=read_plan)
DRIVERS = {"sqlite": "aiosqlite", "postgres": "asyncpg", "mariadb": "aiomysql"}

Declare = Callable[[MetaData], object]

# What `alembic init` writes, without logging.
ENV = """
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=context.config.attributes.get("metadata"))
    with context.begin_transaction():
        context.run_migrations()
"""
TEMPLATE = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
'''


def declared(*declares: Declare) -> MetaData:
    metadata = MetaData()
    for each in declares:
        each(metadata)
    return metadata


class Scripted:
    """One database, the folder of its scripts, and who works on both."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._opened: list[RelationalSchemaStore] = []

    def program(self, *declares: Declare) -> Migrations:
        """A program that declares tables."""
        metadata = declared(*declares)
        server = server_name_of(make_url(self.url).get_backend_name())
        store = RelationalSchemaStore(
            "shop",
            make_url(self.url),
            lambda _: DeclaredTables(metadata=metadata),
            tools_for(server),
            SystemClock(),
        )
        self._opened.append(store)
        return Migrations(
            MigrationCollaborators(
                store=store,
                assessor=RuleAssessor(RuleSet(), server, (), lambda: datetime.date(2026, 11, 30)),
                clock=SystemClock(),
                scripts=RelationalScripts(store, self.folder, DOCUMENTS),
            )
        )

    def use_alembic(self) -> None:
        """Make the folder what `alembic init` would."""
        (self.folder / "versions").mkdir(parents=True, exist_ok=True)
        (self.folder / "env.py").write_text(ENV)
        (self.folder / "script.py.mako").write_text(TEMPLATE)

    def alembic(self, name: str, *arguments: str, metadata: MetaData | None = None, **options: Any) -> str:
        """What Alembic prints for one of its commands."""
        backend = make_url(self.url).get_backend_name()
        driver = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}.get(backend, "sqlite")
        printed = io.StringIO()
        config = Config(stdout=printed)
        config.set_main_option("script_location", str(self.folder))
        url = make_url(self.url).set(drivername=driver).render_as_string(hide_password=False)
        config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        config.attributes["metadata"] = metadata
        with redirect_stdout(printed):
            getattr(command, name)(config, *arguments, **options)
        return printed.getvalue()

    def current(self) -> str:
        """The revision of the database, as Alembic says."""
        return self.alembic("current").partition(" ")[0].strip()

    def scripts(self) -> list[Path]:
        """The scripts, by the time at which they were written."""
        return sorted((self.folder / "versions").glob("*.py"), key=lambda each: each.stat().st_mtime_ns)

    async def ask(self, question: str) -> list[Any]:
        """The rows that answer *question*."""
        return await self.on_connection(lambda sync: list(map(tuple, sync.execute(text(question)))))

    async def execute(self, *statements: str) -> None:
        """Execute *statements*."""

        def work(sync: Connection) -> None:
            for each in statements:
                sync.exec_driver_sql(each)

        await self.on_connection(work)

    async def columns(self, table: str) -> list[str]:
        """The columns of *table*."""
        return await self.on_connection(
            lambda sync: [each["name"] for each in inspect(sync).get_columns(table)]
        )

    async def empty(self) -> None:
        """Drop every table."""
        metadata = MetaData()

        def drop(sync: Connection) -> None:
            if sync.dialect.name == "postgresql":
                # With types and sequences, which belong to no table.
                sync.exec_driver_sql("DROP SCHEMA public CASCADE")
                sync.exec_driver_sql("CREATE SCHEMA public")
            else:
                metadata.reflect(sync)
                metadata.drop_all(sync)

        await self.on_connection(drop)

    async def close(self) -> None:
        """Forget the engines."""
        for each in self._opened:
            await each.close()

    async def on_connection(self, work: Callable[[Connection], Any]) -> Any:
        """What *work* answers, in a transaction of its own."""
        engine = create_async_engine(self.url, poolclass=NullPool)
        async with engine.begin() as connection:
            found = await connection.run_sync(work)
        await engine.dispose()
        return found


def well(outcome: Any) -> Any:
    """What *outcome* has brought."""
    assert isinstance(outcome, Success), outcome
    return outcome.unwrap()


def stop_of(outcome: Any) -> tuple[Any, str]:
    """Why *outcome* has failed."""
    assert isinstance(outcome, Failure), outcome
    return outcome.failure().stop, outcome.failure().message
