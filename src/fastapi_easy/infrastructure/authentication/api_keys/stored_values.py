"""API keys as flat values, in which lists are JSON texts."""

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi_easy.domain.authentication.api_key import ApiKey


def to_stored(key: ApiKey) -> dict[str, Any]:
    """Return the values of *key* by the fields of its table."""
    return {
        "id": key.id,
        "digest": key.digest,
        "owner": key.owner,
        "label": key.label,
        "roles": _dump(key.roles),
        "tenant": key.tenant,
        "scopes": None if key.scopes is None else _dump(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def from_stored(values: Mapping[str, Any]) -> ApiKey:
    """Return the key with *values*."""
    scopes = values["scopes"]
    return ApiKey(
        id=values["id"],
        digest=values["digest"],
        owner=values["owner"],
        label=values["label"],
        roles=frozenset(json.loads(values["roles"])),
        tenant=values["tenant"],
        scopes=None if scopes is None else frozenset(json.loads(scopes)),
        created_at=_utc(values["created_at"]),
        expires_at=_optional_utc(values["expires_at"]),
        revoked_at=_optional_utc(values["revoked_at"]),
        last_used_at=_optional_utc(values["last_used_at"]),
    )


def _dump(texts: Iterable[str]) -> str:
    return json.dumps(sorted(texts))


def _utc(moment: datetime.datetime) -> datetime.datetime:
    # Some drivers of MongoDB answer times without a zone.
    return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)


def _optional_utc(moment: datetime.datetime | None) -> datetime.datetime | None:
    return None if moment is None else _utc(moment)
