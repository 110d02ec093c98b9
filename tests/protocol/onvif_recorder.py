"""A camera with a search service (Profile G) whose every answer can be replaced."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from tests.protocol.onvif_camera import Camera, soap

SEARCH = "http://www.onvif.org/ver10/search/wsdl"
HISTORY = "tns1:RecordingHistory/Track/State"


def said(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def reply(operation: str, content: str) -> web.Response:
    name = f"tse:{operation}Response"
    return soap(f'<{name} xmlns:tse="{SEARCH}">{content}</{name}>')


def page(operation: str, content: str = "", *, state: str = "Completed") -> web.Response:
    inner = f"<tt:SearchState>{state}</tt:SearchState>{content}"
    return reply(operation, f"<tse:ResultList>{inner}</tse:ResultList>")


def result(at: str, *, value: str = "true", topic: str = HISTORY, is_start: str = "false") -> str:
    """One event as recorders tell it; the newer half of them repeats the token in the source."""
    return (
        "<tt:Result><tt:RecordingToken>r</tt:RecordingToken><tt:TrackToken>VIDEO001</tt:TrackToken>"
        f"<tt:Time>{at}</tt:Time><tt:Event><wsnt:Topic>{topic}</wsnt:Topic><wsnt:Message>"
        f'<tt:Message UtcTime="{at}" PropertyOperation="Changed"><tt:Source><tt:SimpleItem'
        ' Name="RecordingToken" Value="r"/></tt:Source><tt:Data><tt:SimpleItem'
        f' Name="IsDataPresent" Value="{value}"/></tt:Data></tt:Message></wsnt:Message></tt:Event>'
        f"<tt:StartStateEvent>{is_start}</tt:StartStateEvent></tt:Result>"
    )


def recording(begin: str, end: str) -> str:
    return (
        "<tt:RecordingInformation><tt:RecordingToken>r</tt:RecordingToken><tt:Track>"
        "<tt:TrackToken>VIDEO001</tt:TrackToken><tt:TrackType>Video</tt:TrackType>"
        f"<tt:DataFrom>{begin}</tt:DataFrom><tt:DataTo>{end}</tt:DataTo></tt:Track>"
        "</tt:RecordingInformation>"
    )


class Recorder(Camera):
    """It recorded the last nine days without a hole and asks for no password."""

    def __init__(self, *, xaddr: str = "{base}/onvif/search", auth: str = "none") -> None:
        super().__init__(auth=auth)
        now = datetime.now(UTC)
        begin, end = said(now - timedelta(days=9)), said(now)
        services = "".join(
            f"<tds:Service><tds:Namespace>http://www.onvif.org/ver10/{name}/wsdl</tds:Namespace>"
            f"<tds:XAddr>{address}</tds:XAddr><tds:Version><tt:Major>2</tt:Major>"
            "<tt:Minor>0</tt:Minor></tds:Version></tds:Service>"
            for name, address in (("media", "{base}/onvif/media"), ("search", xaddr))
        )
        self.say(
            "GetServices",
            lambda: soap(
                "<tds:GetServicesResponse>"
                f"{services.replace('{base}', self.base)}</tds:GetServicesResponse>"
            ),
        )
        summary = f"<tt:DataFrom>{begin}</tt:DataFrom><tt:NumberRecordings>1</tt:NumberRecordings>"
        self.say(
            "GetRecordingSummary",
            lambda: reply("GetRecordingSummary", f"<tse:Summary>{summary}</tse:Summary>"),
        )
        self.say("FindRecordings", lambda: reply("FindRecordings", _token("1")))
        self.say("FindEvents", lambda: reply("FindEvents", _token("2")))
        self.say(
            "GetRecordingSearchResults",
            lambda: page("GetRecordingSearchResults", recording(begin, end)),
        )
        self.say("GetEventSearchResults", lambda: page("GetEventSearchResults"))
        self.say("EndSearch", lambda: reply("EndSearch", ""))

    def say(
        self, operation: str, answer: Callable[[], web.StreamResponse | Awaitable[web.Response]]
    ) -> None:
        """Answer an operation so."""

        async def answer_it(_request: web.Request, _body: str) -> web.StreamResponse:
            made = answer()
            return made if isinstance(made, web.StreamResponse) else await made

        self.answers[operation] = answer_it


def _token(number: str) -> str:
    return f"<tse:SearchToken>search-{number}</tse:SearchToken>"
