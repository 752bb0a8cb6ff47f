"""The promises of `Repository`, one case for each sentence.

```python
class TestMyStore(RepositoryConformance):
    @pytest_asyncio.fixture(scope="class")
    async def store(self) -> AsyncIterator[Store]:
        ...
        yield Store(...)
```
"""

from fastapi_easy.testing.conformance.locks.concurrency import Contending
from fastapi_easy.testing.conformance.reads.aggregation import Aggregating
from fastapi_easy.testing.conformance.reads.filter_operators import Comparing
from fastapi_easy.testing.conformance.reads.pagination import Walking
from fastapi_easy.testing.conformance.reads.reading import Reading
from fastapi_easy.testing.conformance.reads.related_filters import Relating
from fastapi_easy.testing.conformance.reads.related_selection import Following
from fastapi_easy.testing.conformance.reads.streaming import Streaming
from fastapi_easy.testing.conformance.reads.visibility import Narrowing
from fastapi_easy.testing.conformance.writes.bulk import Bulk
from fastapi_easy.testing.conformance.writes.cancellation import Cancelling
from fastapi_easy.testing.conformance.writes.foreign_keys import Referring
from fastapi_easy.testing.conformance.writes.optimistic_concurrency import Versioning
from fastapi_easy.testing.conformance.writes.round_trips import Keeping
from fastapi_easy.testing.conformance.writes.soft_deletion import Deleting
from fastapi_easy.testing.conformance.writes.writing import Writing


class RepositoryConformance(
    Reading,
    Comparing,
    Walking,
    Keeping,
    Writing,
    Bulk,
    Streaming,
    Contending,
    Relating,
    Following,
    Referring,
    Versioning,
    Narrowing,
    Deleting,
    Aggregating,
    Cancelling,
):
    """What every repository does, whatever the store. Subclass, and override the fixture `store`."""
