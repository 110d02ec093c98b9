"""A small ONVIF camera on loopback for the hostile and odd cases: every reply can be replaced."""

import asyncio
import base64
import hashlib
import re
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from aiohttp import web

Answer = Callable[[web.Request, str], Awaitable[web.StreamResponse]]

_OPERATION = re.compile(r"<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)")
TEMPLATE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
    ' xmlns:trt="http://www.onvif.org/ver10/media/wsdl"'
    ' xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl"'
    ' xmlns:tev="http://www.onvif.org/ver10/events/wsdl"'
    ' xmlns:tt="http://www.onvif.org/ver10/schema"'
    ' xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"'
    ' xmlns:wsa="http://www.w3.org/2005/08/addressing"'
    ' xmlns:ter="http://www.onvif.org/ver10/error"'
    ' xmlns:tns1="http://www.onvif.org/ver10/topics">'
    "<s:Body>{}</s:Body></s:Envelope>"
)


def soap(body: str, status: int = 200) -> web.Response:
    return web.Response(
        body=TEMPLATE.replace("{}", body).encode(),
        status=status,
        content_type="application/soap+xml",
    )


def fault(code: str, reason: str, status: int = 400) -> web.Response:
    return soap(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
        f"<s:Value>ter:{code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason></s:Fault>',
        status,
    )


def notification(
    topic: str,
    *,
    operation: str = "Changed",
    at: str = "2026-11-22T01:00:00Z",
    source: str = "VideoSourceConfigurationToken",
    **data: str,
) -> str:
    items = "".join(f'<tt:SimpleItem Name="{key}" Value="{value}"/>' for key, value in data.items())
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/'
        f'topicExpression/ConcreteSet">{topic}</wsnt:Topic><wsnt:Message>'
        f'<tt:Message UtcTime="{at}" PropertyOperation="{operation}"><tt:Source>'
        f'<tt:SimpleItem Name="{source}" Value="vsc_1"/></tt:Source>'
        f"<tt:Data>{items}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


@dataclass
class Camera:
    """Set what it is before it starts; change what it does while it runs."""

    username: str = "admin"
    password: str = "s3cret-Pa55"
    auth: str = "wsse"
    path: str = "/onvif/device_service"
    clock_shift: timedelta = timedelta()
    stream_uri: str = "rtsp://{host}:554/{token}"
    snapshot_uri: str = "http://{host}:{port}/snapshot/{token}.jpg"
    media_xaddr: str = "{base}/onvif/media"
    subscription_uri: str = "{base}/onvif/subscription"
    reference_parameters: str = ""
    services: tuple[str, ...] = ("media", "ptz", "events")
    profiles: tuple[tuple[str, int, int], ...] = (("main_1", 1920, 1080), ("sub_1", 704, 576))
    scopes: tuple[str, ...] = ("name/West%20gate", "location/village-3", "type/ptz")
    life_s: int = 60
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    subscriptions: int = 0
    is_pulled: asyncio.Event = field(default_factory=asyncio.Event)
    base: str = ""
    pending: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        found = _OPERATION.search(body)
        operation = found.group(1) if found else ""
        if request.path == self.path and operation in {"GetProfiles", "PullMessages"}:
            return fault("ActionNotSupported", "wrong service")
        self.calls.append(operation)
        self.bodies.append(body)
        if operation in self.answers:
            return await self.answers[operation](request, body)
        if operation != "GetSystemDateAndTime":
            refusal = self.refusal(request, body)
            if refusal is not None:
                return refusal
        replies: dict[str, Callable[[], Awaitable[web.StreamResponse]]] = {
            "GetSystemDateAndTime": self.reply_get_system_date_and_time,
            "GetDeviceInformation": self.reply_get_device_information,
            "GetScopes": self.reply_get_scopes,
            "GetServices": self.reply_get_services,
            "GetCapabilities": self.reply_get_capabilities,
            "GetProfiles": self.reply_get_profiles,
            "GetPresets": self.reply_get_presets,
            "GotoPreset": self.reply_goto_preset,
            "CreatePullPointSubscription": self.reply_create_pull_point_subscription,
            "Renew": self.reply_renew,
            "Unsubscribe": self.reply_unsubscribe,
            "GetStreamUri": partial(self.reply_get_stream_uri, body),
            "GetSnapshotUri": partial(self.reply_get_snapshot_uri, body),
            "PullMessages": partial(self.reply_pull_messages, body),
        }
        if operation not in replies:
            return fault("ActionNotSupported", "no such operation", 500)
        return await replies[operation]()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.clock_shift

    def refusal(self, request: web.Request, body: str) -> web.Response | None:
        if self.auth == "http-digest":
            return self._refusal_http(request)
        return self._refusal_wsse(body) if self.auth == "wsse" else None

    def _refusal_wsse(self, body: str) -> web.Response | None:
        def part(name: str) -> str:
            found = re.search(rf"<(?:[\w-]+:)?{name}(?:\s[^>]*)?>([^<]*)<", body)
            return found.group(1) if found else ""

        parts = {name: part(name) for name in ("Username", "Password", "Nonce", "Created")}
        wanted = base64.b64encode(
            hashlib.sha1(  # noqa: S324 - WS-Security UsernameToken 1.0 says SHA-1
                base64.b64decode(parts["Nonce"])
                + parts["Created"].encode()
                + self.password.encode()
            ).digest()
        ).decode()
        if parts["Username"] != self.username or parts["Password"] != wanted:
            return fault("NotAuthorized", "Sender not Authorized")
        created = datetime.fromisoformat(parts["Created"])
        if abs(created - self.now()) > timedelta(seconds=30):
            return fault("NotAuthorized", "Time stamp out of range")
        return None

    def _refusal_http(self, request: web.Request) -> web.Response | None:
        header = request.headers.get("Authorization", "")
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', header))
        first = hashlib.md5(  # noqa: S324 - RFC 2617 says MD5
            f"{self.username}:cam:{self.password}".encode()
        ).hexdigest()
        second = hashlib.md5(  # noqa: S324 - RFC 2617 says MD5
            f"POST:{request.path_qs}".encode()
        ).hexdigest()
        wanted = hashlib.md5(  # noqa: S324 - RFC 2617 says MD5
            ":".join(
                [first, self.nonce, given.get("nc", ""), given.get("cnonce", ""), "auth", second]
            ).encode()
        ).hexdigest()
        if given.get("response") == wanted:
            return None
        challenge = f'Digest realm="cam", nonce="{self.nonce}", qop="auth", algorithm=MD5'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async def reply_get_system_date_and_time(self) -> web.Response:
        now = self.now()
        return soap(
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
            "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
            f"<tt:UTCDateTime><tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}"
            f"</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>"
            f"{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
            "</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>"
            "</tds:GetSystemDateAndTimeResponse>"
        )

    async def reply_get_device_information(self) -> web.Response:
        return soap(
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Gengfu</tds:Manufacturer>"
            "<tds:Model>T1</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion>"
            "<tds:SerialNumber>SN-1</tds:SerialNumber><tds:HardwareId>HW</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def _xaddr(self, name: str) -> str:
        return self._fill(self.media_xaddr) if name == "media" else f"{self.base}/onvif/{name}"

    async def reply_get_scopes(self) -> web.Response:
        return soap(
            "<tds:GetScopesResponse>"
            + "".join(
                f"<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>"
                f"onvif://www.onvif.org/{scope}</tt:ScopeItem></tds:Scopes>"
                for scope in self.scopes
            )
            + "</tds:GetScopesResponse>"
        )

    async def reply_get_services(self) -> web.Response:
        spaces = {"media": "ver10/media", "ptz": "ver20/ptz", "events": "ver10/events"}
        return soap(
            "<tds:GetServicesResponse>"
            + "".join(
                f"<tds:Service><tds:Namespace>http://www.onvif.org/{spaces[name]}/wsdl"
                f"</tds:Namespace><tds:XAddr>{self._xaddr(name)}</tds:XAddr><tds:Version>"
                "<tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tds:Version></tds:Service>"
                for name in self.services
            )
            + "</tds:GetServicesResponse>"
        )

    async def reply_get_capabilities(self) -> web.Response:
        names = {"media": "Media", "ptz": "PTZ", "events": "Events"}
        return soap(
            "<tds:GetCapabilitiesResponse><tds:Capabilities>"
            + "".join(
                f"<tt:{names[name]}><tt:XAddr>{self._xaddr(name)}</tt:XAddr></tt:{names[name]}>"
                for name in ("events", "media", "ptz")
                if name in self.services
            )
            + "</tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    async def reply_get_profiles(self) -> web.Response:
        ptz = (
            '<tt:PTZConfiguration token="ptz_1"><tt:Name>p</tt:Name><tt:UseCount>1</tt:UseCount>'
            "<tt:NodeToken>node</tt:NodeToken></tt:PTZConfiguration>"
            if "ptz" in self.services
            else ""
        )
        return soap(
            "<trt:GetProfilesResponse>"
            + "".join(
                f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{token}</tt:Name>'
                '<tt:VideoSourceConfiguration token="vsc_1"><tt:Name>v</tt:Name>'
                "<tt:UseCount>1</tt:UseCount><tt:SourceToken>vs_1</tt:SourceToken>"
                '<tt:Bounds x="0" y="0" width="1920" height="1080"/></tt:VideoSourceConfiguration>'
                f'<tt:VideoEncoderConfiguration token="ve_{token}"><tt:Name>e</tt:Name>'
                "<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution>"
                f"<tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
                "<tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>25"
                "</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
                "<tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl>"
                f"</tt:VideoEncoderConfiguration>{ptz}</trt:Profiles>"
                for token, width, height in self.profiles
            )
            + "</trt:GetProfilesResponse>"
        )

    def _fill(self, text: str, body: str = "") -> str:
        token = re.search(r"ProfileToken>([^<]*)<", body)
        host, _, port = self.base.rpartition("/")[2].rpartition(":")
        return (
            text.replace("{base}", self.base)
            .replace("{host}", host)
            .replace("{port}", port)
            .replace("{token}", token.group(1) if token else "")
        )

    async def reply_get_stream_uri(self, body: str) -> web.Response:
        return self._uri("GetStreamUri", self._fill(self.stream_uri, body))

    async def reply_get_snapshot_uri(self, body: str) -> web.Response:
        return self._uri("GetSnapshotUri", self._fill(self.snapshot_uri, body))

    def _uri(self, name: str, uri: str) -> web.Response:
        return soap(
            f"<trt:{name}Response><trt:MediaUri><tt:Uri>{uri}</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
            "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
            f"</trt:MediaUri></trt:{name}Response>"
        )

    async def reply_get_presets(self) -> web.Response:
        return soap(
            '<tptz:GetPresetsResponse><tptz:Preset token="1"><tt:Name>Gate</tt:Name></tptz:Preset>'
            '<tptz:Preset token="2"><tt:Name>Yard</tt:Name></tptz:Preset>'
            "</tptz:GetPresetsResponse>"
        )

    async def reply_goto_preset(self) -> web.Response:
        return soap("<tptz:GotoPresetResponse/>")

    def _times(self) -> str:
        ends = self.now() + timedelta(seconds=self.life_s)
        return (
            f"<wsnt:CurrentTime>{self.now():%Y-%m-%dT%H:%M:%SZ}</wsnt:CurrentTime>"
            f"<wsnt:TerminationTime>{ends:%Y-%m-%dT%H:%M:%SZ}</wsnt:TerminationTime>"
        )

    async def reply_create_pull_point_subscription(self) -> web.Response:
        self.subscriptions += 1
        parameters = (
            f"<wsa:ReferenceParameters>{self.reference_parameters}</wsa:ReferenceParameters>"
            if self.reference_parameters
            else ""
        )
        return soap(
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>"
            f"{self._fill(self.subscription_uri)}</wsa:Address>{parameters}"
            f"</tev:SubscriptionReference>{self._times()}"
            "</tev:CreatePullPointSubscriptionResponse>"
        )

    async def reply_renew(self) -> web.Response:
        return soap(f"<wsnt:RenewResponse>{self._times()}</wsnt:RenewResponse>")

    async def reply_unsubscribe(self) -> web.Response:
        self.subscriptions -= 1
        return soap("<wsnt:UnsubscribeResponse/>")

    async def reply_pull_messages(self, body: str) -> web.Response:
        wait = re.search(r"Timeout>PT(\d+)S<", body)
        messages = []
        self.is_pulled.set()
        try:
            async with asyncio.timeout(float(wait.group(1)) if wait else 1.0):
                messages.append(await self.pending.get())
        except TimeoutError:
            pass
        while not self.pending.empty():
            messages.append(self.pending.get_nowait())
        times = self._times().replace("wsnt:", "tev:")
        return soap(
            f"<tev:PullMessagesResponse>{times}{''.join(messages)}</tev:PullMessagesResponse>"
        )


@asynccontextmanager
async def serve(camera: Camera, tls: ssl.SSLContext | None = None) -> AsyncIterator[Camera]:
    """Run the camera on a free port of 127.0.0.1."""
    app = web.Application(client_max_size=1 << 20)
    app.router.add_post("/{tail:.*}", camera.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        camera.base = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        yield camera
    finally:
        await runner.cleanup()
