"""From packets to what viewers are sent: a track, then a fragment a picture. Pure, no decoder."""

from hub.domain.live_video import Fragment, Track
from streams.access_units import AccessUnit, AccessUnits
from streams.live.fmp4 import build_fragment, build_init
from streams.live.timeline import Timeline
from streams.live.tracks import describe
from streams.rtsp.sdp import Media


class Muxer:
    """Of one session with a camera; ``timeline`` goes on from one session to the next."""

    def __init__(self, media: Media, timeline: Timeline) -> None:
        self._media = media
        self._timeline = timeline
        self._pictures = AccessUnits(
            media.codec, media.parameter_sets, payload_type=media.payload_type
        )
        self._sets: tuple[bytes, ...] = ()
        self._has_track = False
        self._number = 0
        timeline.forget()

    def feed(self, packet: bytes, received_at: float) -> tuple[Track | None, Fragment | None]:
        """Take one RTP packet; return what is to be sent by it, the track before the fragment.

        Raises:
            ProtocolViolation: a picture exceeds what a camera could mean.
        """
        picture = self._pictures.feed(packet)
        if picture is None:
            return None, None
        track = self._find_track() if picture.is_key else None
        if not self._has_track:
            return None, None
        return track, self._build(picture, received_at)

    def _find_track(self) -> Track | None:
        """Return a track where the camera encodes differently from before."""
        sets = self._pictures.parameter_sets
        if sets == self._sets:
            return None
        media = self._media
        found = describe(media.codec, sets, (media.width, media.height))
        if found is None:
            return None
        self._sets, self._has_track = sets, True
        return Track(
            codec=media.codec,
            mime=found.mime,
            width=found.entry.width,
            height=found.entry.height,
            init=build_init(found.entry),
        )

    def _build(self, picture: AccessUnit, received_at: float) -> Fragment:
        if picture.follows_gap:
            self._timeline.forget()
        place = self._timeline.place(picture.timestamp, is_key=picture.is_key)
        self._number += 1
        return Fragment(
            data=build_fragment(
                picture.units,
                number=self._number,
                decode_time=place.decode_time,
                duration=place.duration,
                offset=place.offset,
                is_key=picture.is_key,
            ),
            is_key=picture.is_key,
            received_at=received_at,
        )
