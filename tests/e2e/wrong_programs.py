"""Programs and settings as a new user gets them wrong, and what has to be said of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIX = "FASTAPI_EASY_"

PREAMBLE = """
from dataclasses import dataclass

from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
"""
BOOK = """

class Book(SQLModel, table=True):
    __tablename__ = __name__
    id: int | None = Field(default=None, primary_key=True)
    title: str
"""
SHOP = """

class Shop(Container):
    books = resource(Book)
"""
ACTIONS = """

@dataclass(frozen=True)
class CheckIn:
    async def perform(self, key, work, context): ...


@dataclass(frozen=True)
class CheckBookIn:
    async def perform(self, key, work, context): ...
"""
GOOD = f"{BOOK}{SHOP}\n\napp = create_app(Shop())\n"


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A mistake.

    Attributes:
        says: Parts of what has to be said, what and where and the mend.

        program: The program below `PREAMBLE`.

        variables: The environment, without its prefix.

        files: Further files beside the program.

        at_start: It is found once the program starts, and not already when it is loaded.
    """

    says: tuple[str, ...]
    program: str = GOOD
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    at_start: bool = False


def variable(name: str, value: str, *says: str) -> Wrong:
    return Wrong(variables={name: value}, says=(f"{PREFIX}{name}", *says))


def file(content: str, *says: str) -> Wrong:
    return Wrong(files={"fastapi-easy.toml": content.encode()}, says=("fastapi-easy.toml", *says))


def program(text: str, *says: str) -> Wrong:
    return Wrong(program=text, says=says)


def url(text: str, *says: str, at_start: bool = False) -> Wrong:
    return Wrong(variables={"DATABASES__DEFAULT__URL": text}, says=says, at_start=at_start)


SETTINGS = {
    "a section misspelt": variable("HTPP__PREFIX", "/x", "did you mean FASTAPI_EASY_HTTP__PREFIX?"),
    "an entry misspelt": variable("HTTP__PREFX", "/x", "did you mean FASTAPI_EASY_HTTP__PREFIX?"),
    "one underscore for two": variable(
        "DATABASES_DEFAULT_URL", "x", "did you mean FASTAPI_EASY_DATABASES__DEFAULT__URL?"
    ),
    "a section of its own": variable("COLOUR", "red", "must begin with one of", "databases"),
    "no yes or no": variable("HTTP__DOCS", "perhaps", "has to be true or false"),
    "no number": variable("DEADLINE", "soon", "has to be a number"),
    "a number too small": variable("DEADLINE", "0.1", "greater than or equal to 0.25"),
    "no whole number": variable("HTTP__GRACE", "1.5", "has to be a whole number"),
    "none of the words": variable(
        "LOG__LEVEL", "wrning", "one of DEBUG, INFO, WARNING, ERROR", "did you mean WARNING?"
    ),
    "no path": variable("HTTP__PREFIX", "api", "begins with /"),
    "no network": variable(
        "HTTP__TRUSTED_PROXIES", "10.0.0.0/8,proxy", "addresses and networks, like 10.0.0.5"
    ),
    "text for a section": variable(
        "DATABASES", "sqlite:///x", "is a section", "FASTAPI_EASY_DATABASES__DEFAULT__URL"
    ),
    "text for a list of sections": variable("LIMITS__RULES", "10/s", "[[limits.rules]]"),
    "a former name with a strange value": Wrong(
        variables={"DATABASES__DEFAULT__SCHEMA_MODE": "drop"},
        says=(
            "FASTAPI_EASY_DATABASES__DEFAULT__",
            "schema_mode is the former name of migrations",
            "auto, check, off",
        ),
    ),
    "no TOML": file("[http]\ntitle = Shop\n", "line 2", "texts in quotes"),
    "not UTF-8": Wrong(
        files={"fastapi-easy.toml": "[http]\ntitle = 'Büro'".encode("utf-16")},
        says=("fastapi-easy.toml", "save it in that encoding"),
    ),
    "a section of the file misspelt": file("[htpp]\ntitle = 'x'\n", "did you mean http?"),
    "an entry of the file misspelt": file("[http]\ntitel = 'x'\n", "http.titel", "did you mean http.title?"),
    "a wrong value in the file": file("[log]\nlevel = 'loud'\n", "log.level", "DEBUG, INFO"),
    "a wrong value in code": program(
        f"{BOOK}{SHOP}\n\napp = create_app(Shop(settings=Settings(deadline='soon')))\n",
        "deadline, which is set in code",
        "has to be a number",
    ),
}
PROGRAMS = {
    "the class of the container": program(f"{BOOK}{SHOP}\n\napp = create_app(Shop)\n", "write Shop()"),
    "no container": program("app = create_app({})\n", "of type dict", "class Shop(Container)"),
    "an instance": program(
        f"{BOOK}{SHOP}".replace("resource(Book)", "resource(Book(title='x'))"), "write resource(Book)"
    ),
    "text": program(
        f"{BOOK}{SHOP}".replace("resource(Book)", "resource('Book')"), "'Book'", "without quotes"
    ),
    "no table": program(GOOD.replace(", table=True", ""), "books", "write class Book(SQLModel, table=True)"),
    "no key": program(
        GOOD.replace("Field(default=None, primary_key=True)", "None"),
        "line",
        "Field(default=None, primary_key=True)",
    ),
    "a dataclass on SQLite": program(
        f"@dataclass\nclass Book:\n    id: int | None\n    title: str\n{SHOP}\n\napp = create_app(Shop())\n",
        "books",
        "mapped to no table",
        "stored_as",
    ),
    "a class and no resource": program(
        GOOD.replace("resource(Book)", "Book"), "write books = resource(Book)"
    ),
    "an option misspelt": program(
        GOOD.replace("resource(Book)", "resource(Book, tenat='x')"), "'tenat'", "line", "did you mean tenant?"
    ),
    "an option of another kind": program(
        GOOD.replace("resource(Book)", "resource(Book, fields={'hidden': ('title',)})"),
        "resource(Book)",
        "write fields=Fields(…)",
    ),
    "a field that is not there": program(
        GOOD.replace("resource(Book)", "resource(Book, soft_delete='gone')"), "books", "'gone'"
    ),
    "an operation misspelt": program(
        GOOD.replace("resource(Book)", "resource(Book, operations=['lst'])"), "books", "'lst'"
    ),
    "a reserved name": program(GOOD.replace("books =", "settings ="), "settings", "rename the resource"),
    "another database": program(
        GOOD.replace("resource(Book)", "resource(Book, database='archive')"),
        "FASTAPI_EASY_DATABASES__ARCHIVE__URL",
    ),
    "two actions of one name": program(
        f"{BOOK}{ACTIONS}{SHOP}\n\napp = create_app(Shop())\n".replace(
            "resource(Book)", "resource(Book, actions=[CheckIn, CheckBookIn])"
        ),
        "CheckIn and CheckBookIn of Book",
        "action_name",
    ),
    "a field called like a secret": program(
        GOOD.replace("title: str", "title: str\n    hashed_password: str"),
        "books",
        "'hashed_password'",
        "hidden=",
        "readable=",
    ),
    "a time that may be meant in two ways": program(
        f"import datetime\n{GOOD}".replace(
            "title: str",
            "title: str\n    due: datetime.datetime = Field(\n"
            "        default_factory=lambda: datetime.datetime.now() + datetime.timedelta(days=3)\n    )",
        ),
        "books",
        "'due'",
        "datetime.now(UTC)",
    ),
    "a library that is missing": program(
        "import motor_of_another_kind\n", "motor_of_another_kind", "line", "install it"
    ),
    "a syntax error": program("def broken(:\n", "SyntaxError", "line"),
    "a container and no app": program(
        f"{BOOK}{SHOP}\n\napp = Shop\n\napp = 3\n", "type int", "app = create_app(Shop())"
    ),
}
URLS = {
    "no URL": url("app.sqlite3", "database 'default'", "cannot be read"),
    "two slashes": url("sqlite://app.sqlite3", "database 'default'", "sqlite:///app.sqlite3"),
    "another scheme": url("oracle://u@h/x", "'oracle'", "postgresql"),
    "another driver": url("postgresql+psycopg2://u@h/x", "'psycopg2'", "asyncpg, psycopg"),
    "no port": url("postgresql://u@h:port/x", "database 'default'", "the port"),
    "no folder": url("sqlite:///nowhere/app.sqlite3", "nowhere", "create it", at_start=True),
    "a folder for a file": url("sqlite:///.", "is a folder", at_start=True),
    "no database": Wrong(
        variables={"DATABASES__DEFAULT__URL": "sqlite:///notes.txt"},
        files={"notes.txt": b"Buy milk, and write a program."},
        says=("notes.txt", "not a SQLite database"),
        at_start=True,
    ),
    "nobody there": url(
        "postgresql://me:hush@127.0.0.1:1/x", "does not answer", "databases.default.url", at_start=True
    ),
}
WRONG = {**SETTINGS, **PROGRAMS, **URLS}
