"""Entities kept in the process: the reference of what every store means, and the store of tests."""

from fastapi_easy.infrastructure.entities.plain import describe, recognises
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.repository import MemoryRepository
from fastapi_easy.infrastructure.persistence.memory.unit_of_work import MemoryUnitOfWork

__all__ = ["MemoryDatabase", "MemoryRepository", "MemoryUnitOfWork", "describe", "recognises"]
