"""The promises of `Repository`, one case for each sentence.

```python
class TestMyStore(RepositoryConformance):
    @pytest_asyncio.fixture(scope="class")
    async def store(self) -> AsyncIterator[Store]:
        ...
        yield Store(...)
```
"""

from fastapi_easy.testing.conformance.aggregating import Aggregating
from fastapi_easy.testing.conformance.bulk import Bulk
from fastapi_easy.testing.conformance.cancelling import Cancelling
from fastapi_easy.testing.conformance.comparing import Comparing
from fastapi_easy.testing.conformance.contending import Contending
from fastapi_easy.testing.conformance.deleting import Deleting
from fastapi_easy.testing.conformance.following import Following
from fastapi_easy.testing.conformance.keeping import Keeping
from fastapi_easy.testing.conformance.narrowing import Narrowing
from fastapi_easy.testing.conformance.reading import Reading
from fastapi_easy.testing.conformance.referring import Referring
from fastapi_easy.testing.conformance.relating import Relating
from fastapi_easy.testing.conformance.streaming import Streaming
from fastapi_easy.testing.conformance.versioning import Versioning
from fastapi_easy.testing.conformance.walking import Walking
from fastapi_easy.testing.conformance.writing import Writing


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
