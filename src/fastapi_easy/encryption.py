"""Encryption of fields, for programs that bring their own keys: a `cipher` of a container."""

from fastapi_easy.domain.ports.cipher import Cipher
from fastapi_easy.infrastructure.security.aes_gcm import AesGcmCipher
from fastapi_easy.infrastructure.security.base64_keys import decode_key, generate_key

__all__ = ["AesGcmCipher", "Cipher", "decode_key", "generate_key"]
