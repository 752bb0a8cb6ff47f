"""Events as other systems read them: CloudEvents 1.0 in its JSON format."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CONTENT_TYPE: Final = "application/cloudevents+json"
"""The media type of one event in the JSON format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvent:
    """One event, whoever wrote it.

    Attributes:
        id: With *source* it identifies the event; the same however often it is sent.

        source: Where it happened: a URI reference.

        type: What happened: `books.created`.

        subject: What it happened to, within *source*; empty when it does not say.

        time: When, aware; `None` when it does not say.

        data: What there is to know, as JSON.

        extensions: Further attributes; texts, numbers or booleans.
    """

    id: str
    source: str
    type: str
    subject: str = ""
    time: datetime.datetime | None = None
    data: Any = None
    extensions: Mapping[str, str | int | bool] = field(default_factory=dict)


def write_cloud_event(event: CloudEvent) -> bytes:
    """Return *event* in the JSON format; attributes without a value are left out.

    Raises:
        TypeError: Its data are not JSON.
    """
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
    }
    if event.subject:
        document["subject"] = event.subject
    if event.time is not None:
        document["time"] = _show_time(event.time)
    document.update((name, value) for name, value in event.extensions.items() if value != "")
    document["datacontenttype"] = "application/json"
    document["data"] = event.data
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _show_time(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
