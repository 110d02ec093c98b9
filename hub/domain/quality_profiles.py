"""Thresholds every installation starts with, under the names of the situations they are for.

Every index is scaled so that 50 means "clearly visible": a default is 50 unless a situation has
a reason, written beside it. No standard gives thresholds; areas may have profiles of their own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.domain.quality import Index, Thresholds

VISIBLE: Final = 50.0

DAY: Final[Thresholds] = MappingProxyType(dict.fromkeys(Index, VISIBLE))

# At night a picture is darker without anybody being able to mend it, and lamplight is coloured:
# under sodium lamps everything is orange, which no measure can tell from a cast.
NIGHT: Final[Thresholds] = MappingProxyType({**DAY, Index.DARK: 70.0, Index.CAST: None})

# Indoors the light is switched off when people leave.
INDOOR: Final[Thresholds] = MappingProxyType({**DAY, Index.DARK: 55.0})

# At a gate headlights shine into the lens, and bars and shutters are what the camera is there for.
GATE: Final[Thresholds] = MappingProxyType({**DAY, Index.BRIGHT: 65.0, Index.STRIPES: 65.0})

# A dome on tour looks elsewhere at every visit and may be moving when the frame is taken. Its scene
# is compared with all views it is known to show, and is not judged until few new ones come.
DOME_ON_TOUR: Final[Thresholds] = MappingProxyType(
    {**DAY, Index.SCENE: 60.0, Index.JITTER: None, Index.BLUR: 60.0}
)

PROFILES: Final[Mapping[str, Thresholds]] = MappingProxyType(
    {
        "day": DAY,
        "night": NIGHT,
        "indoor": INDOOR,
        "gate": GATE,
        "dome on tour": DOME_ON_TOUR,
    }
)
