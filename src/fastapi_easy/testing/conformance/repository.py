"""The conformance suite of `Repository`.

```python
class TestMyStore(RepositoryConformance):
    @pytest_asyncio.fixture(scope="class")
    async def store(self) -> AsyncIterator[Store]:
        ...
        yield Store(...)
```
"""

from fastapi_easy.testing.conformance.reads.aggregation import AggregationCases
from fastapi_easy.testing.conformance.reads.document_paths import DocumentPathCases
from fastapi_easy.testing.conformance.reads.filter_operators import FilterOperatorCases
from fastapi_easy.testing.conformance.reads.pagination import PaginationCases
from fastapi_easy.testing.conformance.reads.reading import ReadCases
from fastapi_easy.testing.conformance.reads.related_filters import RelatedFilterCases
from fastapi_easy.testing.conformance.reads.related_orders import RelatedOrderCases
from fastapi_easy.testing.conformance.reads.related_selection import RelatedSelectionCases
from fastapi_easy.testing.conformance.reads.streaming import StreamCases
from fastapi_easy.testing.conformance.reads.visibility import VisibilityCases
from fastapi_easy.testing.conformance.writes.bulk import BulkCases
from fastapi_easy.testing.conformance.writes.cancellation import CancellationCases
from fastapi_easy.testing.conformance.writes.concurrency import ConcurrencyCases
from fastapi_easy.testing.conformance.writes.foreign_keys import ForeignKeyCases
from fastapi_easy.testing.conformance.writes.optimistic_concurrency import OptimisticConcurrencyCases
from fastapi_easy.testing.conformance.writes.restoring import RestoringCases
from fastapi_easy.testing.conformance.writes.round_trips import RoundTripCases
from fastapi_easy.testing.conformance.writes.soft_deletion import SoftDeletionCases
from fastapi_easy.testing.conformance.writes.writing import WriteCases


class RepositoryConformance(
    ReadCases,
    FilterOperatorCases,
    PaginationCases,
    DocumentPathCases,
    RoundTripCases,
    WriteCases,
    BulkCases,
    StreamCases,
    ConcurrencyCases,
    RelatedFilterCases,
    RelatedOrderCases,
    RelatedSelectionCases,
    ForeignKeyCases,
    OptimisticConcurrencyCases,
    VisibilityCases,
    SoftDeletionCases,
    RestoringCases,
    AggregationCases,
    CancellationCases,
):
    """The conformance suite of a repository. Subclass, and override the fixture `store`."""
