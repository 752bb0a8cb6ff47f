"""Books and their tags, of two object mappers: the tags of a book are rows of a table that lies in between."""

from typing import Any

from sqlmodel import Field, Relationship, SQLModel
from tortoise import fields
from tortoise.models import Model

from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Cache


class TagOfBook(SQLModel, table=True):
    __tablename__ = "cached_book_tag"
    book_id: int = Field(foreign_key="cached_tagged.id", primary_key=True, ondelete="CASCADE")
    tag_id: int = Field(foreign_key="cached_tag.id", primary_key=True)


class Tag(SQLModel, table=True):
    __tablename__ = "cached_tag"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)


class Tagged(SQLModel, table=True):
    __tablename__ = "cached_tagged"
    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=40)
    tags: list[Tag] = Relationship(link_model=TagOfBook)


class Tags(Container):
    """Two resources of one table among them."""

    books = resource(Tagged, cache=Cache(seconds=60))
    archive = resource(Tagged)
    tags = resource(Tag)
    links = resource(TagOfBook)


class Shelf(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=40)

    class Meta:
        table = "cached_shelf"


class Volume(Model):
    id = fields.IntField(primary_key=True)
    title = fields.CharField(max_length=40)
    shelf: Any = fields.ForeignKeyField("models.Shelf", related_name="volumes", on_delete=fields.CASCADE)

    class Meta:
        table = "cached_volume"


class Shelves(Container):
    shelves = resource(Shelf)
    volumes = resource(Volume, cache=Cache(seconds=60))
