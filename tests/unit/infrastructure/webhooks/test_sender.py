"""What posts webhooks: to checked addresses, within limits, whatever a receiver does."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fastapi_easy.domain.webhooks.destination import DestinationRules
from fastapi_easy.infrastructure.webhooks.sender import HttpWebhookSender, SenderOptions
from fastapi_easy.testing import FrozenClock
from tests.receiver import Received, Receiver, answer, receiving

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
LOCAL = ipaddress.ip_network("127.0.0.0/8")
NAME = "hooks.example"


class Names:
    """Looks up names; the answers to one name come one after the other, and the last one stays."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = [list(each) for each in addresses.values()] or [["127.0.0.1"]]

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@asynccontextmanager
async def sender_to(
    receiver: Receiver, names: Names | None = None, **options: Any
) -> AsyncIterator[HttpWebhookSender]:
    rules = {"allow_http": True, "ports": (receiver.port,), "networks": (LOCAL,), **options.pop("rules", {})}
    chosen = SenderOptions(rules=DestinationRules(**rules), **{"timeout": 30.0, **options})
    sender = HttpWebhookSender(chosen, FrozenClock(NOW), names or Names())
    try:
        yield sender
    finally:
        await sender.aclose()


async def hang(_: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def test_a_post_is_what_was_asked_for() -> None:
    async with receiving() as receiver, sender_to(receiver) as sender:
        result = await sender.post(
            f"http://{NAME}:{receiver.port}/a/b?c=d%20e", {"webhook-id": "m1"}, b'{"a": 1}'
        )

    assert result.is_delivered
    assert result.status == 200
    (request,) = receiver.received
    assert request.line == "POST /a/b?c=d%20e HTTP/1.1"
    assert request.headers == {
        "host": f"{NAME}:{receiver.port}",
        "webhook-id": "m1",
        "content-length": "8",
    }
    assert request.body == b'{"a": 1}'


async def test_a_connection_is_used_again_and_its_name_looked_up_once() -> None:
    names = Names()
    async with receiving() as receiver, sender_to(receiver, names) as sender:
        for _ in range(3):
            assert (await sender.post(f"http://{NAME}:{receiver.port}", {}, b"")).is_delivered

    assert [each.connection for each in receiver.received] == [1, 1, 1]
    assert receiver.received[0].line == "POST / HTTP/1.1"
    assert names.asked == [NAME]


@pytest.mark.parametrize("status", ["204 No Content", "299 Fine"])
async def test_every_2xx_is_a_success(status: str) -> None:
    async with receiving() as receiver, sender_to(receiver) as sender:
        receiver.usually = answer(status, body=b"")
        assert (await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")).is_delivered


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent", "304 Same", "404 No", "500 No"]
)
async def test_all_else_is_a_failure_and_no_redirect_is_followed(status: str) -> None:
    async with receiving() as receiver, receiving() as inside, sender_to(receiver) as sender:
        receiver.usually = answer(status, f"location: http://127.0.0.1:{inside.port}/")
        result = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")

    assert not result.is_delivered
    assert result.status == int(status[:3])
    assert not inside.received
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Wed, 04 Mar 2026 05:07:07 GMT", 60.0),
        ("Wed, 04 Mar 2026 05:00:00 GMT", 0.0),
        ("9" * 5000, 999_999_999.0),
        ("soon", None),
        ("-1", None),
        ("\N{ARABIC-INDIC DIGIT ONE}", None),
    ],
    ids=[
        "seconds",
        "spaces",
        "date",
        "date that is over",
        "far too long",
        "no time",
        "negative",
        "other digits",
    ],
)
async def test_how_long_a_receiver_wants_to_be_left_alone(value: str, seconds: float | None) -> None:
    async with receiving() as receiver, sender_to(receiver) as sender:
        receiver.usually = answer("503 Busy", f"Retry-After: {value}")
        result = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")

    assert result.retry_after == seconds


async def test_a_receiver_that_hangs_is_given_up() -> None:
    async with receiving() as receiver, sender_to(receiver, timeout=0.2) as sender:
        receiver.usually = hang
        result = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")

    assert result.status is None
    assert result.error == "no answer within 0.2 s"


async def test_headers_that_trickle_in_are_given_up() -> None:
    async def trickle(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with receiving() as receiver, sender_to(receiver, timeout=0.3) as sender:
        receiver.usually = trickle
        result = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")

    assert not result.is_delivered


@pytest.mark.parametrize("ends", [True, False], ids=["a gigabyte", "no end"])
async def test_an_answer_is_not_read_beyond_its_limit(ends: bool) -> None:
    written = 0

    async def flood(_: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        length = "content-length: 1000000000\r\n" if ends else "transfer-encoding: chunked\r\n"
        writer.write(f"HTTP/1.1 200 OK\r\n{length}\r\n".encode())
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
            written += 65536

    async with receiving() as receiver, sender_to(receiver) as sender:
        receiver.answers = [flood]
        assert (await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")).is_delivered
        assert (await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")).is_delivered

    assert [each.connection for each in receiver.received] == [1, 2]
    assert written < 100_000_000, "what the buffers of both systems hold, but not a gigabyte"


async def test_a_body_that_never_comes_does_not_undo_the_status() -> None:
    async def stall(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab")
        await writer.drain()
        await asyncio.sleep(3600)

    async with receiving() as receiver, sender_to(receiver) as sender:
        receiver.usually = stall
        assert (await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")).is_delivered


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000, "the answer is not HTTP"),
        (b"", "the answer is not HTTP"),
    ],
    ids=["other protocol", "no status", "endless header", "nothing"],
)
async def test_what_is_no_answer_is_a_failure(sent: bytes, error: str) -> None:
    async def write(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        writer.close()

    async with receiving() as receiver, sender_to(receiver) as sender:
        receiver.usually = write
        result = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")

    assert result.error == error


async def test_nobody_at_the_address_is_a_failure() -> None:
    async with receiving() as receiver:
        pass
    async with sender_to(receiver) as sender:
        result = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")

    assert result.error == "no connection"


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "10.0.0.1"])
async def test_one_address_that_is_not_public_is_enough_to_refuse(address: str) -> None:
    names = Names(all=["1.1.1.1", address])
    async with receiving() as receiver, sender_to(receiver, names, rules={"networks": ()}) as sender:
        result = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")

    assert result.error == f"{NAME} has an address that is not public"
    assert not receiver.received


async def test_a_name_that_changes_its_meaning_leads_nowhere() -> None:
    """What was checked is what is connected to: the second look-up of DNS rebinding does not happen."""
    other = ipaddress.ip_network("127.0.0.2/32")
    names = Names(first=["127.0.0.2"], then=["127.0.0.1"])
    async with receiving() as receiver, sender_to(receiver, names, rules={"networks": (other,)}) as sender:
        # Nobody listens at 127.0.0.2, which is all that was allowed.
        first = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")
        second = await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")

    assert (first.error, second.error) == ("no connection", f"{NAME} has an address that is not public")
    assert names.asked == [NAME, NAME]
    assert not receiver.received


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "0"]
)
async def test_no_spelling_of_this_machine_is_reached(host: str) -> None:
    async with receiving() as receiver:
        rules = DestinationRules(allow_http=True, ports=(receiver.port,))
        sender = HttpWebhookSender(SenderOptions(rules=rules), FrozenClock(NOW))
        result = await sender.post(f"http://{host}:{receiver.port}/", {}, b"")
        await sender.aclose()

    assert not result.is_delivered
    assert result.error in {f"{host} has an address that is not public", "no connection"}
    assert not receiver.received


async def test_another_address_of_the_same_name_is_tried() -> None:
    names = Names(all=["127.0.0.2", "127.0.0.1"])
    async with receiving() as receiver, sender_to(receiver, names) as sender:
        assert (await sender.post(f"http://{NAME}:{receiver.port}/", {}, b"")).is_delivered


async def test_a_url_that_was_stored_by_somebody_else_is_checked_again() -> None:
    async with receiving() as receiver, sender_to(receiver, rules={"allow_http": False}) as sender:
        result = await sender.post(f"http://127.0.0.1:{receiver.port}/", {}, b"")

    assert result.error == "the URL is refused: Must begin with https://"
    assert not receiver.received


def write_certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Return the certificate of an authority, and what serves with one for *name*."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = folder / f"{name}.pem"
    private = folder / f"{name}.key"
    written.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(written, private)
    return written, context


async def test_https_checks_the_certificate_for_the_name_not_the_address(tmp_path: Path) -> None:
    authority, tls = write_certificate(tmp_path, NAME)
    async with receiving(tls) as receiver:
        async with sender_to(receiver, ca_file=authority, rules={"allow_http": False}) as sender:
            right = await sender.post(f"https://{NAME}:{receiver.port}/", {}, b"{}")
            wrong = await sender.post(f"https://other.example:{receiver.port}/", {}, b"{}")
        async with sender_to(receiver) as sender:
            unknown = await sender.post(f"https://{NAME}:{receiver.port}/", {}, b"{}")

    assert right.is_delivered
    assert "certificate is not valid" in wrong.error
    assert "certificate is not valid" in unknown.error
    assert [each.headers["host"] for each in receiver.received] == [f"{NAME}:{receiver.port}"]
