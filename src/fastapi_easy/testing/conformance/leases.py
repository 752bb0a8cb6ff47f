"""The promises of `LeaseStore`, one case for each sentence, and what locks on top of it do.

```python
class TestMyStore(LeaseStoreConformance):
    @pytest.fixture
    def leases(self) -> Leases:
        return Leases(open=lambda: MyLeaseStore("my://server"), column="mine")
```
"""

from fastapi_easy.testing.conformance.leasing import Leasing
from fastapi_easy.testing.conformance.lining_up import LiningUp
from fastapi_easy.testing.conformance.locking import Locking


class LeaseStoreConformance(Leasing, LiningUp, Locking):
    """Everything a lease store promises. Override the fixture `leases`."""
