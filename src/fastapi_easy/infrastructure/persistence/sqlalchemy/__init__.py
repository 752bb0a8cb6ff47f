"""Entities kept in a relational database, through SQLAlchemy Core."""

from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.mapping import describe, recognises
from fastapi_easy.infrastructure.persistence.sqlalchemy.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork

__all__ = [
    "ConnectionOptions",
    "SqlAlchemyDatabase",
    "SqlAlchemyRepository",
    "SqlAlchemyUnitOfWork",
    "describe",
    "recognises",
]
