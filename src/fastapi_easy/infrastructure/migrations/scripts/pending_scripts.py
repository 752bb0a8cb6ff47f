"""The steps of scripts: those that were reviewed with them, or else what the scripts say now."""

from collections.abc import Sequence

from sqlalchemy import Connection

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.ports.schema_store import StoredSchema
from fastapi_easy.infrastructure.migrations.scripts.compiling import compile_scripts
from fastapi_easy.infrastructure.migrations.scripts.documents import PlanDocuments, without_recording
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.migrations.scripts.script import Script
from fastapi_easy.infrastructure.relational.server import Server


def steps_of(
    scripts: Sequence[Script],
    connection: Connection,
    server: Server,
    stored: StoredSchema,
    documents: PlanDocuments,
) -> list[tuple[Step, ...]]:
    """Return the steps of each of *scripts*, which are pending.

    The plans beside them are carried out as they are when none of the scripts was edited since, and the database is
    like the one that they were made on. Otherwise the steps are made of the scripts anew.

    Raises:
        ScriptRefusal: A script was made for another kind of database, or does what is not supported.
    """
    plans = [documents.of(each) for each in scripts]
    for script, plan in zip(scripts, plans, strict=True):
        if plan is not None and plan.dialect != server.name:
            raise ScriptRefusal(
                f"{script.path} was made for {plan.dialect}, and the types of {server.name} are others. Make scripts "
                f"on the kind of database that they are for; if it fits both, delete {script.plan_file}"
            )
    known = [each for each in plans if each is not None]
    if len(known) == len(scripts) and _fits(known[0], server, stored):
        return [without_recording(each) for each in known]
    return [each.steps for each in compile_scripts(scripts, server, connection, Hints())]


def _fits(plan: MigrationPlan, server: Server, stored: StoredSchema) -> bool:
    is_same_server = ("mariadb" in plan.server_version.lower()) is server.is_mariadb
    return is_same_server and plan.schema_before == stored.fingerprint
