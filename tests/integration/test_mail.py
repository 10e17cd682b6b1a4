"""Mails, to a real SMTP server."""

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from barberpro.domain.delivery import Refused, Unsent
from barberpro.domain.templates import Text
from barberpro.server.letters.smtp import Smtp
from tests.support.mail_server import PASSWORD, USER, Mailbox, mail_server

TEXT = Text("Ihr Code für BarberPro", "Ihr Code ist 424242.")
TO = "ann@example.com"
Security = Literal["starttls", "tls", "none"]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of this machine shows, and what trusts it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file: Path = tmp_path_factory.mktemp("certificates") / "server.pem"
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + public)
    shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shown.load_cert_chain(file)
    return shown, ssl.create_default_context(cadata=public.decode())


@pytest.fixture(scope="module")
def nobody() -> ssl.SSLContext:
    """What trusts no server of this machine."""
    return ssl.create_default_context()


def by(box: Mailbox, tls: ssl.SSLContext, security: Security = "none", password: str | None = None) -> Smtp:
    user = USER if password is not None else None
    return Smtp("127.0.0.1", box.port, "Frisör <no-reply@shop.test>", security, tls, user, password)


async def test_a_mail_arrives_as_it_was_written(nobody: ssl.SSLContext) -> None:
    async with mail_server() as box:
        await by(box, nobody).send("lt_1", TO, TEXT)
        mail = await box.mail()
    assert mail["To"] == TO
    assert mail["From"] == "Frisör <no-reply@shop.test>"
    assert mail["Subject"] == TEXT.subject
    assert mail["Message-ID"] == "<lt_1@shop.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert abs(parsedate_to_datetime(mail["Date"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert mail.get_content().splitlines() == [TEXT.body]


async def test_it_signs_in_over_tls_that_it_trusts(certified: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    shown, trusting = certified
    async with mail_server(shown) as box:
        await by(box, trusting, "starttls", PASSWORD).send("lt_2", TO, TEXT)
        assert (await box.mail())["Message-ID"] == "<lt_2@shop.test>"


async def test_a_server_that_it_does_not_trust_gets_neither_mail_nor_password(
    certified: tuple[ssl.SSLContext, ssl.SSLContext], nobody: ssl.SSLContext
) -> None:
    async with mail_server(certified[0]) as box:
        with pytest.raises(Unsent, match="no mail server"):
            await by(box, nobody, "starttls", PASSWORD).send("lt_3", TO, TEXT)
        assert box.empty()


async def test_a_server_that_says_it_has_no_tls_is_not_believed(nobody: ssl.SSLContext) -> None:
    async with mail_server() as box:
        with pytest.raises(Unsent, match="no mail server"):
            await by(box, nobody, "starttls").send("lt_4", TO, TEXT)
        assert box.empty()


async def test_a_wrong_password_is_for_the_operator_to_mend(
    certified: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    shown, trusting = certified
    async with mail_server(shown) as box:
        with pytest.raises(Unsent, match="the mail server says 535"):
            await by(box, trusting, "starttls", "wrong").send("lt_5", TO, TEXT)


@pytest.mark.parametrize(
    ("reply", "raised"),
    [(f"550 no mailbox {TO}", Refused), (f"451 {TO} is greylisted", Unsent), ("452 full", Unsent)],
)
async def test_a_recipient_is_refused_for_good_or_for_now_and_never_named(
    nobody: ssl.SSLContext, reply: str, raised: type[Exception]
) -> None:
    async with mail_server() as box:
        box.replies.append(reply)
        with pytest.raises(raised, match=f"^the mail server says {reply[:3]}$"):
            await by(box, nobody).send("lt_6", TO, TEXT)


async def test_nobody_listening_is_told_as_that(nobody: ssl.SSLContext) -> None:
    async with mail_server() as box:
        gone = by(box, nobody)
    with pytest.raises(Unsent, match=r"no mail server \(SMTPConnectError\)"):
        await gone.send("lt_7", TO, TEXT)


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@b@c", "ann@example.com\r\nBcc: all@example.com", "ann@example.com, bob@example.com", "<>"]
)
async def test_what_is_no_address_is_refused_before_anybody_is_asked(nobody: ssl.SSLContext, to: str) -> None:
    async with mail_server() as box:
        with pytest.raises(Refused, match=r"^the recipient's address is none$"):
            await by(box, nobody).send("lt_8", to, TEXT)
        assert box.empty()
