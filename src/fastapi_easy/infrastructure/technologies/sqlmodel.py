"""SQLModel's table classes, which SQLAlchemy stores."""

from fastapi_easy.domain.ports.technology import Technology
from fastapi_easy.infrastructure.persistence.sqlmodel import mapping

__all__ = ["TECHNOLOGY"]

TECHNOLOGY = Technology(name="SQLModel", recognises=mapping.recognises, describe=mapping.describe)
