"""The walls of row-level security around the tables of resources with tenants."""

from collections.abc import Sequence
from typing import Any

from fastapi_easy.composition.application import Application
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.resources.resource import Resource

__all__ = ["check_row_security", "row_security_statements"]


def row_security_statements(application: Application, database: Any) -> Sequence[str]:
    """Return the SQL that puts a wall around each tenant's rows in *database*; none where it keeps no tenants apart.

    Raises:
        DeclarationError: It is not PostgreSQL.
    """
    resources = _resources_with_tenants(application, database)
    if resources and database.technology != "PostgreSQL":
        raise DeclarationError(
            [
                f"database {database.name!r}: row-level security needs PostgreSQL, and this is {database.technology}"
            ]
        )
    return [statement for wall in _walls(resources, database) for statement in wall.statements]


async def check_row_security(application: Application, database: Database) -> None:
    """Check that the walls stand where the settings want some, and hold the application's own role.

    Raises:
        DeclarationError: With each table whose rows are open to all.
    """
    if not application.settings().databases[database.name].row_security:
        return
    # Imported by those who need it.
    from fastapi_easy.infrastructure.relational.row_security.walls import find_gaps

    relational: Any = database
    walls = _walls(_resources_with_tenants(application, database), relational)
    gaps = await relational.executor.run_sync(lambda connection: find_gaps(connection, walls))
    if gaps:
        raise DeclarationError([f"database {database.name!r}: {each}" for each in gaps])


def _resources_with_tenants(application: Application, database: Database) -> Sequence[Resource[Any]]:
    return [
        each
        for each in application.every_resource()
        if each.database == database.name and each.tenant is not None
    ]


def _walls(resources: Sequence[Resource[Any]], database: Any) -> Sequence[Any]:
    from fastapi_easy.infrastructure.relational.row_security.walls import Wall

    walls = []
    for resource in resources:
        columns = {name: column for column, name in database.entities.attributes_of(resource.stored).items()}
        tenant = str(resource.tenant)
        table = database.entities.table_of(resource.stored)
        walls.append(Wall(resource.name, table, columns[tenant], resource.fields[tenant].kind))
    return walls
