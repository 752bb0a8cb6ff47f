"""A request → the credentials in it."""

from collections.abc import Iterable, Mapping
from typing import Literal

from fastapi_easy.application.authentication.identify_caller import Place
from fastapi_easy.domain.ports import CredentialPlace, Credentials


def find_credentials(headers: Mapping[bytes, bytes], places: Iterable[Place]) -> Credentials | None:
    """Return the credentials at the first of *places* that has any; `None` where no place has.

    What is there and can be no credentials, like a repeated header, is returned as credentials that nobody accepts:
    it must not pass for a caller who gave none.

    Args:
        headers: Those of the request by lower-case name; repeated ones joined by a comma and a space.

        places: Where to look, in this order.
    """
    value: bytes | None
    for place, parameter in places:
        if place is CredentialPlace.BEARER:
            authorization = headers.get(b"authorization")
            if authorization is None:
                continue
            is_usual = authorization.startswith(b"Bearer ")
            value = authorization[7:].strip(b" ") if is_usual else _bearer(authorization)
        else:
            value = _find(headers, place, parameter)
        if value is not None:
            return Credentials(place, parameter, value.decode("latin-1"))
    return None


def _find(
    headers: Mapping[bytes, bytes],
    place: Literal[CredentialPlace.HEADER, CredentialPlace.COOKIE],
    parameter: str,
) -> bytes | None:
    if place is CredentialPlace.COOKIE:
        return _cookie(headers.get(b"cookie"), parameter.encode("latin-1"))
    return headers.get(parameter.lower().encode("latin-1"))


def _bearer(authorization: bytes) -> bytes:
    scheme, _, value = authorization.partition(b" ")
    # Of another scheme, like `Basic`: no authenticator knows it, and the caller does not mean to be anonymous.
    return value.strip(b" ") if scheme.lower() == b"bearer" else b""


def _cookie(header: bytes | None, name: bytes) -> bytes | None:
    if header is None or name not in header:
        return None
    pairs = (pair.partition(b"=") for part in header.split(b";") for pair in part.split(b", "))
    found = [value.strip() for key, _, value in pairs if key.strip() == name]
    # Two of one name: a neighbouring site may have set the other one.
    return None if not found else found[0] if len(found) == 1 else b""
