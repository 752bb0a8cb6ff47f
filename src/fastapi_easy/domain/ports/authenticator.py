"""Authentication: who the caller is."""

import enum
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.principal import Principal


class CredentialPlace(enum.Enum):
    """Where callers put their credentials."""

    BEARER = enum.auto()
    """The header `Authorization`, after the word `Bearer`."""

    HEADER = enum.auto()
    """A header of its own."""

    COOKIE = enum.auto()
    """A cookie, which browsers send unasked: requests that change something need proof against forgery as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityScheme:
    """How callers hand over the credentials of one kind.

    Attributes:
        name: Unique in one application; as documents name it.

        place: Where the credentials are.

        parameter: The name of the header or the cookie; empty for a bearer.

        format: What bearers are, like `JWT`, for documents.

        openid_url: Where the OpenID Connect discovery document of those is who issue these credentials, for
            documents; empty where there is none.

        description: For people.
    """

    name: str
    place: CredentialPlace
    parameter: str = ""
    format: str = ""
    openid_url: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a caller handed over, not verified yet.

    Attributes:
        place: Where it was found.

        parameter: The name of the header or the cookie; empty for a bearer.

        value: The secret itself; never logged, never part of an error.
    """

    place: CredentialPlace
    parameter: str
    value: str = field(repr=False)


@runtime_checkable
class Authenticator(Protocol):
    """Verifies credentials of one kind."""

    @property
    def scheme(self) -> SecurityScheme:
        """How callers hand these credentials over."""
        ...

    async def authenticate(self, credentials: Credentials, /) -> Outcome[Principal | None]:
        """Return whose *credentials* these are; `None` where they are of another kind, and others are to be asked.

        Only called with credentials found in the place that `scheme` names.

        Fails with:
            Unauthenticated: They are of this kind and not valid: forged, expired, revoked. It never says which.

            Unavailable: What is needed to verify them does not answer.
        """
        ...


@runtime_checkable
class HoldsResources(Protocol):
    """An `Authenticator` that has tasks or connections of its own."""

    async def aclose(self) -> None:
        """End them. Called when the application ends; it may begin again afterwards."""
        ...
