"""RTP (RFC 3550), and the key frames it carries in the form in which decoders take them.

Pure and bounded: feed packets to a KeyFrameAssembler until it returns one decodable frame.
"""

from streams.access_units import AccessUnits, find_payload

_START_CODE = b"\x00\x00\x00\x01"


def is_rtp(data: bytes) -> bool:
    """Tell whether this is an RTP packet with anything in it."""
    found = find_payload(data)
    return found is not None and found[0] < found[1]


class KeyFrameAssembler:
    """Collects packets until a whole key frame is there, then returns it in Annex B form.

    A frame with a lost packet is dropped and the next key frame awaited. ``is_film``: the frames
    that follow a key frame are returned as well, each when it is whole.
    """

    def __init__(
        self, codec: str, parameter_sets: tuple[bytes, ...] = (), *, is_film: bool = False
    ) -> None:
        self._pictures = AccessUnits(codec, parameter_sets)
        self._is_film = is_film

    def feed(self, data: bytes) -> bytes | None:
        """Take one RTP packet; return the frame when it is complete.

        Raises:
            ProtocolViolation: the frame exceeds what a camera could mean.
        """
        picture = self._pictures.feed(data)
        if picture is None or not (picture.is_key or self._is_film):
            return None
        sets = self._pictures.parameter_sets if picture.is_key else ()
        return b"".join(_START_CODE + unit for unit in (*sets, *picture.units))
