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
        DeclarationError: It is not PostgreSQL, or a table does not say to which tenants its rows belong.
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

    walls, mistakes = [], []
    for resource in resources:
        tenant = str(resource.tenant)
        for part in database.entities.parts_of(resource.stored):
            columns = {name: column for column, name in part.attributes.items()}
            if tenant in columns:
                kind = resource.fields[tenant].kind
                walls.append(Wall(resource.name, part.table, columns[tenant], kind))
            else:
                mistakes.append(
                    f"{resource.name}: the table {part.table.fullname} has no column for the field {tenant!r}, so that "
                    "row-level security cannot tell the tenants of its rows apart: add the column to it"
                )
    if mistakes:
        raise DeclarationError(mistakes)
    return walls
