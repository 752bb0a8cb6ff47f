"""Cross-site request forgery: whether a page of somebody else's made a browser send a request with its cookies."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fastapi_easy.interfaces.http.options import CorsOptions
from fastapi_easy.interfaces.http.request_problems import CSRF_HEADER

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_HEADER: Final = CSRF_HEADER.lower().encode("ascii")


@dataclass(frozen=True, slots=True)
class OriginRule:
    """Which pages may make a browser send a request with its cookies.

    Attributes:
        trusted: The origins of other pages that may, like `https://app.example`.
    """

    trusted: Collection[str] = ()

    def permits(self, headers: Mapping[bytes, bytes]) -> bool:
        """Return whether a request with *headers* was sent by a page that may, or by no page.

        Every browser says where a request comes from that changes something; a program need not.
        """
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") in self.trusted:
            return True
        site = headers.get(b"sec-fetch-site")
        if site is not None:
            return site in {b"same-origin", b"none"}
        if origin is None:
            return True
        # Compared without the scheme: a proxy that ends TLS passes the request on without.
        host = headers.get(b"host", b"").decode("latin-1").lower()
        return bool(host) and _host_of(origin.decode("latin-1")) == host


def origin_rule(cors: CorsOptions) -> OriginRule:
    """Return the rule by which those pages may send requests that *cors* lets send credentials."""
    return OriginRule(tuple(cors.origins) if cors.credentials else ())


def token_in(headers: Mapping[bytes, bytes]) -> str:
    """Return the token that a request has sent; empty where it has not."""
    return headers.get(_HEADER, b"").decode("latin-1")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
