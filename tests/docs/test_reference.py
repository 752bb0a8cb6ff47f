"""The reference says what the code says."""

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
import typer.main
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from fastapi_easy.application import BoundResource, Kernel
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    EVERY_CAPABILITY,
    EVERY_LOCK_CAPABILITY,
    Capability,
    Error,
    Fields,
    QueryRules,
    Schemas,
)
from fastapi_easy.domain import errors as of_domain
from fastapi_easy.domain.migrations.rule_set import docs_of
from fastapi_easy.domain.migrations.rules.table import RULES
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.domain.ports import Lease, LockProvider
from fastapi_easy.domain.resources.options import Version
from fastapi_easy.infrastructure.locks.file import FileLeaseStore
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.infrastructure.locks.mongo import MongoLeaseStore
from fastapi_easy.infrastructure.locks.redis import RedisLeaseStore
from fastapi_easy.infrastructure.locks.relational.mysql import MySqlLeaseStore
from fastapi_easy.infrastructure.locks.relational.postgres import PostgresLeaseStore
from fastapi_easy.infrastructure.locks.relational.sqlite import SqliteLeaseStore
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy import SqlAlchemyDatabase
from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode
from fastapi_easy.interfaces.cli.migrate.reports.plan_report import plan_text
from fastapi_easy.interfaces.cli.policy.tasks import PolicyTasks
from fastapi_easy.interfaces.cli.secrets.app import SecretTasks
from fastapi_easy.interfaces.cli.tasks import Tasks
from fastapi_easy.interfaces.http import request_problems as refusals
from fastapi_easy.interfaces.http.problems import TITLES, Problem, problem_of
from fastapi_easy.settings import PREFIX, Settings
from fastapi_easy.testing import in_memory
from tests.docs import capabilities, messages, migration_rules
from tests.docs.pages import DOCS, ROOT, anchors_of, blocks_of, table_under
from tests.docs.tutorial import printed_by
from tests.unit.application.migrations.sample_plans import ADD, DROP, PLAN
from tests.unit.interfaces.cli.migrate.recorded import RecordedTasks

REFERENCE = DOCS / "reference"
CLI = REFERENCE / "cli.md"
MIGRATE = REFERENCE / "migrate.md"
POLICY = REFERENCE / "policy-commands.md"
RELAY = REFERENCE / "relay-commands.md"
README = ROOT / "README.md"


def settings_of(
    model: type[BaseModel], place: tuple[str, ...] = (), given: BaseModel | None = None
) -> Iterator[tuple[str, str, str]]:
    """Name, variable and default of every setting in *model*, or in the one that is *given* in its place."""
    for name, field in model.model_fields.items():
        here = (*place, name)
        section = _section(field.annotation)
        default = field.default if given is None else getattr(given, name)
        if section is not None:
            inner = default if isinstance(default, section) else None
            yield from settings_of(section, here if section is field.annotation else (*here, "<name>"), inner)
        else:
            yield ".".join(here), PREFIX + "__".join(here).upper(), _worded(default)


def _section(annotation: Any) -> type[BaseModel] | None:
    """The branch that *annotation* is, or that each value of its mapping is."""
    if get_origin(annotation) is dict:
        annotation = get_args(annotation)[1]
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _worded(default: Any) -> str:
    match default:
        case SecretStr():
            return default.get_secret_value()
        case bool():
            return "yes" if default else "no"
        case None:
            return "unset"
        case ():
            return "none"
        case "" | {}:
            return "empty"
    return "required" if default is PydanticUndefined else str(default)


def test_every_setting_is_listed_with_its_variable_and_its_default():
    headings = (
        "General",
        "Databases",
        "HTTP",
        "Authentication",
        "Queries",
        "Logs",
        "Policy",
        "Events",
        "Webhooks",
        "Resources",
    )
    rows = [row for each in headings for row in table_under(REFERENCE / "settings.md", f"## {each}")]

    assert sorted((row["name"], row["variable"], row["default"]) for row in rows) == sorted(
        settings_of(Settings)
    )
    assert [row["name"] for row in rows if not row["meaning"]] == []
    assert [
        row["name"] for row in rows if re.fullmatch(r"\d+(\.\d+)?", row["default"]) and not row["unit"]
    ] == []


def test_the_limits_of_queries_are_those_of_the_settings():
    known = {name: default for name, _, default in settings_of(Settings)}
    rows = table_under(REFERENCE / "queries.md", "## Limits")

    assert {row["setting"]: row["default"].replace(",", "") for row in rows} == {
        row["setting"]: known[row["setting"]] for row in rows
    }


SAMPLES = {
    "UnreadableEntity": {"fields": ("stars",)},
    "AlreadyExists": {"fields": ("title",)},
    "BadQuery": {"parameter": "prise__lt", "reason": "Is not a parameter here", "suggestion": "price__lt"},
    "CheckFailed": {"fields": ("stock",)},
    "Forbidden": {"action": "delete"},
    "Invalid": {"faults": (of_domain.Fault("/title", "Field required", "missing"),)},
    "MigrationStopped": {
        "database": "default",
        "stop": MigrationStop.DRIFT,
        "message": "somebody has changed it",
    },
    "ReferenceBroken": {"fields": ("author_id",)},
    "TooLarge": {"what": "The body", "limit": 1_048_576},
    "Unsupported": {"capability": "arrays"},
}
COMMON = {
    "resource": "books",
    "key": "k",
    "current": "v",
    "name": "n",
    "dependency": "d",
    "retry_after": 1.0,
    "message_id": "m",
}


def sample_of(error: type[Any]) -> Any:
    """One *error* as the page tells of it."""
    values = COMMON | SAMPLES.get(error.__name__, {})
    return error(
        **{each.name: values[each.name] for each in dataclasses.fields(error) if each.name in values}
    )


def test_every_error_is_listed_with_its_code_status_detail_and_whether_to_retry():
    rows = table_under(REFERENCE / "errors.md", "## Of use cases")
    expected = []
    for error in get_args(Error):
        problem = problem_of(sample_of(error))
        again = "yes" if any(name == b"retry-after" for name, _ in problem.headers) else "no"
        expected.append((error.__name__, error.code, str(problem.status), again, problem.detail))

    listed = [
        (row["class"], row["code"], row["status"], row["retry"], row["detail, for example"]) for row in rows
    ]
    assert listed == expected


def test_every_code_that_only_http_knows_is_listed_with_its_status():
    rows = table_under(REFERENCE / "errors.md", "## Of HTTP alone")
    of_use_cases = {each.code for each in get_args(Error)}
    made = [
        refusals.query_too_long(1),
        refusals.too_many_headers(1),
        refusals.headers_too_large(1),
        refusals.method_not_allowed(b"GET"),
        refusals.unsupported_media_type("application/json"),
        refusals.malformed_body("It ends."),
        refusals.not_acceptable("text/csv"),
        refusals.too_many_failures(1),
        *(each for each in vars(refusals).values() if isinstance(each, Problem)),
    ]

    assert {row["code"] for row in rows} == set(TITLES) - of_use_cases
    assert {row["code"]: int(row["status"]) for row in rows} == {
        each.code: each.status for each in made if each.code not in of_use_cases
    }


def test_the_example_of_a_problem_has_the_members_of_problems():
    (example,) = blocks_of(REFERENCE / "errors.md", "json")
    problem = problem_of(of_domain.AlreadyExists("books", ("title",)))

    assert f'"detail": "{problem.detail}"' in example.text
    assert f'"title": "{TITLES[problem.code]}"' in example.text


@pytest.fixture(scope="module")
def commands() -> Any:
    tasks = Tasks(
        serve=int,  # type: ignore[arg-type]
        list_routes=list,  # type: ignore[arg-type]
        describe_messages=dict,  # type: ignore[arg-type]
        diagnose=print,  # type: ignore[arg-type]
        ask_breakers=list,
        list_locks=list,
        evict_lock=bool,
        list_row_security=list,
        version=str,
    )
    secrets = SecretTasks(generate=str, count=list, rotate=list)  # type: ignore[arg-type]
    policies = PolicyTasks(explain=dict, matrix=dict)  # type: ignore[arg-type]
    cli = build_cli(
        tasks,
        RecordedTasks().tasks,
        encryption=secrets,
        key_tasks=dict,
        policies=lambda: policies,
        event_tasks=dict,
        load_consume=dict,  # type: ignore[arg-type]
    )
    every = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
    every["migrate"].load()
    every["keys"].load()
    every["events"].load()
    return every


def test_every_command_is_listed(commands):
    rows = table_under(CLI, "# Command line")

    assert {row["command"] for row in rows} == set(commands)


def test_every_command_below_migrate_is_listed(commands):
    rows = table_under(MIGRATE, "# `fastapi-easy migrate`")

    assert [row["command"] for row in rows] == [*commands["migrate"].commands]


def test_every_option_of_every_command_is_listed_with_its_default(commands):
    rooms = ("keys", "secrets", "tenants")
    others = {*rooms, "migrate", "policy", "relay", "events", "consume"}
    pages = {(CLI, name): command for name, command in commands.items() if name not in others}
    pages |= {
        (CLI, f"{room} {name}"): command
        for room in rooms
        for name, command in commands[room].commands.items()
    }
    pages |= {(POLICY, name): command for name, command in commands["policy"].commands.items()}
    pages |= {(MIGRATE, name): command for name, command in commands["migrate"].commands.items()}
    events = commands["events"].commands
    pages |= {(RELAY, "relay"): commands["relay"], (RELAY, "events lag"): events["lag"]}
    pages[REFERENCE / "consume-command.md", "consume"] = commands["consume"]
    pages |= {(RELAY, f"events dead {name}"): command for name, command in events["dead"].commands.items()}
    expected = {
        place: {
            each.opts[0]: _option_default(each) for each in command.params if each.param_type_name == "option"
        }
        for place, command in pages.items()
    }

    listed = {
        (page, name): {
            row["option"]: row["default"].replace("`", "") for row in table_under(page, f"## `{name}`")
        }
        for page, name in pages
    }
    for place in pages:
        expected[place].pop("--help", None)
    assert listed == expected


def _option_default(option: Any) -> str:
    if isinstance(option.show_default, str):
        return {"the current one": "the current folder"}.get(option.show_default, option.show_default)
    if option.show_default is False:
        return "needed"
    default = option.default
    return ("yes" if default else "no") if isinstance(default, bool) else str(default)


def test_every_exit_code_of_migrations_is_listed():
    rows = table_under(MIGRATE, "## Exit codes")

    assert [int(row["exit code"]) for row in rows] == [*ExitCode]


def test_the_plan_of_the_page_is_printed_as_shown():
    (shown,) = blocks_of(MIGRATE, "text")
    plan = dataclasses.replace(PLAN, steps=(ADD, DROP), findings=(), drift=())

    printed = plan_text(plan, "fastapi-easy migrate apply shop:app --allow DS103:books.legacy")

    assert printed.replace(plan.id, "3f2a9c1b0d4e") == shown.text.rstrip("\n")


def test_the_routes_of_the_tutorials_program_are_printed_as_shown(tmp_path):
    (shown,) = (each for each in blocks_of(CLI, "text") if each.text.startswith("METHOD"))
    program, *_ = blocks_of(DOCS / "tutorial" / "first-shop.md", "python")
    (tmp_path / "shop.py").write_text(program.text)

    assert printed_by(["fastapi-easy", "routes", "shop:app"], tmp_path) == shown.text


STORES = {
    "memory": MemoryDatabase("memory").capabilities,
    "SQLite": SqlAlchemyDatabase("sqlite", "sqlite:///x.sqlite3").capabilities,
    "PostgreSQL": SqlAlchemyDatabase("postgres", "postgresql+asyncpg://host/name").capabilities,
    "MariaDB": SqlAlchemyDatabase("mariadb", "mariadb+aiomysql://host/name").capabilities,
}


def test_the_capabilities_of_the_stores_are_those_they_declare():
    assert capabilities.shown() == [
        {name.strip("`"): cell for name, cell in row.items()} for row in capabilities.rows()
    ], "run `make tables`"


def test_every_capability_is_explained():
    (_, _, after) = (REFERENCE / "stores.md").read_text().partition("| capability |")

    assert all(f"| `{capability}` |" in after for capability in EVERY_CAPABILITY)


LEASES = {
    "memory": MemoryLeaseStore,
    "files": FileLeaseStore,
    "SQLite": SqliteLeaseStore,
    "PostgreSQL": PostgresLeaseStore,
    "MySQL, MariaDB": MySqlLeaseStore,
    "Redis, Valkey": RedisLeaseStore,
    "MongoDB": MongoLeaseStore,
}


def test_the_capabilities_of_lease_stores_are_those_they_declare():
    rows = {row["store"]: row for row in table_under(REFERENCE / "locks.md", "## Where locks are kept")}

    assert set(rows) == set(LEASES)
    for name, store in LEASES.items():
        told = {each for each in EVERY_LOCK_CAPABILITY if rows[name][each] == "yes"}
        assert told == store.capabilities, name


def test_every_argument_of_hold_is_listed_with_its_default():
    rows = table_under(REFERENCE / "locks.md", "## `hold`")
    arguments = inspect.signature(LockProvider.hold).parameters

    assert {row["argument"]: row["default"] for row in rows} == {
        name: repr(each.default).replace("'", '"')
        for name, each in arguments.items()
        if each.kind is inspect.Parameter.KEYWORD_ONLY
    }


def test_every_member_of_a_lease_is_listed():
    rows = table_under(REFERENCE / "locks.md", "## `Lease`")
    listed = {re.sub(r"\(.*", "", name.strip("` ")) for row in rows for name in row["member"].split(",")}

    assert listed == {name for name in vars(Lease) if not name.startswith("_")}


def test_every_method_of_a_resource_is_listed_with_what_it_takes():
    rows = table_under(REFERENCE / "kernel.md", "## Methods of a resource")
    methods = {
        name: list(inspect.signature(method).parameters)[1:]
        for name, method in vars(BoundResource).items()
        if inspect.iscoroutinefunction(method) and not name.startswith("_")
    }

    assert {row["method"]: re.findall(r"\w+", row["takes"]) for row in rows} == methods


def test_every_argument_of_acting_as_is_listed():
    rows = table_under(REFERENCE / "kernel.md", "## `acting_as`")

    assert [row["argument"] for row in rows] == list(inspect.signature(Kernel.acting_as).parameters)[1:]


IN_README = {
    "transactions": (Capability.TRANSACTIONS, "yes", "no"),
    "times with microseconds, in UTC": (Capability.MICROSECONDS, "yes", "no"),
    "exact decimals": (Capability.WIDE_DECIMALS, "yes", "up to 15 digits"),
    "arrays": (Capability.ARRAYS, "yes", "no"),
    "foreign keys are enforced": (Capability.REFERENCES, "yes", "no"),
    "estimated totals": (Capability.ESTIMATES, "estimated", "exact"),
}


def test_the_readme_tells_the_same_of_the_stores():
    rows = {row[""]: row for row in table_under(README, "## What works where")}

    for said, (capability, yes, no) in IN_README.items():
        told = {store: rows[said][store] for store in STORES}
        if capability is Capability.ESTIMATES:
            # In memory the estimate is the number itself.
            told["memory"] = {"exact": "estimated"}[told["memory"]]
        assert told == {store: yes if capability in has else no for store, has in STORES.items()}


@pytest.mark.parametrize("options", [Fields, Schemas, QueryRules, Version], ids=lambda each: each.__name__)
def test_every_option_of_a_group_is_listed(options):
    rows = table_under(REFERENCE / "declarations.md", f"## `{options.__name__}`")

    assert [row["option"] for row in rows] == [each.name for each in dataclasses.fields(options)]
    numbers = {row["option"]: row["default"] for row in rows if row["default"].isdigit()}
    assert numbers == {
        each.name: str(each.default) for each in dataclasses.fields(options) if type(each.default) is int
    }


def test_every_option_of_resource_is_listed():
    rows = table_under(REFERENCE / "declarations.md", "## `resource`")

    assert [row["option"] for row in rows] == list(inspect.signature(resource).parameters)


@dataclasses.dataclass
class Book:
    title: str
    id: int | None = None


class Shop(Container):
    books = resource(Book)


def test_the_routes_of_a_resource_are_those_that_openapi_documents():
    rows = table_under(REFERENCE / "http.md", "## Routes")
    paths = create_app(in_memory(Shop)).openapi()["paths"]
    documented = {
        (method.upper(), path): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }

    assert {(row["method"], row["path"]) for row in rows} == set(documented)
    for row in rows:
        operation = documented[row["method"], row["path"]]
        assert f"`{operation['operationId']}`" in (REFERENCE / "http.md").read_text()
        assert re.match(r"\d+", row["answers"])[0] in operation["responses"]


def test_every_header_that_openapi_documents_is_listed():
    rows = table_under(REFERENCE / "http.md", "## Headers of requests")
    listed = {name.strip("` ") for row in rows for name in row["header"].split(",")}
    document = create_app(in_memory(Shop)).openapi()
    shared = document.get("components", {}).get("parameters", {})
    documented = [
        shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for methods in document["paths"].values()
        for operation in methods.values()
        for each in operation.get("parameters", ())
    ]

    headers = {each["name"] for each in documented if each["in"] == "header"}
    assert headers
    assert headers <= listed


def test_the_rules_of_migrations_are_those_that_are_asked():
    assert migration_rules.shown() == migration_rules.written()


def test_the_messages_are_those_of_the_source():
    assert messages.shown() == messages.written(), "run `make tables`"


def test_messages_of_every_kind_are_found():
    found = {each.text for each in messages.messages()}

    assert {
        "{resource} has no entity with this key.",
        "Must be a whole number",
        "{path} publishes nothing: declare a resource with events=True",
        "query.limit is {limit}: set it between 1 and query.max_limit, {max_limit}",
        "{name} is not read: the file of settings is called {SETTINGS_FILE}",
        "no plan was made, since it was refused: {refused}",
        "%s does not answer: %s",
    } - {text.removeprefix("%s: ") for text in found} == set()


def test_the_address_in_a_finding_is_a_place_on_the_page():
    page, _, _ = docs_of(RULES[0]).partition("#")

    assert [docs_of(rule) for rule in RULES] == [f"{page}#{rule.id.lower()}" for rule in RULES]
    assert {rule.id.lower() for rule in RULES} <= set(anchors_of(ROOT / page))
