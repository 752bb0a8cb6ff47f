"""Where answers are kept."""

from typing import Annotated

from pydantic import Field, SecretStr

from fastapi_easy.settings.section import Section


class CacheSettings(Section):
    """The store of kept answers, for resources that are declared with a cache.

    Attributes:
        url: `memory://`, in each process, or `redis://host/0`, `rediss://…`, `unix://…` for all processes together.

        max_entries: Answers in memory at most.

        max_bytes: Bytes of all answers in memory together at most.
    """

    url: SecretStr = SecretStr("memory://")
    max_entries: Annotated[int, Field(ge=1)] = 10_000
    max_bytes: Annotated[int, Field(ge=1)] = 67_108_864
