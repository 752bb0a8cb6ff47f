"""Entities kept in a relational database, through SQLAlchemy Core."""

from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe, recognises
from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from fastapi_easy.infrastructure.relational.options import ConnectionOptions

__all__ = [
    "ConnectionOptions",
    "SqlAlchemyDatabase",
    "SqlAlchemyRepository",
    "SqlAlchemyUnitOfWork",
    "describe",
    "recognises",
]
