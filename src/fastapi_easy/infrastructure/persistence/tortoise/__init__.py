"""Tortoise's models: read and run here, while statements are made, and their results read, by SQLAlchemy (ADR 15)."""

from fastapi_easy.infrastructure.persistence.tortoise.connection import TortoiseDatabase
from fastapi_easy.infrastructure.persistence.tortoise.models.mapping import describe, recognises
from fastapi_easy.infrastructure.persistence.tortoise.unit_of_work import TortoiseUnitOfWork

__all__ = ["TortoiseDatabase", "TortoiseUnitOfWork", "describe", "recognises"]
