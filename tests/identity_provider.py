"""A real identity provider on a port of this machine, as Keycloak shows itself: discovery, keys, access tokens.

It can replace its keys, die and come back at the same port, and leave a request for its keys without an answer.
"""

import asyncio
import json
import socket
import threading
import time
from typing import Any, Self

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from fastapi import FastAPI
from fastapi.responses import Response
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "shop"


class IdentityProvider:
    """Serves while the `with` block lasts.

    Attributes:
        fetches: How often its keys were asked for.

        is_hanging: It leaves requests for its keys without an answer.

        document: What it answers as its key set; `None` for its keys.
    """

    def __init__(self) -> None:
        self.fetches = 0
        self.is_hanging = False
        self.document: bytes | None = None
        self._keys: dict[str, RSAPrivateKey] = {}
        self._published: list[str] = []
        self._port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.rotate()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._port}/realms/shop"

    @property
    def key(self) -> RSAPrivateKey:
        """The key that signs now."""
        return self._keys[self.key_id]

    @property
    def key_id(self) -> str:
        return self._published[-1]

    def rotate(self, *, keep: bool = False) -> None:
        """Sign with a new key from now on; publish the one before as well if it is to *keep* it."""
        name = f"key-{len(self._keys) + 1}"
        self._keys[name] = generate_private_key(65537, 2048)
        self._published = [*(self._published if keep else ()), name]

    def token(
        self, subject: str = "ada", *, header: dict[str, Any] | None = None, key: Any = None, **claims: Any
    ) -> str:
        """An access token; claims that are `...` are left out.

        Args:
            subject: Whom it is about.

            header: Members of the header that differ.

            key: Signs it in place of the current key.

            claims: Those that differ.
        """
        members = {"kid": self.key_id, "typ": "JWT", "alg": "RS256", **(header or {})}
        return jwt.encode(
            {name: value for name, value in {**self.claims(subject), **claims}.items() if value is not ...},
            self.key if key is None else key,
            algorithm=str(members["alg"]),
            headers={name: value for name, value in members.items() if value is not ...},
        )

    def claims(self, subject: str = "ada") -> dict[str, Any]:
        """What Keycloak says in an access token."""
        now = int(time.time())
        return {
            "exp": now + 300,
            "iat": now - 10,
            "jti": "9cf2b3f6-9bd0-4f5c-8b1e-5d0f3a6c7a10",
            "iss": self.issuer,
            "aud": [AUDIENCE, "account"],
            "sub": subject,
            "typ": "Bearer",
            "azp": "shop-web",
            "realm_access": {"roles": ["offline_access", "editor"]},
            "scope": "openid books:read",
            "org": "north",
            "preferred_username": subject,
        }

    async def has_been_asked(self, times: int) -> None:
        """Wait until its keys were asked for so often."""
        while self.fetches < times:  # noqa: ASYNC110 (another thread counts)
            await asyncio.sleep(0.01)

    def start(self) -> None:
        """Begin to serve, at the port it had before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._server = uvicorn.Server(uvicorn.Config(self._app(), log_level="error", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def die(self) -> None:
        """Stop serving: nobody listens at its port any more."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/realms/shop/.well-known/openid-configuration")
        async def discovery() -> dict[str, str]:
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/protocol/openid-connect/certs"}

        @app.get("/realms/shop/protocol/openid-connect/certs")
        async def certs() -> Response:
            self.fetches += 1
            while self.is_hanging:  # noqa: ASYNC110 (another thread says so)
                await asyncio.sleep(0.01)
            return Response(self.document or self._key_set(), media_type="application/json")

        return app

    def _key_set(self) -> bytes:
        keys = [
            {**RSAAlgorithm.to_jwk(self._keys[name].public_key(), as_dict=True), "kid": name, "use": "sig"}
            for name in self._published
        ]
        return json.dumps({"keys": keys}).encode()
