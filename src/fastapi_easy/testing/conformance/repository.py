"""The promises of `Repository`, one case for each sentence.

```python
class TestMyStore(RepositoryConformance):
    @pytest_asyncio.fixture(scope="class")
    async def store(self) -> AsyncIterator[Store]:
        ...
        yield Store(...)
```
"""

from fastapi_easy.testing.conformance.bulk import Bulk
from fastapi_easy.testing.conformance.comparing import Comparing
from fastapi_easy.testing.conformance.contending import Contending
from fastapi_easy.testing.conformance.keeping import Keeping
from fastapi_easy.testing.conformance.reading import Reading
from fastapi_easy.testing.conformance.streaming import Streaming
from fastapi_easy.testing.conformance.walking import Walking
from fastapi_easy.testing.conformance.writing import Writing


class RepositoryConformance(Reading, Comparing, Walking, Keeping, Writing, Bulk, Streaming, Contending):
    """What every repository does, whatever the store. Subclass, and override the fixture `store`."""
