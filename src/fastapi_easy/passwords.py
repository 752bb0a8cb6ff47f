"""Hashes of passwords, for programs that choose the parameters: a `password_hasher` of a container."""

from fastapi_easy.domain.ports.password_hasher import PasswordHasher
from fastapi_easy.domain.values.passwords import PasswordHash
from fastapi_easy.infrastructure.security.argon2 import Argon2PasswordHasher

__all__ = ["Argon2PasswordHasher", "PasswordHash", "PasswordHasher"]
