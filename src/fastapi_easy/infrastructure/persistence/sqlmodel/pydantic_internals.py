"""The one name of pydantic's that it keeps to itself."""

from pydantic.fields import FieldInfo


def given_regex(info: FieldInfo) -> str | None:
    """Return what SQLModel's `Field(regex=…)` was given, which it hands to pydantic and forgets.

    Uses `_attributes_set`, known since 2.0; nowhere else is it kept. When it is gone an app with SQLModel's classes
    does not start, rather than take what it should refuse, and so the version has a cap: `pydantic<3`.
    """
    regex: str | None = info._attributes_set.get("regex")
    return regex
