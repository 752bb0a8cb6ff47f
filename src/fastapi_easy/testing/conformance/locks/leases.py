"""The conformance suite of `LeaseStore`, and of locks on top of it.

```python
class TestMyStore(LeaseStoreConformance):
    @pytest.fixture
    def leases(self) -> LeaseStoreFactory:
        return LeaseStoreFactory(open=lambda: MyLeaseStore("my://server"), column="mine")
```
"""

from fastapi_easy.testing.conformance.locks.lease_granting import LeaseGrantCases
from fastapi_easy.testing.conformance.locks.locking import LockManagerCases
from fastapi_easy.testing.conformance.locks.wait_queue import WaitQueueCases


class LeaseStoreConformance(LeaseGrantCases, WaitQueueCases, LockManagerCases):
    """The conformance suite of a lease store. Override the fixture `leases`."""
