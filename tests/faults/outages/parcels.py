"""A small application on any of the databases, for outages."""

from typing import Any, ClassVar

from pydantic import BaseModel
from sqlmodel import Field, SQLModel

from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, HttpSettings, Settings


class RowOfParcel(SQLModel, table=True):
    """Something to be stored."""

    __tablename__ = "outages_parcels"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)
    weight: int = 0


class RowPost(Container):
    parcels = resource(RowOfParcel)


class DocumentOfParcel(BaseModel):
    """The same in MongoDB."""

    __collection__: ClassVar[str] = "outages_parcels"

    id: int | None = None
    name: str
    weight: int = 0


class DocumentPost(Container):
    parcels = resource(DocumentOfParcel)


def post_at(url: str, requires: tuple[str, ...] = (), **options: Any) -> Any:
    """The container of an application whose parcels are at *url*, and which *requires* some databases to be ready."""
    kind: Any = DocumentPost if url.startswith("mongodb") else RowPost
    database = DatabaseSettings.model_validate({"url": url, "migrations": "auto", **options})
    http = HttpSettings(ready_requires=requires, metrics=True)
    return kind(settings=Settings(databases={"default": database}, http=http))
