"""API keys: credentials of programs, which last until they expire or are revoked."""

import datetime
from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.principal import Principal, Tenant

MAX_TEXT: Final = 255
"""Characters of an owner, a label and a tenant at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key as it is stored: everything but the key itself. Times are aware, UTC, in whole seconds.

    Attributes:
        id: The public part of the key, by which it is found, listed and revoked.

        digest: The SHA-256 of the whole key, in hexadecimal digits.

        owner: The id of the principal who calls with it.

        label: What it is for, for people.

        roles: The roles of that principal.

        tenant: The partition that the principal belongs to.

        scopes: The only permissions that it may be used for; `None` for all that the roles permit.

        created_at: When it was issued.

        expires_at: From when on it is refused; `None` for never.

        revoked_at: When somebody revoked it.

        last_used_at: When it was used last, to the minute.
    """

    id: str
    digest: str = field(repr=False)
    owner: str
    label: str = ""
    roles: frozenset[str] = frozenset()
    tenant: Tenant | None = None
    scopes: frozenset[str] | None = None
    created_at: datetime.datetime
    expires_at: datetime.datetime | None = None
    revoked_at: datetime.datetime | None = None
    last_used_at: datetime.datetime | None = None

    def is_valid_at(self, moment: datetime.datetime) -> bool:
        """Return whether the key is accepted at *moment*: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or moment < self.expires_at)

    def principal(self) -> Principal:
        """Return who calls with this key; its id is the claim `api_key`."""
        return Principal(
            id=self.owner,
            roles=self.roles,
            tenant=self.tenant,
            scopes=self.scopes,
            claims={"api_key": self.id},
        )


API_KEYS: Final = SystemTable(
    name="fe_api_keys",
    fields=(
        Field(name="id", kind=Kind.TEXT, max_length=16),
        Field(name="digest", kind=Kind.TEXT, max_length=64),
        Field(name="owner", kind=Kind.TEXT, max_length=MAX_TEXT),
        Field(name="label", kind=Kind.TEXT, max_length=MAX_TEXT),
        Field(name="roles", kind=Kind.TEXT),
        Field(name="tenant", kind=Kind.TEXT, max_length=MAX_TEXT, nullable=True),
        Field(name="scopes", kind=Kind.TEXT, nullable=True),
        Field(name="created_at", kind=Kind.DATETIME),
        Field(name="expires_at", kind=Kind.DATETIME, nullable=True),
        Field(name="revoked_at", kind=Kind.DATETIME, nullable=True),
        Field(name="last_used_at", kind=Kind.DATETIME, nullable=True),
    ),
    key=("id",),
)
"""The table of API keys; roles and scopes are JSON texts."""
