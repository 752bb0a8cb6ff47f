"""The setting in which a transaction of PostgreSQL is told its tenant."""

from typing import Final

from fastapi_easy.domain.principal import Tenant

TENANT_SETTING: Final = "fastapi_easy.tenant"
"""The name of the setting; outside of a transaction that was told its tenant it is empty, or not there."""


def set_tenant(tenant: Tenant | None) -> str:
    """Return the statement that tells a transaction its *tenant*, until it ends.

    It is sent together with `BEGIN`, where no parameters are possible: the text travels as hexadecimal digits, among
    which nothing can mean anything else.
    """
    try:
        written = (tenant or "").encode()
    except UnicodeEncodeError:
        written = b""
    # PostgreSQL has no text with a null character: such a tenant is nobody's.
    digits = "" if b"\0" in written else written.hex()
    return f"SELECT set_config('{TENANT_SETTING}', convert_from(decode('{digits}', 'hex'), 'UTF8'), true)"
