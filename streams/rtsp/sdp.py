"""SDP (RFC 8866) as far as cameras use it: which streams there are, and how to ask for them.

Pure and bounded; raises ProtocolViolation for what is not SDP.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field

from hub.domain.errors import ProtocolViolation

MAX_LINES = 2_000
MAX_MEDIA = 64

# Codec names as FFmpeg has them, by RTP encoding name.
CODECS = {
    "H264": "h264",
    "H265": "hevc",
    "HEVC": "hevc",
    "JPEG": "mjpeg",
    "MP4V-ES": "mpeg4",
    "H263-1998": "h263",
    "AV1": "av1",
    "VP8": "vp8",
    "VP9": "vp9",
}
_STATIC_PAYLOADS = {"26": "JPEG", "32": "MPV", "34": "H263"}
_MEDIA = re.compile(r"([a-z]{1,32}) \d{1,5}(?:/\d+)? (RTP/S?AVPF?)(?:/TCP)? ([0-9 ]{1,256})\Z")
_DIRECTIONS = ("sendonly", "recvonly", "sendrecv", "inactive")
_SIZE = re.compile(r"(?:\d+ )?(\d{1,5})[,x-](\d{1,5})\Z")


@dataclass(slots=True, kw_only=True)
class _Section:
    """One m= section while it is being read."""

    kind: str
    payload: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One media stream; ``control`` is as the server wrote it, sizes are 0 when not said."""

    kind: str
    payload_type: int
    codec: str
    control: str
    frame_rate: float = 0.0
    width: int = 0
    height: int = 0
    format_parameters: str = ""
    direction: str = ""  # "sendonly" of a camera is what is sent to it (ONVIF streaming, 5.3)

    @property
    def parameter_sets(self) -> tuple[bytes, ...]:
        """The parameter sets out of band; decoded when asked for, which probes never do."""
        return _parse_parameter_sets(self.format_parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What DESCRIBE answered; ``control`` is the whole presentation's."""

    media: tuple[Media, ...]
    control: str = ""

    @property
    def video(self) -> Media | None:
        """The first video stream."""
        return next((media for media in self.media if media.kind == "video"), None)


def parse_sdp(body: bytes) -> Description:
    """Parse a session description."""
    lines = body.decode("utf-8", "replace").splitlines()
    if not lines or lines[0].strip() != "v=0" or len(lines) > MAX_LINES:
        msg = "the camera's stream description is not SDP"
        raise ProtocolViolation(msg, evidence=body)
    session: dict[str, str] = {}
    sections: list[_Section] = []
    is_skipped = False
    for line in lines:
        if line.startswith("m="):
            section = _parse_media_line(line[2:].strip())
            is_skipped = section is None
            if section is not None:
                sections.append(section)
        elif line.startswith("a=") and not is_skipped:
            attributes = sections[-1].attributes if sections else session
            _read_attribute(line[2:].strip(), attributes, sections[-1] if sections else None)
    if len(sections) > MAX_MEDIA:
        msg = f"the camera describes more than {MAX_MEDIA} streams"
        raise ProtocolViolation(msg)
    return Description(
        media=tuple(_build_media(section) for section in sections),
        control=session.get("control", ""),
    )


def _parse_media_line(value: str) -> _Section | None:
    """Return the section, or None for one that is not RTP (application data, metadata)."""
    match = _MEDIA.match(value)
    payloads = match.group(3).split() if match else []
    if match is None or not payloads:
        return None
    return _Section(kind=match.group(1), payload=payloads[0])


def _read_attribute(value: str, attributes: dict[str, str], section: _Section | None) -> None:
    """Keep an attribute; those that name a payload type only for the section's first one."""
    name, _, text = value.partition(":")
    name = name.lower()
    if name in {"rtpmap", "fmtp"}:
        payload, _, text = text.strip().partition(" ")
        if section is None or payload != section.payload:
            return
    attributes.setdefault(name, text.strip())


def _build_media(section: _Section) -> Media:
    attributes = section.attributes
    name = attributes.get("rtpmap", "").partition("/")[0].upper()
    name = name or _STATIC_PAYLOADS.get(section.payload, "")
    size = _SIZE.match(
        attributes.get("framesize") or attributes.get("x-dimensions") or attributes.get("size", "")
    )
    return Media(
        kind=section.kind,
        payload_type=min(int(section.payload), 127),
        codec=CODECS.get(name, name.lower()[:32]) if section.kind == "video" else name.lower()[:32],
        control=attributes.get("control", ""),
        frame_rate=_parse_rate(attributes.get("framerate") or attributes.get("x-framerate", "")),
        width=int(size.group(1)) if size else 0,
        height=int(size.group(2)) if size else 0,
        format_parameters=attributes.get("fmtp", ""),
        direction=next((one for one in _DIRECTIONS if one in attributes), ""),
    )


def _parse_rate(text: str) -> float:
    match = re.match(r"\d{1,3}(?:\.\d{1,3})?", text)
    return float(match.group()) if match else 0.0


def _parse_parameter_sets(fmtp: str) -> tuple[bytes, ...]:
    """Return the parameter sets (VPS, SPS, PPS) out of band, in the order a decoder wants."""
    values: dict[str, str] = {}
    for part in fmtp.split(";"):
        name, _, value = part.strip().partition("=")
        values[name.lower()] = value.strip()
    found: list[bytes] = []
    for name in ("sprop-vps", "sprop-sps", "sprop-pps", "sprop-parameter-sets"):
        for text in values.get(name, "").split(","):
            try:
                found.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue  # an unreadable set is left out: cameras also send them in the stream
    return tuple(unit for unit in found if unit)
