"""Everything the environment may decide, in one tree with one prefix."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.settings.audit.recording import AuditSettings
from fastapi_easy.settings.authentication import AuthenticationSettings, JwtSettings
from fastapi_easy.settings.caching import CacheSettings
from fastapi_easy.settings.credentials import ApiKeySettings, AttemptSettings, SessionSettings
from fastapi_easy.settings.databases import (
    BreakerSettings,
    DatabaseSettings,
    LockSettings,
    RetrySettings,
)
from fastapi_easy.settings.encryption import EncryptionSettings
from fastapi_easy.settings.events import EventSettings, FeedSettings
from fastapi_easy.settings.idempotency import IdempotencySettings
from fastapi_easy.settings.migrations import MigrationSettings, SuppressionSettings
from fastapi_easy.settings.policy import PolicySettings, RuleSettings
from fastapi_easy.settings.rate_limits import LimitSettings, RateRuleSettings
from fastapi_easy.settings.resources import ResourceSettings
from fastapi_easy.settings.section import Seconds, Section
from fastapi_easy.settings.webhooks import WebhookSettings

__all__ = [
    "ApiKeySettings",
    "AttemptSettings",
    "AuditSettings",
    "AuthenticationSettings",
    "BreakerSettings",
    "CacheSettings",
    "CorsSettings",
    "DatabaseSettings",
    "EncryptionSettings",
    "EventSettings",
    "FeedSettings",
    "HttpSettings",
    "IdempotencySettings",
    "JwtSettings",
    "LimitSettings",
    "LockSettings",
    "LogSettings",
    "MigrationSettings",
    "PolicySettings",
    "QuerySettings",
    "RateRuleSettings",
    "ResourceSettings",
    "RetrySettings",
    "RuleSettings",
    "SessionSettings",
    "Settings",
    "SuppressionSettings",
    "WebhookSettings",
    "read_settings",
]

PREFIX: Final = "FASTAPI_EASY_"


class CorsSettings(Section):
    """Which pages of other origins a browser lets call; none unless origins are named.

    Attributes:
        origins: Like `https://shop.example`; `*` for any.

        methods, headers: What those pages may use; the interface's own lists unless set.

        credentials: Cookies and authorization may be sent along; not together with the origin `*`.
    """

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] | None = None
    headers: tuple[str, ...] | None = None
    credentials: bool = False


class HttpSettings(Section):
    """The HTTP interface.

    Attributes:
        title, version, description: Of the OpenAPI document.

        prefix: Path in front of every resource, like `/api`.

        docs: Serve `/docs` and `/openapi.json`.

        trusted_proxies: Addresses and networks, like `10.0.0.0/8`, of proxies whose `X-Forwarded-For` and
            `X-Forwarded-Proto` are believed; those of nobody unless set.

        body_limit: Bytes of a request body at most.

        header_limit: Headers of a request to a resource at most.

        query_limit: Bytes of a query string at most.

        body_idle_timeout, body_timeout: Seconds to wait for the next part of a body, and for all of it.

        bulk_limit: Items of one bulk at most.

        max_affected: Entities that one item of a bulk may change by a condition at most.

        import_limit: Bytes of the body of an import at most; unset, there is no limit.

        import_line_limit: Bytes of one line, or one CSV record, of an import at most.

        export_idle_timeout: Seconds a caller may take for the next part of an export, or of a change feed.

        feed_heartbeat: Seconds of silence in a change feed after which it says that it is still there.

        security_headers: Send the headers that keep browsers careful.

        drain_delay: Seconds for which requests are still taken after SIGTERM, while `/health/ready` says 503.

        grace: Seconds that requests under way have to end after that.

        ready_requires: Databases without which `/health/ready` answers 503.

        metrics: Count calls, and serve `/metrics` in the text format of Prometheus.
    """

    title: str = "fastapi_easy"
    version: str = "0.1.0"
    description: str = ""
    prefix: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    docs: bool = True
    trusted_proxies: tuple[str, ...] = ()
    body_limit: Annotated[int, Field(ge=1)] = 1_048_576
    header_limit: Annotated[int, Field(ge=20)] = 100
    query_limit: Annotated[int, Field(ge=1)] = 8_192
    body_idle_timeout: Seconds = 10.0
    body_timeout: Seconds = 30.0
    bulk_limit: Annotated[int, Field(ge=1, le=100_000)] = 1000
    max_affected: Annotated[int, Field(ge=1, le=100_000)] = 1000
    import_limit: Annotated[int, Field(ge=1)] | None = None
    import_line_limit: Annotated[int, Field(ge=1)] = 1_048_576
    export_idle_timeout: Seconds = 30.0
    feed_heartbeat: Seconds = 15.0
    security_headers: bool = True
    cors: CorsSettings = CorsSettings()
    drain_delay: Annotated[float, Field(ge=0)] = 0.0
    grace: Annotated[int, Field(ge=1)] = 25
    ready_requires: tuple[str, ...] = ()
    metrics: bool = False

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            _ = ipaddress.ip_network(each, strict=False)
        return given


class QuerySettings(Section):
    """The limits of a query."""

    depth: Annotated[int, Field(ge=1, le=20)] = 3
    leaves: Annotated[int, Field(ge=1, le=1000)] = 50
    items: Annotated[int, Field(ge=1, le=10_000)] = 200
    text: Annotated[int, Field(ge=1, le=100_000)] = 256
    offset: Annotated[int, Field(ge=0)] = 1_000_000_000
    relations: Annotated[int, Field(ge=0, le=5)] = 2
    includes: Annotated[int, Field(ge=0, le=100)] = 10
    groups: Annotated[int, Field(ge=1, le=100_000)] = 1000


class LogSettings(Section):
    """The log.

    Attributes:
        level: Of the `fastapi_easy` loggers.

        json_lines: One JSON object per line instead of text for people.

        slow_call: Seconds after which a call is logged as slow.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    json_lines: bool = False
    slow_call: Seconds = 1.0


class Settings(BaseSettings):
    """Everything the environment may decide.

    Read from, the first winning: arguments, environment variables (`FASTAPI_EASY_DATABASES__DEFAULT__URL`), the
    file `fastapi-easy.toml` in the working directory.

    Attributes:
        databases: By name; `default` is an SQLite file unless said otherwise.

        secret: Signs cursors. Unset, each process makes its own, and a cursor ends with its process.

        deadline: Seconds a call may take whose context does not say; exports and imports take their time.

        retry: How often a call is made again.

        cache: Where kept answers are.

        control: The folder, private, through which `fastapi-easy breakers` reaches processes; unset, it does not.

        authentication: Who callers are.

        idempotency: How long calls with an idempotency key are remembered.

        events: Where events go.

        limits: How often callers may call.

        migrations: How stored schemas are changed.

        audit: How the audit trail is written.

        encryption: The keys of fields that are encrypted at rest.

        policy: What callers may do.

        webhooks: Where webhooks may lead, and how messages are delivered to them.

        telemetry: Record calls and statements through OpenTelemetry; `auto`: when it is configured by then.

        resources: Resources declared in the file, by name.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        toml_file="fastapi-easy.toml",
        nested_model_default_partial_update=True,
    )

    databases: dict[str, DatabaseSettings] = {}
    secret: SecretStr | None = None
    deadline: Annotated[float, Field(ge=0.25)] = 30.0
    retry: RetrySettings = RetrySettings()
    control: Path | None = None
    http: HttpSettings = HttpSettings()
    query: QuerySettings = QuerySettings()
    log: LogSettings = LogSettings()
    locks: LockSettings = LockSettings()
    cache: CacheSettings = CacheSettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    idempotency: IdempotencySettings = IdempotencySettings()
    events: EventSettings = EventSettings()
    limits: LimitSettings = LimitSettings()
    migrations: MigrationSettings = MigrationSettings()
    audit: AuditSettings = AuditSettings()
    encryption: EncryptionSettings = EncryptionSettings()
    policy: PolicySettings = PolicySettings()
    webhooks: WebhookSettings = WebhookSettings()
    telemetry: Literal["auto", "on", "off"] = "auto"
    resources: dict[str, ResourceSettings] = {}

    @model_validator(mode="before")
    @classmethod
    def _has_default_database(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {**values, "databases": {"default": {}, **(values.get("databases") or {})}}
        return values

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in order: arguments, the environment, the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings() -> Settings:
    """Read the settings of this process.

    Raises:
        DeclarationError: A variable or an entry of the file is unknown or has a wrong value; names each, never
            its value.
    """
    known = set(Settings.model_fields)
    mistakes = [
        f"{name} is not a setting: the part after {PREFIX} must start with one of {', '.join(sorted(known))}"
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower().split("__")[0] not in known
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        places = {
            "__".join(str(part) for part in each["loc"]): each["msg"]
            for each in error.errors(include_input=False, include_url=False)
        }
        file = " or in fastapi-easy.toml" if Path("fastapi-easy.toml").exists() else ""
        mistakes += [f"{PREFIX}{place.upper()}{file}: {message}" for place, message in places.items()]
        raise DeclarationError(mistakes) from None
    if mistakes:
        raise DeclarationError(mistakes)
    return settings
