"""The ONVIF recording search service of a simulated camera (Profile G).

One recording with a video and an audio track lies on the memory card. Like real recorders it
allows few searches at a time and answers them in pages.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hub.simulators.camera_state import CameraState, MemoryCard
from hub.simulators.pull_points import not_supported, parse_duration
from hub.simulators.soap import Request, SoapFault, Xml, el

MAX_SEARCHES = 2
PAGE = 50
LONGEST_LIFE_S = 60.0
RECORDING = "recording_1"
TRACKS: Mapping[str, str] = {"VIDEO001": "Video", "AUDIO001": "Audio"}
_TRACK_STATE = "tns1:RecordingHistory/Track/State"
_DIALECT = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"

Span = tuple[datetime, datetime]


@dataclass(slots=True, kw_only=True)
class _Search:
    kind: str
    life_s: float
    ends_at_s: float
    results: list[Xml] = field(default_factory=list)


class Searches:
    """The searches under way at one camera."""

    def __init__(self, state: CameraState) -> None:
        self._state = state
        self._searches: dict[str, _Search] = {}
        self._last_number = 0

    @property
    def count(self) -> int:
        """How many searches were neither ended nor forgotten."""
        self._purge()
        return len(self._searches)

    def forget(self) -> None:
        """Lose all searches, as a reboot does."""
        self._searches.clear()

    def answer(self, request: Request) -> Xml:
        """Answer a request to the search service.

        Raises:
            SoapFault: unknown operation or search, too many of them, or no memory card.
        """
        card = self._state.card
        if card is None:
            raise not_supported(request.action)
        match request.action:
            case "tse:GetServiceCapabilities":
                return _capabilities()
            case "tse:GetRecordingSummary":
                return self._summary(card)
            case "tse:FindRecordings":
                return self._start(request, [self._recording(card)])
            case "tse:FindEvents":
                return self._start(request, self._changes(card, request))
            case "tse:GetRecordingSearchResults" | "tse:GetEventSearchResults":
                return self._page(request)
            case "tse:EndSearch":
                del self._searches[self._find(request)]
                return el("tse:EndSearchResponse", el("tse:Endpoint", self._said(self._now())))
            case _:
                raise not_supported(request.action)

    def _start(self, request: Request, results: Sequence[Xml]) -> Xml:
        if self.count >= MAX_SEARCHES:
            reason = "Too many searches at a time"
            raise SoapFault(
                subcodes=("ter:Action", "ter:ResourceProblem"), reason=reason, code="Receiver"
            )
        life_s = parse_duration(request.values.get("KeepAliveTime", "")) or LONGEST_LIFE_S
        life_s = min(life_s, LONGEST_LIFE_S)
        self._last_number += 1
        token = f"search_{self._last_number}"
        name = request.action.rpartition(":")[2]
        self._searches[token] = _Search(
            kind="Recording" if name == "FindRecordings" else "Event",
            life_s=life_s,
            ends_at_s=asyncio.get_running_loop().time() + life_s,
            results=list(results)[: _number(request, "MaxMatches", len(results))],
        )
        return el(f"tse:{name}Response", el("tse:SearchToken", token))

    def _page(self, request: Request) -> Xml:
        search = self._searches[self._find(request)]
        name = request.action.rpartition(":")[2]
        if name != f"Get{search.kind}SearchResults":
            raise _no_such_search()
        search.ends_at_s = asyncio.get_running_loop().time() + search.life_s
        count = max(1, min(_number(request, "MaxResults", PAGE), PAGE))
        page, search.results = search.results[:count], search.results[count:]
        state = "Searching" if search.results else "Completed"
        return el(f"tse:{name}Response", el("tse:ResultList", el("tt:SearchState", state), *page))

    def _find(self, request: Request) -> str:
        self._purge()
        token = request.values.get("SearchToken", "")
        if token not in self._searches:
            raise _no_such_search()
        return token

    def _purge(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for token in [t for t, s in self._searches.items() if s.ends_at_s <= now_s]:
            del self._searches[token]

    def _summary(self, card: MemoryCard) -> Xml:
        spans = card.recorded(self._now())
        begin, end = (spans[0][0], spans[-1][1]) if spans else (None, None)
        return el(
            "tse:GetRecordingSummaryResponse",
            el(
                "tse:Summary",
                el("tt:DataFrom", self._said(begin)),
                el("tt:DataUntil", self._said(end)),
                el("tt:NumberRecordings", "1"),
            ),
        )

    def _recording(self, card: MemoryCard) -> Xml:
        spans = card.recorded(self._now())
        begin, end = (spans[0][0], spans[-1][1]) if spans else (None, None)
        edges = (
            ()
            if begin is None
            else (
                el("tt:EarliestRecording", self._said(begin)),
                el("tt:LatestRecording", self._said(end)),
            )
        )
        return el(
            "tt:RecordingInformation",
            el("tt:RecordingToken", RECORDING),
            el(
                "tt:Source",
                el("tt:SourceId", self._state.service_address("media_service")),
                el("tt:Name", self._state.options.name),
                el("tt:Location", ""),
                el("tt:Description", ""),
                el("tt:Address", ""),
            ),
            *edges,
            el("tt:Content", "memory card"),
            *(
                el(
                    "tt:Track",
                    el("tt:TrackToken", token),
                    el("tt:TrackType", kind),
                    el("tt:Description", ""),
                    el("tt:DataFrom", self._said(begin)),
                    el("tt:DataTo", self._said(end)),
                )
                for token, kind in TRACKS.items()
            ),
            el("tt:RecordingStatus", "Stopped" if card.stopped_at else "Recording"),
        )

    def _changes(self, card: MemoryCard, request: Request) -> list[Xml]:
        """Every change of the video track's state in the time asked about."""
        wanted = request.values.get("SearchFilter/TopicExpression", "")
        if wanted and _TRACK_STATE not in wanted:
            return []
        since = self._asked(request, "StartPoint")
        until = self._asked(request, "EndPoint") if "EndPoint" in request.values else self._now()
        spans = card.recorded(self._now())
        results = []
        if request.values.get("IncludeStartState") in {"true", "1"}:
            has_data = any(begin <= since < end for begin, end in spans)
            results.append(self._change(since, has_data=has_data, is_start=True))
        edges = [(begin, True) for begin, _ in spans]
        edges += [(end, False) for _, end in spans if end < self._now()]
        results += [
            self._change(at, has_data=has_data)
            for at, has_data in sorted(edges)
            if since < at < until
        ]
        return results

    def _change(self, at: datetime, *, has_data: bool, is_start: bool = False) -> Xml:
        items = {"RecordingToken": RECORDING, "Track": "VIDEO001"}
        return el(
            "tt:Result",
            el("tt:RecordingToken", RECORDING),
            el("tt:TrackToken", "VIDEO001"),
            el("tt:Time", self._said(at)),
            el(
                "tt:Event",
                el("wsnt:Topic", _TRACK_STATE, attributes={"Dialect": _DIALECT}),
                el(
                    "wsnt:Message",
                    el(
                        "tt:Message",
                        el("tt:Source", *(_item(name, value) for name, value in items.items())),
                        el("tt:Data", _item("IsDataPresent", "true" if has_data else "false")),
                        attributes={"UtcTime": self._said(at), "PropertyOperation": "Changed"},
                    ),
                ),
            ),
            el("tt:StartStateEvent", "true" if is_start else "false"),
        )

    def _asked(self, request: Request, name: str) -> datetime:
        """Read a time of the request, which is by the camera's clock."""
        try:
            at = datetime.fromisoformat(request.values.get(name, ""))
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            return at - timedelta(seconds=self._state.clock_offset_s)
        except (ValueError, OverflowError):
            raise SoapFault(
                subcodes=("ter:InvalidArgVal",), reason=f"{name} cannot be read"
            ) from None

    def _now(self) -> datetime:
        return self._state.true_now()

    def _said(self, at: datetime | None) -> str:
        """Say a time by the camera's clock; what never was is the year 1970."""
        if at is None:
            return "1970-01-01T00:00:00Z"
        shifted = at + timedelta(seconds=self._state.clock_offset_s)
        return f"{shifted:%Y-%m-%dT%H:%M:%SZ}"


def _number(request: Request, name: str, otherwise: int) -> int:
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else otherwise


def _item(name: str, value: str) -> Xml:
    return el("tt:SimpleItem", attributes={"Name": name, "Value": value})


def _no_such_search() -> SoapFault:
    return SoapFault(
        subcodes=("ter:InvalidArgVal", "ter:InvalidToken"), reason="The search does not exist"
    )


def _capabilities() -> Xml:
    return el(
        "tse:GetServiceCapabilitiesResponse",
        el(
            "tse:Capabilities",
            attributes={"MetadataSearch": "false", "GeneralStartEvents": "false"},
        ),
    )
