"""The pages that show the OpenAPI document, with every script and style from the application itself.

FastAPI's own pages load them from a content delivery network: behind a firewall they stay empty, and elsewhere a
third party runs scripts beside the credentials of whoever tries a request. Here they are files of the package
`fastapi-offline`, of which nothing else is used.
"""

import base64
import hashlib
import html
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from fastapi_easy.interfaces.http.scopes.public_paths import root_of

_MEDIA_TYPES: Final = {".js": "text/javascript", ".css": "text/css"}
_SWAGGER_SCRIPT: Final = "swagger-ui-bundle.js"
_SWAGGER_STYLE: Final = "swagger-ui.css"
_REDOC_SCRIPT: Final = "redoc.standalone.js"
# Without one browsers would ask for `/favicon.ico`.
_NO_ICON: Final = "data:,"
_UNCHANGING: Final = {"cache-control": "public, max-age=31536000, immutable"}
_INLINE_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class DocumentationPages:
    """The pages of one app for its OpenAPI document: Swagger UI, and ReDoc.

    Args:
        app: The app, which has no such pages yet.

        security_headers: Send a policy that lets the pages load nothing from other hosts. Requests that somebody
            tries out may go anywhere, since the document may name other servers.
    """

    def __init__(self, app: FastAPI, *, security_headers: bool) -> None:
        self._app = app
        self._security_headers = security_headers

    def add(self, docs_url: str | None, redoc_url: str | None) -> None:
        """Add Swagger UI at *docs_url* and ReDoc at *redoc_url*; `None` leaves a page out."""
        app = self._app
        if app.openapi_url is None:
            return
        app.docs_url, app.redoc_url = docs_url, redoc_url
        if docs_url is not None:
            self._add(docs_url, "swagger_ui_html", self._show_swagger_ui)
            if app.swagger_ui_oauth2_redirect_url:
                self._add(app.swagger_ui_oauth2_redirect_url, "swagger_ui_redirect", self._show_redirect)
            _add_file(app, docs_url, _SWAGGER_SCRIPT)
            _add_file(app, docs_url, _SWAGGER_STYLE)
        if redoc_url is not None:
            self._add(redoc_url, "redoc_html", self._show_redoc)
            _add_file(app, redoc_url, _REDOC_SCRIPT)

    def _add(self, path: str, name: str, show: Callable[[Request], HTMLResponse]) -> None:
        async def answer(request: Request) -> Response:
            page = show(request)
            if self._security_headers:
                page.headers["content-security-policy"] = _policy_for(bytes(page.body).decode())
            return page

        self._app.add_route(path, answer, name=name, include_in_schema=False)

    def _show_swagger_ui(self, request: Request) -> HTMLResponse:
        app, root = self._app, _root_in_html(request)
        page = f"{root}{app.docs_url}"
        redirect = app.swagger_ui_oauth2_redirect_url
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=html.escape(f"{app.title} - Swagger UI"),
            swagger_js_url=_address(page, _SWAGGER_SCRIPT),
            swagger_css_url=_address(page, _SWAGGER_STYLE),
            swagger_favicon_url=_NO_ICON,
            oauth2_redirect_url=f"{root}{redirect}" if redirect else None,
            init_oauth=app.swagger_ui_init_oauth,
            # Else Swagger UI may send the document to a validator on the internet.
            swagger_ui_parameters={"validatorUrl": None, **(app.swagger_ui_parameters or {})},
        )

    def _show_redirect(self, _request: Request) -> HTMLResponse:
        return get_swagger_ui_oauth2_redirect_html()

    def _show_redoc(self, request: Request) -> HTMLResponse:
        app, root = self._app, _root_in_html(request)
        page = f"{root}{app.redoc_url}"
        return get_redoc_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=html.escape(f"{app.title} - ReDoc"),
            redoc_js_url=_address(page, _REDOC_SCRIPT),
            redoc_favicon_url=_NO_ICON,
            with_google_fonts=False,
        )


def _root_in_html(request: Request) -> str:
    return quote(root_of(request.scope))


def _address(page: str, name: str) -> str:
    # With the version, since browsers are told to keep the file.
    return f"{page.rstrip('/')}/{name}?v={version('fastapi-offline')}"


def _add_file(app: FastAPI, page: str, name: str) -> None:
    async def answer(_request: Request) -> Response:
        path = _folder() / name
        return FileResponse(path, headers=_UNCHANGING, media_type=_MEDIA_TYPES[path.suffix])

    path = f"{page.rstrip('/')}/{name}"
    app.add_route(path, answer, name="documentation_file", include_in_schema=False)


def _folder() -> Path:
    import fastapi_offline

    return Path(str(fastapi_offline.__file__)).parent / "static"


def _policy_for(page: str) -> str:
    """Return the content security policy of *page*, which allows its own inline scripts by their hashes."""
    scripts = " ".join(f"'sha256-{_hash(found)}'" for found in _INLINE_SCRIPT.findall(page))
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; worker-src blob:; connect-src *; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ).replace(" ;", ";")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
