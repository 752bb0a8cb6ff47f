"""What the URL of a webhook may be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from fastapi_easy.domain.webhooks.addresses import Network, is_allowed, read_address
from fastapi_easy.domain.webhooks.table import MAX_URL

HTTPS_PORT: Final = 443
HTTP_PORT: Final = 80

_PRINTABLE: Final = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRules:
    """Where webhooks may lead.

    Attributes:
        allow_http: Also to `http://`, for tests.

        ports: The ports besides 443, and besides 80 with *allow_http*.

        networks: The networks that are allowed though they are not public.
    """

    allow_http: bool = False
    ports: Sequence[int] = ()
    networks: Sequence[Network] = ()

    def find_mistake(self, url: str) -> str | None:
        """Return why no webhook may lead to *url*, as far as it can be told without asking for the name's addresses."""
        if len(url) > MAX_URL:
            return f"Must have at most {MAX_URL} characters"
        if not _PRINTABLE.fullmatch(url) or "\\" in url:
            return "Must have the printable ASCII characters of URLs only: write other names in Punycode"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "Must be a URL like https://hooks.example/orders"
        if "#" in url:
            return "Must have no fragment"
        return self._mistake_in(parts, port)

    def _mistake_in(self, parts: SplitResult, port: int | None) -> str | None:
        schemes = ("https", "http") if self.allow_http else ("https",)
        if parts.scheme not in schemes:
            return f"Must begin with {' or '.join(f'{each}://' for each in schemes)}"
        if parts.username is not None or parts.password is not None:
            return "Must have no credentials: the signature says who calls"
        if not parts.hostname:
            return "Must name a host"
        allowed = {HTTPS_PORT, *self.ports, *((HTTP_PORT,) if self.allow_http else ())}
        used = port if port is not None else HTTPS_PORT if parts.scheme == "https" else HTTP_PORT
        if used not in allowed:
            return f"Must have one of the ports {', '.join(map(str, sorted(allowed)))}: see webhooks.ports"
        address = read_address(parts.hostname)
        if address is not None and not is_allowed(address, self.networks):
            return "Must lead to a public address: see webhooks.allowed_networks"
        return None
