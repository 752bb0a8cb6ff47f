"""The conformance suite of `SchemaStore`.

```python
class TestMyStore(SchemaStoreConformance):
    @pytest.fixture
    def schemas(self) -> SchemaStoreFactory:
        return SchemaStoreFactory(open=lambda: MySchemaStore("my://server"), step=…, column="mine")
```
"""

from fastapi_easy.testing.conformance.migrations.ledger_keeping import LedgerCases
from fastapi_easy.testing.conformance.migrations.schema_locking import SchemaLockCases
from fastapi_easy.testing.conformance.migrations.step_execution import StepExecutionCases


class SchemaStoreConformance(LedgerCases, StepExecutionCases, SchemaLockCases):
    """The conformance suite of a schema store. Override the fixture `schemas`."""
