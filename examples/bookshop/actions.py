"""What can be done to an order, beyond changing its fields."""

from dataclasses import dataclass

from examples.bookshop.models import OrderStatus
from fastapi_easy.application import Context
from fastapi_easy.domain import CheckFailed, Failure, Key, Outcome, Patch, Row
from fastapi_easy.domain.ports import UnitOfWork


@dataclass(frozen=True)
class CancelOrder:
    """Cancel an order that has not been shipped."""

    reason: str = ""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Set the status, and keep the reason as the note.

        Fails with:
            NotFound: There is no such order.

            CheckFailed: It was shipped already.
        """
        orders = work.repository("orders")
        found = await orders.read(key)
        if isinstance(found, Failure):
            return found
        if found.unwrap()["status"] is OrderStatus.SHIPPED:
            return Failure(CheckFailed("orders", ("status",), reason="A shipped order stays shipped."))
        return await orders.update(key, Patch({"status": OrderStatus.CANCELLED, "note": self.reason or None}))


@dataclass(frozen=True)
class ShipOrder:
    """Ship an order that was paid for."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Set the status.

        Fails with:
            NotFound: There is no such order.

            CheckFailed: It was not paid for, or is gone already.
        """
        orders = work.repository("orders")
        found = await orders.read(key)
        if isinstance(found, Failure):
            return found
        if found.unwrap()["status"] is not OrderStatus.PAID:
            return Failure(CheckFailed("orders", ("status",), reason="Only a paid order is shipped."))
        return await orders.update(key, Patch({"status": OrderStatus.SHIPPED}))
