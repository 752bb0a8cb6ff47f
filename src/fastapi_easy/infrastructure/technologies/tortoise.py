"""Tortoise's models, in the databases of the SQLAlchemy adapter."""

import dataclasses

from fastapi_easy.domain.ports import Database
from fastapi_easy.domain.ports.technology import DatabaseRequest
from fastapi_easy.infrastructure.persistence.tortoise.connection import TortoiseDatabase
from fastapi_easy.infrastructure.persistence.tortoise.models import mapping
from fastapi_easy.infrastructure.persistence.tortoise.unit_of_work import TortoiseUnitOfWork
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.infrastructure.technologies import sqlalchemy

__all__ = ["TECHNOLOGY"]


def _open(request: DatabaseRequest) -> Database:
    limits = ConnectionOptions(**request.limits)
    entities, breaker, tracer = request.entities, request.breaker, request.tracer
    return TortoiseDatabase(request.name, request.url, limits, entities, breaker, tracer)


TECHNOLOGY = dataclasses.replace(
    sqlalchemy.TECHNOLOGY,
    name="Tortoise",
    recognises=mapping.recognises,
    describe=mapping.describe,
    is_exclusive=True,
    open=_open,
    database=TortoiseDatabase,
    unit_of_work=TortoiseUnitOfWork,
)
