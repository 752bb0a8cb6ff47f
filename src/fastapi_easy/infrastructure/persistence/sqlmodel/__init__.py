"""SQLModel's tables: what is theirs is read here, everything else is SQLAlchemy's."""

from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe, recognises

__all__ = ["describe", "recognises"]
