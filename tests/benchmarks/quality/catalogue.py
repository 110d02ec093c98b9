"""The photographs of the proof: picked by eye, each with what it shows and the half it belongs to.

Real photographs of places as cameras see them, in focus and rightly exposed. Photographs of one
place stay in one half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Box = tuple[float, float, float, float]
"""Left, top, right and bottom as shares of width and height."""

WHOLE: Final[Box] = (0.0, 0.0, 1.0, 1.0)


class Half(StrEnum):
    """What a photograph is for: thresholds are set on the one and figures reported of the other."""

    TRAIN = "train"
    REPORT = "report"


class Place(StrEnum):
    """What a photograph shows. Those of NIGHT and GREY cannot stand for a day in colour."""

    OUTDOOR = "outdoor"
    INDOOR = "indoor"
    NIGHT = "night"
    GREY = "grey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """One photograph; with a ``kind`` it is a hard negative by itself and takes no faults.

    ``path`` is below the root of the package; ``frame`` is the number of the frame of a film.
    """

    name: str
    package: str
    path: str
    place: Place
    half: Half
    kind: str = ""
    box: Box = WHOLE
    frame: int = 0


_PACKAGES: Final = {
    "lomiri-wallpapers-16.04": "usr/share/backgrounds",
    "plasma-workspace-wallpapers": "usr/share/wallpapers",
    "mate-backgrounds": "usr/share/backgrounds/mate/nature",
    "opencv-doc": "usr/share/doc/opencv-doc",
    "palapeli-data": "usr/share/palapeli/collection",
    "python3-skimage": "usr/lib/python3/dist-packages/skimage/data",
    "python3-sklearn": "usr/lib/python3/dist-packages/sklearn/datasets/images",
    "python-kivy-examples": "usr/share/kivy-examples",
    "stellarium-data": "usr/share/stellarium/landscapes",
}
_LOMIRI = "lomiri-wallpapers-16.04"
_PLASMA = "plasma-workspace-wallpapers"
_MATE = "mate-backgrounds"
_OPENCV = "opencv-doc"
_PALAPELI = "palapeli-data"
_SKIMAGE = "python3-skimage"
_KIVY = "python-kivy-examples"
_STELLARIUM = "stellarium-data"
_DATA = "examples/data"
_TEXT = "examples/text"
_MANUAL = "opencv4/html"
_PAPER = "contents/images/2560x1600.jpg"
_OUT, _IN, _NIGHT, _GREY = Place.OUTDOOR, Place.INDOOR, Place.NIGHT, Place.GREY

_Row = tuple[str, str, str, Place] | tuple[str, str, str, Place, str | Box | int]

_TRAIN: Final[Sequence[_Row]] = (
    ("stream", _LOMIRI, "life_by_Aitzol_Berasategi.jpg", _OUT),
    ("mountains", _LOMIRI, "picosdeeuropa_by_Aitzol_Berasategi.jpg", _OUT),
    ("forest path", _PLASMA, f"Path/{_PAPER}", _OUT),
    ("church", _OPENCV, f"{_DATA}/home.jpg", _OUT),
    ("pavement", _OPENCV, f"{_TEXT}/scenetext01.jpg", _OUT),
    ("yard", _OPENCV, f"{_TEXT}/scenetext04.jpg", _OUT),
    ("corner house", _OPENCV, f"{_TEXT}/scenetext06.jpg", _OUT),
    ("park road", _OPENCV, f"{_MANUAL}/detect_test2.jpg", _OUT),
    ("castle", _PALAPELI, "castle-maintenon.jpg", _OUT),
    ("pagoda", "python3-sklearn", "china.jpg", _OUT),
    ("field", _STELLARIUM, "garching/garching-gl1.png", _OUT),
    ("window sill", _OPENCV, f"{_DATA}/aloeL.jpg", _IN),
    ("shelf", _OPENCV, f"{_DATA}/rubberwhale1.png", _IN),
    ("low sun", _LOMIRI, "sunset_by_Aitzol_Berasategi.jpg", _OUT, "sunset"),
    ("twilight", _PLASMA, f"summer_1am/{_PAPER}", _OUT, "sunset"),
    ("lit bridge", _PALAPELI, "cincinnati-bridge.jpg", _NIGHT, "neon"),
    ("launch pad", _SKIMAGE, "rocket.jpg", _NIGHT, "night"),
    ("kite", _PLASMA, f"Kite/{_PAPER}", _OUT, "sky"),
    ("meadow", _MATE, "GreenMeadow.jpg", _OUT, "meadow"),
    ("moss", _PLASMA, f"OneStandsOut/{_PAPER}", _OUT, "texture"),
    ("pavers", _SKIMAGE, "brick.png", _GREY, "texture"),
    ("lawn", _SKIMAGE, "grass.png", _GREY, "texture"),
    ("mural", _OPENCV, f"{_DATA}/graf1.png", _OUT, "colours"),
    ("town in haze", _OPENCV, f"{_DATA}/aero3.jpg", _OUT, "fog"),
)
_REPORT: Final[Sequence[_Row]] = (
    ("meadow below rocks", _LOMIRI, "aitzgorri_by_Aitzol_Berasategi.jpg", _OUT),
    ("house door", _LOMIRI, "friends_by_Aitzol_Berasategi.jpg", _OUT, (0.0, 0.03, 1.0, 0.6)),
    ("office block", _OPENCV, f"{_DATA}/building.jpg", _OUT),
    ("old town", _OPENCV, f"{_DATA}/leuvenA.jpg", _OUT),
    ("old town, right", _OPENCV, f"{_DATA}/leuvenB.jpg", _OUT),
    ("arcade", _OPENCV, f"{_TEXT}/scenetext03.jpg", _OUT),
    ("barrier", _OPENCV, f"{_TEXT}/scenetext05.jpg", _OUT),
    ("bus", _OPENCV, f"{_MANUAL}/pexels_double_decker_bus.jpg", _OUT),
    ("heath", _OPENCV, f"{_MANUAL}/retina_TreeHdr_retina.jpg", _OUT),
    ("campus", _OPENCV, f"{_DATA}/vtest.avi", _OUT, 40),
    ("campus, later", _OPENCV, f"{_DATA}/vtest.avi", _OUT, 500),
    ("ruin", _KIVY, "demo/pictures/images/Wall.jpg", _OUT),
    ("garage", _SKIMAGE, "motorcycle_left.png", _IN),
    ("study", _KIVY, "demo/pictures/images/faust_github.jpg", _IN),
    ("wallpaper", _OPENCV, f"{_MANUAL}/astra_color.jpg", _IN),
    ("books", _OPENCV, f"{_DATA}/left.jpg", _IN),
    ("boats", _PLASMA, f"EveningGlow/{_PAPER}", _OUT, "sunset"),
    ("towers", _KIVY, "widgets/cityCC0.png", _NIGHT, "neon"),
    ("lit arch", _OPENCV, f"{_MANUAL}/fusion_mertens.jpg", _NIGHT, "night"),
    ("estuary", _LOMIRI, "Bridge_by_Sander_Klootwijk.jpg", _OUT, "sky"),
    ("dune", _MATE, "Dune.jpg", _OUT, "meadow"),
    ("gravel", _SKIMAGE, "gravel.png", _GREY, "texture"),
    ("projector", _OPENCV, f"{_TEXT}/scenetext_segmented_word05.jpg", _IN, "wall"),
    ("facade", _PLASMA, f"Grey/{_PAPER}", _GREY, "stripes"),
    ("pier", _PLASMA, f"ColdRipple/{_PAPER}", _GREY, "fog"),
    ("shop", _OPENCV, f"{_TEXT}/scenetext_segmented_word01.jpg", _OUT, "colours"),
    ("snowy wood", _STELLARIUM, "hurricane/hurricane1.png", _OUT, "snow"),
    ("snowy rise", _STELLARIUM, "hurricane/hurricane2.png", _OUT, "snow"),
    ("car park in snow", _STELLARIUM, "hurricane/hurricane5.png", _OUT, "snow"),
)


def _photograph(row: _Row, half: Half) -> Photograph:
    name, package, path, place = row[:4]
    extra = row[4] if len(row) == 5 else ""
    return Photograph(
        name=name,
        package=package,
        path=f"{_PACKAGES[package]}/{path}",
        place=place,
        half=half,
        kind=extra if isinstance(extra, str) else "",
        box=extra if isinstance(extra, tuple) else WHOLE,
        frame=extra if isinstance(extra, int) else 0,
    )


CATALOGUE: Final[Sequence[Photograph]] = (
    *(_photograph(row, Half.TRAIN) for row in _TRAIN),
    *(_photograph(row, Half.REPORT) for row in _REPORT),
)
