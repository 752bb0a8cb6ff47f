"""A request to an ASGI application, without a server."""

from typing import Any

from starlette.types import ASGIApp


async def call(
    app: ASGIApp,
    method: str,
    path: str,
    body: bytes = b"",
    media_type: bytes = b"application/json",
    prefer: bytes = b"",
    authorization: bytes = b"",
) -> tuple[int, bytes]:
    """The status and the body of the answer."""
    raw, _, query = path.partition("?")
    headers = [(b"host", b"bench")]
    headers += [(b"content-type", media_type)] if body else []
    headers += [(b"prefer", prefer)] if prefer else []
    headers += [(b"authorization", authorization)] if authorization else []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw,
        "raw_path": raw.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "server": ("bench", 80),
        "client": ("bench", 1),
        "state": {},
    }
    status = 0
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(parts)
