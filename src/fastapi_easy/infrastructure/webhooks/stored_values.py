"""Webhooks as flat values, in which lists are JSON texts and times are microseconds since 1970."""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.ports.webhook_store import Webhook

MICROSECONDS: Final = 1_000_000
"""Of one second."""

FRESH: Final[Mapping[str, Any]] = {"attempts": 0, "retry_at": 0, "error": ""}
"""What is stored of attempts while there were none."""

UNCLAIMED: Final[Mapping[str, Any]] = {"claim": None, "claimed_until": 0}
"""What is stored of a claim while there is none."""

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def to_stored(webhook: Webhook) -> dict[str, Any]:
    """Return the values of *webhook*, which nobody has claimed, by the fields of its table."""
    retry_at = webhook.retry_at
    return {
        "id": webhook.id,
        "position": webhook.position,
        "attempts": webhook.attempts,
        "retry_at": 0 if retry_at is None else (retry_at - _EPOCH) // datetime.timedelta(microseconds=1),
        "error": webhook.error,
        "created_at": webhook.created_at,
        "claimed_at": 0,
        **UNCLAIMED,
        **to_changed(webhook),
    }


def to_changed(webhook: Webhook) -> dict[str, Any]:
    """Return what an operator may change of *webhook*, by the fields of its table."""
    return {
        "url": webhook.url,
        "events": to_json(webhook.events),
        "tenant": webhook.tenant,
        "secrets": to_json(webhook.secrets),
        "disabled": webhook.disabled,
    }


def to_json(texts: Sequence[str]) -> str:
    """Return the one form in which a list of *texts* is stored, so that lists can be compared."""
    return json.dumps(list(texts))


def from_stored(values: Mapping[str, Any]) -> Webhook:
    """Return the webhook with *values*."""
    retry_at, created_at = values["retry_at"], values["created_at"]
    return Webhook(
        id=values["id"],
        url=values["url"],
        events=tuple(json.loads(values["events"])),
        tenant=values["tenant"],
        secrets=tuple(json.loads(values["secrets"])),
        position=values["position"],
        attempts=values["attempts"],
        retry_at=_EPOCH + datetime.timedelta(microseconds=retry_at) if retry_at else None,
        error=values["error"],
        disabled=bool(values["disabled"]),
        # Some drivers of MongoDB answer times without a zone.
        created_at=created_at.replace(tzinfo=datetime.UTC) if created_at.tzinfo is None else created_at,
    )
