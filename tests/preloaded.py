"""What most commands and pages import, imported once for all of them."""

import importlib

LIBRARIES = (
    "aiosqlite",
    "dependency_injector.providers",
    "fastapi.openapi.utils",
    "fastapi_easy.__main__",
    "fastapi_easy.infrastructure.persistence.sqlmodel.mapping",
    "fastapi_easy.interfaces.cli.server.serve",
    "fastapi_easy.testing",
    "fastapi_easy.testing.conformance",
    "httptools",
    "httpx2",
    "pytest",
    "pytest_asyncio.plugin",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "sqlmodel",
    "structlog",
    "tests.docs.running",
    "tests.docs.tutorial",
    "uvloop",
)

for library in LIBRARIES:
    importlib.import_module(library)
