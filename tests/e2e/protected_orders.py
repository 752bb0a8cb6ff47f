"""A shop whose orders belong to who placed them, with tokens for its callers: for tests that attack it from outside."""

from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.policies import ANYONE, Where, allow, principal
from fastapi_easy.settings import Settings

ISSUER = "https://id.example"
AUDIENCE = "orders"
KEY = "a secret of the tests, which is long enough for HS256"
AUTHENTICATION = {"jwt": {"issuer": ISSUER, "audience": AUDIENCE, "secret": KEY}}
OWN = Where("owner_id") == principal.id


class Shelf(SQLModel, table=True):
    """What everybody may read, and clerks change."""

    __tablename__ = "protected_shelf"
    id: int | None = Field(default=None, primary_key=True)
    label: str = Field(min_length=1, max_length=40)


class Purchase(SQLModel, table=True):
    """An order of one caller, which no other sees."""

    __tablename__ = "protected_purchase"
    id: int | None = Field(default=None, primary_key=True)
    article: str = Field(min_length=1, max_length=40)
    amount: int = Field(ge=1, le=1000)
    owner_id: str = Field(max_length=80)


class Shop(Container):
    shelves = resource(Shelf, policy=[allow("read", to=ANYONE), allow("*", to="clerk")])
    purchases = resource(
        Purchase,
        policy=[
            allow(
                "*",
                to="customer",
                rows=OWN,
                write=["article", "amount"],
                stamps={"owner_id": principal.id},
            )
        ],
    )


def token_of(caller: str, *roles: str) -> str:
    """Return a token of *caller*, good for an hour."""
    expires = datetime.now(UTC) + timedelta(hours=1)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": caller, "roles": list(roles), "exp": expires}
    return jwt.encode(claims, KEY, algorithm="HS256")


def protected_app() -> FastAPI:
    """Return the application, with the other settings of the environment."""
    return create_app(Shop(settings=Settings(authentication=AUTHENTICATION)))
