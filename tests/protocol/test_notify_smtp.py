"""Mail against a real SMTP server (aiosmtpd)."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from alerts.notify.smtp import SmtpNotifier
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Json
from hub.domain.errors import Rejected, TryAgain
from hub.domain.notifications import Receiver, ReceiverKind
from tests.protocol.notify_contract import PATIENT_S, SECRET, SHORT_S, NotifierContract, Received
from tests.protocol.notify_tls import make_certificate
from tests.unit.alerts_examples import ALERT, MESSAGE_ID, message, notification, receiver

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))


class _Silence(asyncio.Protocol):
    """Takes a connection and says nothing until the far end goes."""

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing to do: asyncio closes the transport."""


class SmtpRig:
    """A notifier and an aiosmtpd server that asks for STARTTLS and a login."""

    kind = ReceiverKind.SMTP
    secret = SECRET

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext) -> None:
        self.notifier = SmtpNotifier(LOOPBACK, UTC, tls_context=client, timeout_s=PATIENT_S)
        self.hasty = SmtpNotifier(LOOPBACK, UTC, tls_context=client, timeout_s=SHORT_S)
        self.envelopes: list[Envelope] = []
        self.reply = ""
        self.refused_recipients: frozenset[str] = frozenset()
        self.logins: list[tuple[str, str]] = []
        self._tls = server
        self._server: asyncio.Server | None = None
        self._silent = False
        self._arrived = asyncio.Condition()
        self.options: Mapping[str, Json] = {}

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", 0)
        self.options = {
            "host": "127.0.0.1",
            "port": self._server.sockets[0].getsockname()[1],
            "tls": "starttls",
            "username": "hub",
            "sender": "hub@example.org",
            "recipients": ["duty@example.org", "chief@example.org"],
        }

    def _session(self) -> asyncio.BaseProtocol:
        if self._silent:
            return _Silence()
        return SMTP(
            self,
            hostname="mail.example.org",
            loop=asyncio.get_running_loop(),
            tls_context=self._tls,
            require_starttls=True,
            auth_required=True,
            authenticator=self._authenticate,
            enable_SMTPUTF8=False,
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        is_right = data.password.decode() == SECRET
        return AuthResult(success=is_right, handled=False)

    async def handle_RCPT(  # noqa: N802  # aiosmtpd calls it so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address in self.refused_recipients:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.reply:
            return self.reply
        async with self._arrived:
            self.envelopes.append(envelope)
            self._arrived.notify_all()
        return "250 taken"

    async def received(self, count: int) -> list[Received]:
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.envelopes) >= count)
        found = []
        for envelope in self.envelopes:
            assert isinstance(envelope.content, bytes)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            body = mail.get_body()
            assert body is not None
            headers = "\n".join(f"{name}: {value}" for name, value in mail.items())
            found.append(
                Received(
                    message_id=str(mail["Message-ID"]), text=headers + "\n" + body.get_content()
                )
            )
        return found

    async def refuse(self) -> None:
        self.reply = f"451 try later, your password {SECRET} is fine"

    async def hang(self) -> None:
        self._silent = True

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._server = None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def rig(certificate: tuple[Path, Path]) -> AsyncIterator[SmtpRig]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    made = SmtpRig(server, ssl.create_default_context(cafile=str(certificate[0])))
    await made.start()
    yield made
    await made.close()


class TestSmtp(NotifierContract):
    """The contract."""

    english = {"language": "en"}  # noqa: RUF012 - a constant of the class


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("421 closing", TryAgain),
        ("450 mailbox busy", TryAgain),
        ("452 disk full", TryAgain),
        ("550 refused", Rejected),
        ("552 too big", Rejected),
        ("554 spam", Rejected),
    ],
)
async def test_retry_table(rig: SmtpRig, reply: str, outcome: type[Exception]) -> None:
    rig.reply = reply
    with pytest.raises(outcome, match=f"SMTP {reply[:3]}$"):
        await rig.notifier.send(message(to=receiver(rig.kind, rig.options, SECRET)))


async def test_a_wrong_password_is_a_refusal_that_does_not_repeat_it(rig: SmtpRig) -> None:
    wrong = message(to=receiver(rig.kind, rig.options, "hunter2"))
    with pytest.raises(Rejected, match="SMTP 535") as caught:
        await rig.notifier.send(wrong)
    assert "hunter2" not in str(caught.value)
    assert rig.envelopes == []


async def test_some_recipients_refused_is_delivered_to_the_others(rig: SmtpRig) -> None:
    rig.refused_recipients = frozenset({"chief@example.org"})
    sent = message(to=receiver(rig.kind, rig.options, SECRET))
    assert await rig.notifier.send(sent) == "accepted for 1 of 2 recipients"
    rig.refused_recipients = frozenset({"chief@example.org", "duty@example.org"})
    with pytest.raises(Rejected, match="SMTP 550"):
        await rig.notifier.send(sent)


async def test_the_mail_is_plain_text_with_the_right_headers(rig: SmtpRig) -> None:
    await rig.notifier.send(message(to=receiver(rig.kind, rig.options, SECRET)))
    (envelope,) = rig.envelopes
    assert isinstance(envelope.content, bytes)
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mail.get_content_type() == "text/plain"
    assert mail["Message-ID"] == f"<{MESSAGE_ID}@example.org>"
    assert mail["To"] == "duty@example.org, chief@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"].startswith("【严重】")
    assert envelope.rcpt_tos == ["duty@example.org", "chief@example.org"]


async def test_a_text_of_the_receivers_own_and_a_picture(rig: SmtpRig) -> None:
    drill = message(notification(alert=replace(ALERT, drill_id=3)), to=rig_receiver(rig))
    await rig.notifier.send(replace(drill, text="【演练】own words", picture=b"\xff\xd8 jpeg"))
    (envelope,) = rig.envelopes
    assert isinstance(envelope.content, bytes)
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mail["Subject"].startswith("【演练】")
    body = mail.get_body()
    assert body is not None
    assert body.get_content().strip() == "【演练】own words"
    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "image/jpeg"
    assert attached.get_content() == b"\xff\xd8 jpeg"


def rig_receiver(rig: SmtpRig) -> Receiver:
    return receiver(rig.kind, rig.options, SECRET)


async def test_a_certificate_that_does_not_verify_gets_no_password(rig: SmtpRig) -> None:
    strict = SmtpNotifier(LOOPBACK, UTC, timeout_s=PATIENT_S)
    with pytest.raises(TryAgain):
        await strict.send(message(to=receiver(rig.kind, rig.options, SECRET)))
    assert rig.logins == []


@pytest.mark.threat("T13")
async def test_our_own_network_is_out_of_reach(rig: SmtpRig) -> None:
    guarded = SmtpNotifier(AddressPolicy(), UTC, timeout_s=PATIENT_S)
    for host in ("127.0.0.1", "localhost", "127.1", "::ffff:127.0.0.1"):
        options = {**rig.options, "host": host}
        with pytest.raises(Rejected, match="not in a network"):
            await guarded.send(message(to=receiver(rig.kind, options, SECRET)))
    assert rig.logins == []
