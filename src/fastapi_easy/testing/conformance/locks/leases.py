"""The promises of `LeaseStore`, one case for each sentence, and what locks on top of it do.

```python
class TestMyStore(LeaseStoreConformance):
    @pytest.fixture
    def leases(self) -> Leases:
        return Leases(open=lambda: MyLeaseStore("my://server"), column="mine")
```
"""

from fastapi_easy.testing.conformance.locks.lease_granting import Leasing
from fastapi_easy.testing.conformance.locks.locking import Locking
from fastapi_easy.testing.conformance.locks.wait_queue import LiningUp


class LeaseStoreConformance(Leasing, LiningUp, Locking):
    """Everything a lease store promises. Override the fixture `leases`."""
