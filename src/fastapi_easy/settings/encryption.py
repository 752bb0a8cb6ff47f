"""The keys of encrypted fields."""

from pydantic import SecretStr

from fastapi_easy.settings.section import Section


class EncryptionSettings(Section):
    """The keys of fields that are encrypted at rest, `Fields(secret=…)`.

    Attributes:
        keys: By id, each 32 random bytes in base64, as `fastapi-easy secrets generate` prints them. Those of earlier
            times stay until no entity is encrypted with them any more.

        current: The id of the key that new values are encrypted with.

        read_plaintext: Take stored values that are not encrypted yet as they are, until `fastapi-easy secrets rotate`
            has encrypted them; otherwise they cannot be read.
    """

    keys: dict[str, SecretStr] = {}
    current: str | None = None
    read_plaintext: bool = False
