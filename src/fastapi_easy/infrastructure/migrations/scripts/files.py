"""Scripts as files, read without a database: for whoever checks them before anybody has one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import StaticPool

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.scripts.compiling import CompiledScript, compile_scripts
from fastapi_easy.infrastructure.migrations.scripts.folder import ScriptFolder
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.migrations.scripts.script import VERSIONS, Script
from fastapi_easy.infrastructure.relational.server import Server

SERVERS: Final = ("postgresql", "mysql", "mariadb", "sqlite")
"""What scripts can be read for."""


def compile_files(files: Sequence[Path], server: str) -> list[CompiledScript]:
    """Return what the scripts *files* do on *server*, each by itself, in the order in which they come.

    Args:
        files: In the `versions` folder of one folder of scripts.

        server: One of `SERVERS`.

    Raises:
        ScriptRefusal: One of them is no script, or does what is not supported.
    """
    scripts = _scripts(files)
    wanted = {each.resolve() for each in files}
    if server == "sqlite":
        # What a table is made of, only the scripts before tell.
        last = max(at for at, each in enumerate(scripts) if each.path.resolve() in wanted)
        scripts = scripts[: last + 1]
    else:
        scripts = [each for each in scripts if each.path.resolve() in wanted]
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            dialect = connection.dialect if server == "sqlite" else _dialect(server)
            name: Any = "mysql" if server == "mariadb" else server
            compiled = compile_scripts(
                scripts,
                Server(dialect=dialect, name=name),
                connection,
                Hints(),
                is_stored=False,
            )
    finally:
        engine.dispose()
    return [each for each in compiled if each.script.path.resolve() in wanted]


def _scripts(files: Sequence[Path]) -> Sequence[Script]:
    folders = {each.resolve().parent for each in files}
    if len(folders) != 1:
        raise ScriptRefusal("the scripts are in several folders: check each folder by itself")
    (folder,) = folders
    if folder.name != VERSIONS:
        raise ScriptRefusal(
            f"{files[0]} is in no folder called {VERSIONS}, so nobody knows what it comes after"
        )
    scripts = ScriptFolder(folder.parent).read()
    known = {each.path.resolve() for each in scripts}
    unknown = [str(each) for each in files if each.resolve() not in known]
    if unknown:
        raise ScriptRefusal(f"{', '.join(unknown)}: there is no such script")
    return scripts


def _dialect(server: str) -> Dialect:
    """Return a dialect as it is after it has met a server of today."""
    kinds: Any = postgresql if server == "postgresql" else mysql
    found: Any = kinds.dialect() if server == "postgresql" else kinds.dialect(is_mariadb=server == "mariadb")
    if server == "postgresql":
        found.default_schema_name, found.server_version_info = "public", (17, 0)
    else:
        found.server_version_info = (11, 4, 0) if server == "mariadb" else (8, 4, 0)
    dialect: Dialect = found
    return dialect
