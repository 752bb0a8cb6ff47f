"""Everything the environment may decide, in one tree with one prefix."""

import ipaddress
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar, overload

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

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
from fastapi_easy.settings.reading.mistakes import describe_mistakes, find_unknown_variables
from fastapi_easy.settings.reading.renamed import with_new_name
from fastapi_easy.settings.reading.sources import (
    DELIMITER,
    PREFIX,
    EnvironmentSource,
    FileSource,
    read_file,
)
from fastapi_easy.settings.reading.unread_files import find_unread_files
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

_logger: Final = logging.getLogger("fastapi_easy.settings")

_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")

S = TypeVar("S", bound="Settings")


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

        header_bytes: Bytes of the request line and the headers at most, where `fastapi-easy run` serves.

        header_timeout: Seconds for all of them there, before the connection is closed.

        keep_alive_timeout: Seconds that a connection may be idle there between two requests.

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
    prefix: str = ""
    docs: bool = True
    trusted_proxies: tuple[str, ...] = ()
    body_limit: Annotated[int, Field(ge=1)] = 1_048_576
    header_limit: Annotated[int, Field(ge=20)] = 100
    header_bytes: Annotated[int, Field(ge=1024)] = 65_536
    header_timeout: Seconds = 10.0
    keep_alive_timeout: Annotated[int, Field(ge=1)] = 5
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

    @model_validator(mode="before")
    @classmethod
    def _accept_former_names(cls, values: Any) -> Any:
        return with_new_name(values, "export_patience", "export_idle_timeout")

    @field_validator("prefix")
    @classmethod
    def _is_path(cls, given: str) -> str:
        if _PATH.fullmatch(given) is None:
            raise ValueError("it is a path that begins with / and does not end with it, like /api")
        return given

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            try:
                _ = ipaddress.ip_network(each, strict=False)
            except ValueError:
                raise ValueError("it takes addresses and networks, like 10.0.0.5 and 10.0.0.0/8") from None
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

        calls_per_second: Lines a second about slow calls, and about those that failed in one way; how many more there
            were is logged in one line.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    json_lines: bool = False
    slow_call: Seconds = 1.0
    calls_per_second: Annotated[int, Field(ge=1)] = 10


class Settings(BaseSettings):
    """Everything the environment may decide.

    Read from, the first winning: arguments, environment variables (`FASTAPI_EASY_DATABASES__DEFAULT__URL`), the
    file `fastapi-easy.toml` in the working directory. A list may be written with commas in a variable. A program adds
    a section of its own in a subclass, `settings = providers.Singleton(read_settings, ShopSettings)`.

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
        env_nested_delimiter=DELIMITER,
        frozen=True,
        extra="forbid",
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
        if not isinstance(values, Mapping):
            return values
        databases = values.get("databases") or {}
        return {
            **values,
            "databases": {"default": {}, **databases} if isinstance(databases, Mapping) else databases,
        }

    @model_validator(mode="wrap")
    @classmethod
    def _name_mistakes(cls, values: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Say which variable or entry is wrong; pydantic would repeat its value, which may be a secret."""
        try:
            return validate(values)
        except ValidationError as error:
            raise DeclarationError(describe_mistakes(error, cls, read_file()), subject="settings") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in order: arguments, the environment, a dotenv file that a subclass names, our file."""
        # Without a file it would look for each field in none.
        dotenv = [dotenv_settings] if getattr(dotenv_settings, "env_file", None) else []
        return init_settings, EnvironmentSource(settings_cls), *dotenv, FileSource(settings_cls)


@overload
def read_settings() -> Settings: ...
@overload
def read_settings(kind: type[S]) -> S: ...
def read_settings(kind: type[Settings] = Settings) -> Settings:
    """Read the settings of this process.

    A file that is named as settings are, and is not read, is logged as a warning.

    Args:
        kind: `Settings`, or a subclass with sections of a program's own.

    Raises:
        DeclarationError: A variable or an entry of the file is unknown or has a wrong value; names each, never
            its value.
    """
    for each in find_unread_files():
        _logger.warning("%s", each)
    mistakes = list(find_unknown_variables(kind, os.environ))
    try:
        settings = kind()
    except DeclarationError as error:
        raise DeclarationError([*mistakes, *error.mistakes], subject="settings") from None
    if mistakes:
        raise DeclarationError(mistakes, subject="settings")
    return settings
