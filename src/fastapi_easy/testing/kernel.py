"""An application that keeps everything in memory.

The container and the web stack are imported inside the functions: the pytest plugin loads this package at the
start of every run, and must not make it pay for them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar, cast

from fastapi_easy.application.kernel import Kernel

C = TypeVar("C")

_KEY: Final = "dGVzdGluZyB0ZXN0aW5nIHRlc3RpbmcgdGVzdGluZyE="


def in_memory(container: type[C], **overriding: Any) -> C:
    """Return an instance of *container* that keeps every database in memory, and has keys for an audit trail.

    Args:
        container: The class of your container.

        overriding: Providers or plain objects that override those of the same name.
    """
    from fastapi_easy.container import find_declarations
    from fastapi_easy.settings import AuditSettings, DatabaseSettings, Settings

    memory = DatabaseSettings.model_validate({"url": "memory://"})
    names = {"default", *(each.database for each in find_declarations(cast("Any", container)).values())}
    audit = AuditSettings.model_validate({"keys": {"testing": _KEY}, "personal_key": _KEY})
    make: Any = container

    def create(names: set[str]) -> Any:
        return make(settings=Settings(databases=dict.fromkeys(names, memory), audit=audit), **overriding)

    created = create(names)
    # A configuration file may name more databases, which only an instance knows.
    found = created.settings().databases.keys()
    complete: C = created if found <= names else create(names | found)
    return complete


@asynccontextmanager
async def in_memory_kernel(container: type[Any], **overriding: Any) -> AsyncIterator[Kernel]:
    """Start and yield the kernel of *container* in memory; its use cases behave as on a server."""
    from fastapi_easy.bootstrap import open_kernel

    async with open_kernel(in_memory(container, **overriding)) as kernel:
        yield kernel
