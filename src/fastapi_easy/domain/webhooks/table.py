"""The table of webhooks."""

from typing import Final

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.field import Field, Kind

MAX_URL: Final = 2000
"""Characters of a URL at most."""

MAX_TENANT: Final = 255
"""Characters of a tenant at most."""

WEBHOOKS: Final = SystemTable(
    name="fe_webhooks",
    fields=(
        Field(name="id", kind=Kind.TEXT, max_length=32),
        Field(name="url", kind=Kind.TEXT, max_length=MAX_URL),
        Field(name="events", kind=Kind.TEXT),
        Field(name="tenant", kind=Kind.TEXT, max_length=MAX_TENANT, nullable=True),
        Field(name="secrets", kind=Kind.TEXT),
        Field(name="position", kind=Kind.INTEGER),
        Field(name="attempts", kind=Kind.INTEGER),
        Field(name="retry_at", kind=Kind.INTEGER),
        Field(name="error", kind=Kind.TEXT),
        Field(name="disabled", kind=Kind.BOOLEAN),
        Field(name="created_at", kind=Kind.DATETIME),
        Field(name="claim", kind=Kind.TEXT, max_length=32, nullable=True),
        Field(name="claimed_at", kind=Kind.INTEGER),
        Field(name="claimed_until", kind=Kind.INTEGER),
    ),
    key=("id",),
)
"""The table of webhooks.

`events` and `secrets` are JSON texts. Times but `created_at` are microseconds since 1970 by the clock of the database,
0 for never: several relays have several clocks.
"""
