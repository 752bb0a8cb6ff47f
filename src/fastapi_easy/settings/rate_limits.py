"""How often callers may call."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from fastapi_easy.application.pipeline.rate_rule import LimitedBy, RateRule
from fastapi_easy.domain.rates.rate import Rate
from fastapi_easy.settings.section import Seconds, Section


class RateRuleSettings(Section):
    """A rate limit.

    Attributes:
        rate: Like `100/minute` or `1000/15 minutes`.

        by: Whose calls are counted together: `principal`, `tenant` or `address`.

        permissions: What counts, like `books:create`, `*:read` or `*`.
    """

    rate: str
    by: LimitedBy = LimitedBy.PRINCIPAL
    permissions: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)

    @field_validator("rate")
    @classmethod
    def _is_rate(cls, text: str) -> str:
        _ = Rate.read(text)
        return text

    def rule(self) -> RateRule:
        """Return the same for the kernel."""
        return RateRule(rate=Rate.read(self.rate), by=self.by, permissions=frozenset(self.permissions))


class LimitSettings(Section):
    """How often callers may call.

    Attributes:
        url: Where calls are counted: `memory://`, in each process, or `redis://host/0`, `rediss://…`, `unix://…` for
            all processes together.

        timeout: Seconds to wait for the counter; a call that it does not answer is permitted.

        rules: The limits, of which each has to permit a call.
    """

    url: SecretStr = SecretStr("memory://")
    timeout: Seconds = 0.1
    rules: tuple[RateRuleSettings, ...] = ()
