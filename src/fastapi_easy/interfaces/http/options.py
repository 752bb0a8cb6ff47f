"""The options of the HTTP interface, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi_easy.domain.ports.dependency import CallQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class CorsOptions:
    """Which pages of other origins may call (CORS). Off unless origins are named.

    Attributes:
        origins: Allowed origins, like `https://shop.example`; `*` for any.

        methods: Allowed methods.

        headers: Request headers allowed besides the simple ones.

        credentials: Cookies and authorization may be sent along; not together with the origin `*`.
    """

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = (
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Prefer",
        "X-Correlation-ID",
    )
    credentials: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """The options of the whole HTTP interface.

    Attributes:
        title: The name of the API in its documentation.

        version: The version of the API in its documentation.

        description: A paragraph for the documentation; Markdown.

        prefix: The path before every resource, like `/api/v1`; empty, or starting with and not ending in `/`.

        docs: Serve `/docs` and `/openapi.json`.

        security_headers: Send the headers that browsers take security rules from.

        cors: Which pages of other origins may call (cross-origin resource sharing).

        trusted_proxies: Addresses and networks of proxies whose `X-Forwarded-For` is believed.

        rate_limits: Whether there are rate limits, so that responses tell what they leave.

        body_limit: Bytes a request body may have.

        header_limit: Headers a request may have.

        query_limit: Bytes a query string may have.

        body_idle_timeout: Seconds to wait for the next part of a body.

        body_timeout: Seconds to wait for a whole body.

        bulk_limit: Items in one bulk.

        max_affected: Entities that one item of a bulk may change by a condition.

        import_limit: Bytes the body of an import may have; `None` for any number.

        import_line_limit: Bytes one line, or one CSV record, of an import may have.

        export_idle_timeout: Seconds a caller may take for the next part of an export, or of a change feed.

        feed_heartbeat: Seconds of silence in a change feed after which it says that it is still there.

        queues: By the name of a database, the calls that wait for it. When they are too many, requests for its
            resources are refused before anything is done for them.
    """

    title: str = "fastapi_easy"
    version: str = "0.1.0"
    description: str = ""
    prefix: str = ""
    docs: bool = True
    security_headers: bool = True
    cors: CorsOptions = CorsOptions()
    trusted_proxies: tuple[str, ...] = ()
    rate_limits: bool = False
    body_limit: int = 1024 * 1024
    header_limit: int = 100
    query_limit: int = 8 * 1024
    body_idle_timeout: float = 10.0
    body_timeout: float = 30.0
    bulk_limit: int = 1000
    max_affected: int = 1000
    import_limit: int | None = None
    import_line_limit: int = 1024 * 1024
    export_idle_timeout: float = 30.0
    feed_heartbeat: float = 15.0
    queues: Mapping[str, CallQueue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the prefix and the CORS rules.

        Raises:
            ValueError: What is wrong, and how to mend it.
        """
        if self.prefix and (not self.prefix.startswith("/") or self.prefix.endswith("/")):
            raise ValueError(
                f"prefix must start with / and not end with /: write {'/' + self.prefix.strip('/')!r}"
            )
        if self.cors.credentials and "*" in self.cors.origins:
            raise ValueError("cors: credentials need named origins: replace * by the origins that may call")
