"""The application that is overloaded: one resource with fifty rows, as a page of which is asked for."""

from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class OverloadedParcel(SQLModel, table=True):
    """One row."""

    id: int | None = Field(default=None, primary_key=True)
    name: str


class Shop(Container):
    """The application."""

    parcels = resource(OverloadedParcel)


app = create_app(Shop())
