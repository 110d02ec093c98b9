"""Mail by SMTP (RFC 5321): plain text only, so that names stay inert.

Connects only to endpoints the address policy allows, asked about the very address it is about
to connect to. Records reply codes, never a server's text: it may echo what we sent.
"""

import asyncio
import re
import socket
import ssl
from datetime import tzinfo
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum
from typing import Annotated, Final, cast

import aiosmtplib
from pydantic import AfterValidator, Field, model_validator

from alerts.telling.messages import Wording, write_subject, write_text
from alerts.telling.notifier import Options
from alerts.telling.words import Language
from hub.domain.addresses import AddressPolicy
from hub.domain.errors import Rejected, TryAgain
from hub.domain.notifications import Message

TIMEOUT_S = 20.0
PICTURE_NAME: Final = "alert.jpg"
# Dot-atoms of RFC 5321 only: no quotes, no comments, nothing that could end a header or command.
_MAILBOX: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]{1,64}@[A-Za-z0-9.\-]{1,253}\Z")
_HOST: Final = re.compile(
    r"\A(?:[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45})\Z"
)
_PLAIN: Final = re.compile(r"\A[^\x00-\x1f\x7f]*\Z")


class Tls(StrEnum):
    """How the connection is protected: at once (port 465), after STARTTLS (587), or not."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


def _check_mailbox(value: str) -> str:
    if not _MAILBOX.match(value):
        msg = "not a mail address of the form name@example.org"
        raise ValueError(msg)
    return value


Mailbox = Annotated[str, AfterValidator(_check_mailbox)]


class SmtpOptions(Options):
    """Which server, from whom, to whom. The password is the receiver's secret."""

    host: str = Field(pattern=_HOST)
    port: int = Field(ge=1, le=65535)
    tls: Tls = Tls.STARTTLS
    username: str = Field(default="", max_length=256, pattern=_PLAIN)
    sender: Mailbox
    recipients: list[Mailbox] = Field(min_length=1, max_length=50)
    language: Language = Language.ZH

    @model_validator(mode="after")
    def _never_in_the_clear(self) -> "SmtpOptions":
        if self.username and self.tls is Tls.NONE:
            msg = "a login needs tls or starttls: the password would cross the network in the clear"
            raise ValueError(msg)
        return self


class SmtpNotifier:
    """Sends one mail a message, to all recipients at once."""

    def __init__(
        self,
        policy: AddressPolicy,
        zone: tzinfo,
        *,
        link_base: str = "",
        tls_context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        self._wording = Wording(zone=zone, link_base=link_base)
        self._tls_context = tls_context or ssl.create_default_context()

    async def send(self, message: Message) -> str:
        """Deliver one; see :class:`alerts.telling.notifier.Notifier`."""
        try:
            options = SmtpOptions.model_validate(dict(message.receiver.options))
        except ValueError:
            msg = "the receiver's mail options cannot be used"
            raise Rejected(msg) from None
        mail = build_mail(message, options, self._wording)
        try:
            async with asyncio.timeout(self._timeout_s):
                refused = await self._deliver(message, options, mail)
        except TimeoutError:
            msg = f"the mail server did not take it within {self._timeout_s:g} s"
            raise TryAgain(msg) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _translated(error) from None
        taken = len(options.recipients) - refused
        return f"accepted for {taken} of {len(options.recipients)} recipients"

    async def _deliver(self, message: Message, options: SmtpOptions, mail: EmailMessage) -> int:
        """Hold one conversation; return how many of the recipients were refused."""
        opened = await self._connect(options)
        client = aiosmtplib.SMTP(
            hostname=options.host,
            sock=opened,
            local_hostname=_literal(opened),
            timeout=self._timeout_s,
            use_tls=options.tls is Tls.TLS,
            start_tls=options.tls is Tls.STARTTLS,
            tls_context=self._tls_context,
        )
        try:
            await client.connect()
            if options.username:
                await client.login(options.username, message.receiver.secret.reveal())
            refused, _ = await client.send_message(
                mail, sender=options.sender, recipients=options.recipients
            )
        finally:
            # Without QUIT and TLS's farewell: the mail is accepted once DATA was answered, and a
            # server that then hangs must not make us send it again.
            transport = client.transport
            client.close()
            if transport is not None:
                cast("asyncio.WriteTransport", transport).abort()
        return len(refused)

    async def _connect(self, options: SmtpOptions) -> socket.socket:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(
                options.host, options.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
            )
        except socket.gaierror:
            msg = "the name of the mail server is not known"
            raise TryAgain(msg) from None
        refusal = ""
        trouble: OSError | None = None
        for family, kind, proto, _, endpoint in found:
            why = self._policy.refusal(str(endpoint[0]), int(endpoint[1]))
            if why is not None:
                refusal = why
                continue
            opened = socket.socket(family, kind, proto)
            opened.settimeout(0)  # non-blocking, as the event loop needs it
            try:
                await loop.sock_connect(opened, endpoint)
            except OSError as error:
                opened.close()
                trouble = error
                continue
            except BaseException:
                opened.close()
                raise
            return opened
        if trouble is None:
            raise Rejected(refusal or "the mail server has no address")
        raise trouble


def build_mail(message: Message, options: SmtpOptions, wording: Wording) -> EmailMessage:
    """Write the mail; the same message always has the same Message-ID."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = options.sender
    mail["To"] = ", ".join(options.recipients)
    mail["Subject"] = write_subject(message, options.language)
    mail["Date"] = format_datetime(message.created_at)
    domain = options.sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{message.message_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    mail.set_content(message.text or write_text(message, options.language, wording))
    if message.picture:
        mail.add_attachment(
            message.picture, maintype="image", subtype="jpeg", filename=PICTURE_NAME
        )
    return mail


def _literal(opened: socket.socket) -> str:
    """What we call ourselves (RFC 5321 §4.1.3); asking DNS for our name would block."""
    address = str(opened.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _translated(error: Exception) -> TryAgain | Rejected:
    codes: list[int] = []
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refused.code for refused in error.recipients]
    elif isinstance(error, aiosmtplib.SMTPResponseException):
        codes = [error.code]
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Rejected("the mail server does not support what the options ask for")
    if not codes:
        return TryAgain(f"the conversation with the mail server failed: {type(error).__name__}")
    line = f"SMTP {', '.join(str(code) for code in sorted(set(codes)))}"
    # 4yz is transient, 5yz permanent (RFC 5321 §4.2.1); anything else is a server in disorder.
    return Rejected(line) if all(500 <= code < 600 for code in codes) else TryAgain(line)
