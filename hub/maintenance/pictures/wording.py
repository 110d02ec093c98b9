"""Sentences about pictures, as people on night duty read them. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.domain.errors import DeviceError
from hub.domain.quality import Faults, Index

NAMES: Final[Mapping[Index, str]] = MappingProxyType(
    {
        Index.SIGNAL: "no signal",
        Index.FREEZE: "frozen",
        Index.OCCLUSION: "covered",
        Index.SCENE: "camera moved",
        Index.DARK: "too dark",
        Index.BRIGHT: "too bright",
        Index.CONTRAST: "low contrast",
        Index.BLUR: "out of focus",
        Index.CAST: "colour cast",
        Index.NOISE: "noise",
        Index.STRIPES: "stripes",
        Index.JITTER: "shaking",
        Index.PTZ: "does not turn",
    }
)
LONGEST_REASON: Final = 300


def fault_sentence(faults: Faults) -> str:
    """Say what is wrong with a picture: the first fault with its reason, and the names of others.

    Empty when nothing is.
    """
    present = [index for index in Index if index in faults]
    if not present:
        return ""
    first, *others = present
    text = NAMES[first]
    if faults[first].why:
        text += f": {faults[first].why}"
    if others:
        text += f"; also {', '.join(NAMES[index] for index in others)}"
    return text


def unseen_sentence(error: DeviceError) -> str:
    """Say why there was no picture to judge."""
    reason = " ".join(str(error).split())[:LONGEST_REASON]
    return reason or "the camera gave no picture"
