"""Which network addresses a webhook may lead to: public ones, so that nobody reaches what is behind the firewall."""

import ipaddress
from collections.abc import Sequence
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All else of IPv6 is local, reserved, multicast, or holds an address of IPv4: mapped, NAT64."""

_REFUSED: Final[tuple[Network, ...]] = (
    ipaddress.IPv4Network("0.0.0.0/8"),
    ipaddress.IPv4Network("100.64.0.0/10"),  # carrier-grade NAT
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4
    ipaddress.IPv6Network("2001::/23"),  # Teredo among others
    ipaddress.IPv6Network("2001:db8::/32"),
    ipaddress.IPv6Network("2002::/16"),  # 6to4, which holds an address of IPv4
    ipaddress.IPv6Network("3fff::/20"),
)


def is_allowed(address: Address, exceptions: Sequence[Network] = ()) -> bool:
    """Return whether a webhook may lead to *address*: a public one, or one of the networks in *exceptions*."""
    if any(address in each for each in exceptions if each.version == address.version):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in each for each in _REFUSED if each.version == address.version)
    )


def read_address(text: str) -> Address | None:
    """Return the address that *text* spells; `None` when it is no address."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
