"""What posts webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class PostResult:
    """What came of one request.

    Attributes:
        status: Of the answer; `None` when there was none.

        error: Why there was no answer, for people: never says which address a name has.

        retry_after: Seconds for which the receiver asks to be left alone, if it does.
    """

    status: int | None = None
    error: str = ""
    retry_after: float | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it: with a status of 2xx, and no other."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@runtime_checkable
class WebhookSender(Protocol):
    """Posts to addresses outside that nobody here has chosen."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, /) -> PostResult:
        """Post *body* to *url*, within a time limit, without following redirects; whatever goes wrong is an answer.

        Nothing is sent to an address that is not public, unless it is allowed.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; the next post opens one."""
        ...
