"""Customers with secrets, once for each way to map a class."""

import base64
import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from sqlalchemy import JSON, Column, Text
from sqlmodel import Field as Column_
from sqlmodel import SQLModel
from tortoise import Model, fields

from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Fields, Grant, Principal, Resource, Tenant, to_one
from fastapi_easy.domain.ports import Permissions
from fastapi_easy.passwords import Argon2PasswordHasher
from fastapi_easy.settings import DatabaseSettings, EncryptionSettings, Settings

SECRET = Fields(secret=["iban", "notes", "profile"], lookup=["iban"], password=["password"])


class Customer(SQLModel, table=True):
    __tablename__ = "secret_customers"

    id: int | None = Column_(default=None, primary_key=True)
    name: str = Column_(max_length=50)
    iban: str | None = Column_(default=None, max_length=34, sa_type=Text)
    iban_lookup: str | None = Column_(default=None, max_length=43, unique=True)
    notes: str = Column_(default="none", sa_type=Text)
    profile: dict[str, Any] | None = Column_(default=None, sa_column=Column(JSON))
    password: str | None = Column_(default=None, max_length=128)


class Client(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=50)
    iban = fields.CharField(max_length=400, null=True)
    iban_lookup = fields.CharField(max_length=43, null=True, unique=True)
    notes = fields.TextField(default="none")
    profile = fields.JSONField[Any](null=True)
    password = fields.CharField(max_length=128, null=True)

    class Meta:
        table = "secret_clients"


class Patron(BaseModel):
    id: int | None = None
    name: str
    iban: str | None = None
    iban_lookup: str | None = None
    notes: str = "none"
    profile: dict[str, Any] | None = None
    password: str | None = None
    salary: Decimal | None = None
    born: date | None = None

    __unique__ = (("iban_lookup",),)


class Customers(Container):
    password_hasher: Any = Argon2PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    customers = resource(Customer, fields=SECRET)


class Order(SQLModel, table=True):
    __tablename__ = "secret_orders"

    id: int | None = Column_(default=None, primary_key=True)
    customer_id: int | None = Column_(default=None, foreign_key="secret_customers.id")


class Orders(Container):
    password_hasher: Any = Argon2PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    customers = resource(Customer, fields=SECRET, upsert=["iban"])
    orders = resource(Order, relations={"customer": to_one("customers", by="customer_id")})


class NamesOnly:
    """Everybody may write everything, and read names."""

    async def permissions(self, _principal: Principal, _tenant: Tenant | None, /) -> Permissions:
        return self

    def grant(self, _resource: Resource[Any], _action: str, /) -> Grant | None:
        return Grant(readable=frozenset({"name"}))


class Clients(Container):
    password_hasher: Any = Argon2PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    customers = resource(Client, fields=SECRET)


class Patrons(Container):
    password_hasher: Any = Argon2PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    customers = resource(
        Patron,
        fields=Fields(
            secret=["iban", "notes", "profile", "salary", "born"], lookup=["iban"], password=["password"]
        ),
    )


def key(name: str) -> str:
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def settings(url: str, *keys: str, current: str | None = None, read_plaintext: bool = False) -> Settings:
    """With the keys of *keys*, the first of which encrypts unless *current* is another."""
    return Settings(
        databases={"default": DatabaseSettings(url=url, migrations="auto")},
        encryption=EncryptionSettings(
            keys={each: key(each) for each in keys},
            current=current or next(iter(keys), None),
            read_plaintext=read_plaintext,
        ),
    )
