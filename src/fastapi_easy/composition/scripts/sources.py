"""Where the migration scripts of an application are."""

from functools import partial
from pathlib import Path

from fastapi_easy.composition.application import Application
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.ports.migration_scripts import ScriptSource
from fastapi_easy.domain.ports.schema_store import SchemaStore
from fastapi_easy.infrastructure.migrations.scripts.script import script_files

__all__ = ["find_scripts", "has_scripts", "script_folder"]

_DEFAULT = "default"


def script_folder(application: Application, database: Database) -> Path:
    """Return the folder for the scripts of *database*, which need not exist."""
    folder = application.settings().migrations.folder
    return folder if database.name == _DEFAULT else folder / database.name


def has_scripts(application: Application, database: Database) -> bool:
    """Return whether there are scripts for *database*; nothing is imported for it."""
    folder = script_folder(application, database)
    return technology_of(database).scripts is not None and bool(script_files(folder))


def find_scripts(application: Application, database: Database, store: SchemaStore) -> ScriptSource | None:
    """Return the scripts of *database*, whose stored schema *store* looks after; `None` where there cannot be any."""
    make = technology_of(database).scripts
    if make is None:
        return None
    from fastapi_easy.application.migrations.plan_document import read_plan, write_plan

    return make(store, script_folder(application, database), partial(write_plan, indent=2), read_plan)
