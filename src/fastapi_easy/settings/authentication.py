"""The settings of authentication."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from fastapi_easy.settings.credentials import ApiKeySettings, SessionSettings
from fastapi_easy.settings.section import Seconds, Section


class JwtSettings(Section):
    """The JSON Web Tokens of one issuer; none are accepted unless `issuer` is set.

    Attributes:
        issuer: Exactly as tokens say in `iss`, like `https://id.example/realms/shop`.

        audience: Names of this API, one of which tokens have in `aud`.

        algorithms: Of one family; unset means RS256, or HS256 with a shared secret.

        jwks_url: Where the public keys are; unset, the discovery document of the issuer says so.

        jwks_ttl: Seconds after which the keys are fetched again.

        jwks_stale_for: Seconds for which they are used while they cannot be fetched.

        jwks_interval: Seconds between two fetches, whatever tokens ask for.

        jwks_timeout: Seconds one fetch may take.

        public_key: The only public key, in PEM, in place of keys that are fetched.

        secret: The only secret, shared with the issuer.

        leeway: Seconds by which clocks may differ.

        max_lifetime: Seconds for which a token may be valid; unset, any number.

        header_types: Accepted values of `typ` in the header; an empty one stands for none.

        kind_claims: Claims that say which kind of token it is; each has to say an access token where it is present.

        id_claim: The claim with the id of the caller.

        roles_claim: That with the roles; dots lead into objects, as in `realm_access.roles`.

        tenant_claim: That with the tenant; unset, callers have none.

        scopes_claim: That with the permissions that the token is limited to; unset, it has no such limit.
    """

    issuer: str | None = None
    audience: str | tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    jwks_url: str | None = None
    jwks_ttl: Seconds = 300.0
    jwks_stale_for: Seconds = 3600.0
    jwks_interval: Seconds = 10.0
    jwks_timeout: Seconds = 3.0
    public_key: str | None = None
    secret: SecretStr | None = None
    leeway: Annotated[float, Field(ge=0, le=300)] = 30.0
    max_lifetime: Seconds | None = None
    header_types: tuple[str, ...] = ("at+jwt", "jwt", "")
    kind_claims: tuple[str, ...] = ("token_use", "token_type", "type", "typ")
    id_claim: str = "sub"
    roles_claim: str = "roles"
    tenant_claim: str | None = None
    scopes_claim: str | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        # Not by `model_fields_set`: a setting beside these lets all of them be set to their defaults.
        if self.issuer is None and self.model_dump() != type(self).model_construct().model_dump():
            raise ValueError("no token is accepted without an issuer: set authentication.jwt.issuer")
        sources = [name for name in ("jwks_url", "public_key", "secret") if getattr(self, name) is not None]
        if len(sources) > 1:
            raise ValueError(f"{' and '.join(sources)} exclude each other: set one")
        return self


class AuthenticationSettings(Section):
    """Who callers are.

    Attributes:
        jwt: Accept the access tokens of an identity provider.

        api_keys: API keys of the application itself.

        sessions: Sessions of browsers, where the container has `browser_sessions`.
    """

    jwt: JwtSettings = JwtSettings()
    api_keys: ApiKeySettings = ApiKeySettings()
    sessions: SessionSettings = SessionSettings()
