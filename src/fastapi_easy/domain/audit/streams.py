"""Which chain an entry belongs to."""

import hashlib
import zlib
from typing import Any, Final
from urllib.parse import quote

from fastapi_easy.domain.audit.canonical import clean_text, to_exact_canonical_json
from fastapi_easy.domain.principal import Tenant

DEFAULT_STREAMS: Final = 16
"""Chains that the changes of an application without tenants are spread over."""

_MAX_LENGTH: Final = 200


def stream_of_change(resource: str, key: Any, tenant: Tenant | None, streams: int = DEFAULT_STREAMS) -> str:
    """Return the stream of a change: printable ASCII without spaces, at most 255 characters.

    Each tenant has a chain of its own. What belongs to no tenant is spread over *streams* of them, since a chain is
    written by one transaction after the other; all that ever happens to one entity stays in one chain.

    Args:
        resource: The name of the resource.

        key: The key of the entity, as plain JSON.

        tenant: The partition in which it happened.

        streams: How many chains there are for what belongs to no tenant.
    """
    if tenant is not None:
        return stream_of_tenant(tenant)
    entity = to_exact_canonical_json([resource, key])
    return f"changes-{zlib.crc32(entity) % streams:02d}"


def stream_of_tenant(tenant: Tenant) -> str:
    """Return the stream of what happens in the partition of *tenant*."""
    quoted = quote(clean_text(tenant), safe="")
    if len(quoted) > _MAX_LENGTH:
        quoted = f"sha256-{hashlib.sha256(quoted.encode()).hexdigest()}"
    return f"tenant:{quoted}"
