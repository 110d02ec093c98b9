"""Media profiles (ONVIF Media Service) and how they become channels and streams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.onvif.answers import pick, pick_list, pick_number, pick_text
from hub.domain.devices import Json

STREAM_ROLES = ("main", "sub")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One media profile. ``source`` is the token of the video source it shows."""

    token: str
    source: str = ""
    source_name: str = ""
    configuration: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    has_ptz: bool = False


def parse_profiles(answer: Json) -> tuple[Profile, ...]:
    """Return the profiles that show a picture; those without a token or a source are left out."""
    profiles = []
    for item in pick_list(answer):
        encoder = pick(item, "VideoEncoderConfiguration")
        profile = Profile(
            token=pick_text(item, "token"),
            source=pick_text(item, "VideoSourceConfiguration", "SourceToken"),
            source_name=pick_text(item, "VideoSourceConfiguration", "Name"),
            configuration=pick_text(item, "VideoSourceConfiguration", "token"),
            codec=codec_name(pick_text(encoder, "Encoding")),
            width=int(pick_number(encoder, "Resolution", "Width")),
            height=int(pick_number(encoder, "Resolution", "Height")),
            frame_rate=pick_number(encoder, "RateControl", "FrameRateLimit"),
            has_ptz=pick(item, "PTZConfiguration") is not None,
        )
        if profile.token and profile.source:
            profiles.append(profile)
    return tuple(profiles)


def group_by_source(profiles: Iterable[Profile]) -> dict[str, tuple[Profile, ...]]:
    """Return per video source its profiles, the largest picture first.

    Profiles without a size come last and keep the camera's order: on cameras that say no sizes
    the first profile is the main stream. JPEG profiles serve snapshots, so they come last too.
    """
    groups: dict[str, list[Profile]] = {}
    for profile in profiles:
        groups.setdefault(profile.source, []).append(profile)
    return {
        source: tuple(sorted(group, key=lambda p: (p.codec == "mjpeg", -p.width * p.height)))
        for source, group in groups.items()
    }


def choose_streams(group: Sequence[Profile]) -> tuple[Profile, ...]:
    """Return the main profile and, when there is one, the sub profile of an ordered group.

    The main stream is the largest picture, the sub stream the smallest of the others; JPEG
    profiles are no sub stream. Among profiles without a size the camera's order decides.
    """
    others = [profile for profile in group[1:] if profile.codec != "mjpeg"]
    if not others:
        return tuple(group[:1])
    sub = min(others, key=lambda p: p.width * p.height)
    return (group[0], sub)


def tokens_of_channels(profiles: Iterable[Profile]) -> dict[str, str]:
    """Return every token by which an event may name a channel, with the channel's key."""
    tokens: dict[str, str] = {}
    for profile in profiles:
        for token in (profile.configuration, profile.token):
            tokens.setdefault(token, profile.source)
    for profile in profiles:
        tokens[profile.source] = profile.source
    tokens.pop("", None)
    return tokens


def codec_name(encoding: str) -> str:
    """Return FFmpeg's name of an ONVIF encoding."""
    known = {"H264": "h264", "H265": "hevc", "JPEG": "mjpeg", "MPEG4": "mpeg4"}
    return known.get(encoding.upper(), encoding.lower())
