"""Migrations in memory, for tests of hooks, of programs that start, and of the use cases themselves."""

from fastapi_easy.testing.migrations.assessor import InMemoryAssessor
from fastapi_easy.testing.migrations.database import Crashed, InMemorySchema
from fastapi_easy.testing.migrations.store import InMemorySchemaStore

__all__ = ["Crashed", "InMemoryAssessor", "InMemorySchema", "InMemorySchemaStore"]
