"""Alterations of columns: divided into one change each, and described."""

from collections.abc import Iterator
from typing import Any

from alembic.operations.ops import AlterColumnOp

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.infrastructure.migrations.relational.detection.casts import rewrites_table
from fastapi_easy.infrastructure.migrations.scripts.describing.spelling import Spelling


def divided(operation: AlterColumnOp) -> Iterator[AlterColumnOp]:
    """Yield *operation* as alterations of one thing each, in the order in which they can be carried out.

    Each expects that those before it are carried out.
    """
    name = operation.column_name
    existing: dict[str, Any] = {
        "existing_type": operation.existing_type,
        "existing_server_default": operation.existing_server_default,
        "existing_nullable": operation.existing_nullable,
        "existing_comment": operation.existing_comment,
    }
    modified: list[dict[str, Any]] = []
    if operation.modify_name is not None and operation.modify_name != name:
        modified.append({"modify_name": operation.modify_name})
    if operation.modify_type is not None:
        modified.append({"modify_type": operation.modify_type})
    if operation.modify_server_default is not False:
        modified.append({"modify_server_default": operation.modify_server_default})
    if operation.modify_nullable is not None:
        modified.append({"modify_nullable": operation.modify_nullable})
    if operation.modify_comment is not False:
        modified.append({"modify_comment": operation.modify_comment})
    if len(modified) == 1 or not modified:
        # Perhaps there is something that only the server knows, such as `autoincrement`.
        yield operation
        return
    for each in modified:
        yield AlterColumnOp(
            operation.table_name, name, schema=operation.schema, **{**existing, **each}, **operation.kw
        )
        name = each.get("modify_name", name)
        for after in ("type", "server_default", "nullable", "comment"):
            if f"modify_{after}" in each:
                value = each[f"modify_{after}"]
                existing[f"existing_{after}"] = (
                    False if after == "server_default" and value is None else value
                )


def describe_alteration(operation: AlterColumnOp, spelling: Spelling) -> Change:
    """Return what *operation* changes, which is one thing."""
    kind, facts = _kind_and_facts(operation, spelling)
    return Change(
        kind=kind,
        table=spelling.table(operation.schema, operation.table_name),
        name=str(operation.column_name),
        facts=facts,
    )


def _kind_and_facts(operation: AlterColumnOp, spelling: Spelling) -> tuple[ChangeKind, Facts]:
    facts = Facts()
    if operation.existing_nullable is not None:
        facts["nullable"] = facts["nullable_before"] = operation.existing_nullable
    if operation.existing_server_default not in {False, None}:
        facts["default"] = facts["default_before"] = spelling.default(operation.existing_server_default)
    if operation.modify_name is not None and operation.modify_name != operation.column_name:
        return ChangeKind.RENAME_COLUMN, Facts(new_name=str(operation.modify_name))
    if operation.modify_type is not None:
        return ChangeKind.CHANGE_TYPE, _type_facts(
            operation, spelling.type(operation.modify_type), spelling, facts
        )
    if operation.modify_server_default is not False:
        facts["default"] = spelling.default(operation.modify_server_default)
        volatile = spelling.is_volatile(facts["default"])
        if volatile is not None:
            facts["volatile_default"] = volatile
        return ChangeKind.CHANGE_DEFAULT, facts
    if operation.modify_nullable is not None:
        facts["nullable"], facts["nullable_before"] = operation.modify_nullable, not operation.modify_nullable
        if operation.existing_type is not None:
            facts["type_after"] = spelling.type(operation.existing_type)
        return (ChangeKind.DROP_NOT_NULL if operation.modify_nullable else ChangeKind.SET_NOT_NULL), facts
    if operation.modify_comment is not False:
        return ChangeKind.CHANGE_COMMENT, facts
    return ChangeKind.UNKNOWN, facts


def _type_facts(operation: AlterColumnOp, after: str, spelling: Spelling, facts: Facts) -> Facts:
    facts["type_after"] = after
    if operation.existing_type is not None:
        before = facts["type_before"] = spelling.type(operation.existing_type)
        known = rewrites_table(_as_stored(before), _as_stored(after), spelling.server)
        if "rewrites" in known:
            facts["rewrites"] = known["rewrites"]
    if operation.kw.get("postgresql_using"):
        facts["needs_using"] = False
    return facts


def _as_stored(spelled: str) -> str:
    """Return how PostgreSQL itself spells a type."""
    return spelled.lower().replace("varchar", "character varying")
