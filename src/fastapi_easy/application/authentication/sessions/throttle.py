"""Slows down whoever tries passwords: by the account they try, and by the address they call from."""

import hashlib
import ipaddress
import unicodedata
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, RateLimited
from fastapi_easy.domain.ports.attempt_counter import AttemptCounter, AttemptLimit


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was counted.

    Attributes:
        account: The name under which its account is counted.

        address: The name under which its address is counted; empty where nobody knows the address.
    """

    account: str
    address: str


class Throttle:
    """Counts attempts to log in before the password is looked at, so that attempts at the same time count as well.

    Args:
        counter: Keeps the counts.

        by_account: The limit for one account, wherever it is tried from.

        by_address: The limit for one address, whatever accounts it tries.
    """

    def __init__(self, counter: AttemptCounter, by_account: AttemptLimit, by_address: AttemptLimit) -> None:
        self._counter = counter
        self._by_account = by_account
        self._by_address = by_address

    async def begin(self, username: str, address: str) -> Outcome[Attempt]:
        """Count an attempt to log in as *username* from *address*.

        Fails with:
            RateLimited: There were too many; this one is not counted.

            Unavailable: What counts does not answer.
        """
        attempt = Attempt(_account_name(username), _address_name(address))
        if attempt.address:
            counted = await self._count(attempt.address, self._by_address)
            if isinstance(counted, Failure):
                return counted
        counted = await self._count(attempt.account, self._by_account)
        if isinstance(counted, Failure):
            if attempt.address:
                _ = await self._counter.take_back(attempt.address)
            return counted
        return Success(attempt)

    async def succeeded(self, attempt: Attempt) -> None:
        """Forget the failures of the account; those of the address stay, and this attempt was none."""
        _ = await self._counter.forget(attempt.account)
        await self._take_back_address(attempt)

    async def was_not_made(self, attempt: Attempt) -> None:
        """Uncount *attempt*: nobody has looked at the password."""
        _ = await self._counter.take_back(attempt.account)
        await self._take_back_address(attempt)

    async def _take_back_address(self, attempt: Attempt) -> None:
        if attempt.address:
            _ = await self._counter.take_back(attempt.address)

    async def _count(self, name: str, limit: AttemptLimit) -> Outcome[None]:
        wait = await self._counter.begin(name, limit)
        if isinstance(wait, Failure):
            return wait
        return Success(None) if wait.unwrap() <= 0 else Failure(RateLimited(wait.unwrap()))


def _account_name(username: str) -> str:
    # One account, whatever letters somebody writes it with; hashed, since a name may be long, or a password by mistake.
    plain = unicodedata.normalize("NFKC", username).casefold().strip()
    return f"account:{hashlib.sha256(plain.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _address_name(address: str) -> str:
    if not address:
        return ""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{hashlib.sha256(address.encode('utf-8', 'surrogatepass')).hexdigest()}"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return f"address:{parsed.ipv4_mapped}"
        # Whoever has one address of IPv6 has all of the network.
        return f"address:{ipaddress.IPv6Network((parsed, 64), strict=False)}"
    return f"address:{parsed}"
