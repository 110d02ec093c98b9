"""Stripes: bars and rolling bands, slanted interference, columns or rows of a failing sensor.

Unit: levels; how strong the same lines are in *all* parts of the picture. Stripes of the signal
lie over the scene: they cross the whole picture, add the same everywhere, and leave the texture
under them. Fences, blinds, facades and furrows end somewhere, stand in perspective, or hide what is
behind them.

* *bands* (broad level bars, 2 to 20 of them) and *lines* (fine upright or level ones): how bright a
  row is against one some pixels further, as median of each of eight parts side by side; single
  contours like the horizon are clipped. Counts what all parts but one share.
* *waves* (slanted, 3 to 30 pixels wide): the strongest peak of the spectrum of the middle of the
  picture, and what of it sixteen tiles share in phase. Practice: spectral peaks and projections of
  rows and columns are what products and papers on moire and banding use.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Floats, Grey, Sample

_BANDS = Scale(nothing=0.8, visible=2.26, worst=20.0)
_LINES = Scale(nothing=0.8, visible=1.9, worst=12.0)
_WAVES = Scale(nothing=3.0, visible=9.0, worst=45.0)
_BANDS_STAY = 0.6  # of bands over things that vary with the height themselves, as floors do
_PARTS = 8
_SAMPLES = 8  # of each part
_BROAD: Final = 8  # pixels between the rows compared, for bands
_FINE: Final = 2
_HIDES = (0.22, 0.30)  # how much texture varies across stripes that hide what is behind them
_MOST_CUT_OFF = 0.05  # of a column
_LEAST_TEXTURE = 3.0  # levels between rows: with less there is nothing to hide
_PATCH = (512, 128)  # pixels: the middle of the picture, for the spectrum
_TILES = 4
_PEAKS = 3
_UNEVEN = (0.3, 0.6)  # of the usual tile in the weakest: a thing that ends somewhere, and a wave
_LEAST_PATCH = 96  # pixels
_SLOWEST = 1.0 / 30  # waves a pixel: slower ones are things, or bands


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A wave all over the picture: amplitude in levels, waves a pixel across and down."""

    amplitude: float = 0.0
    across: float = 0.0
    down: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripes:
    """What was found, levels. ``grain`` is what the second difference sees of the wave."""

    bands: float = 0.0
    upright: float = 0.0
    level: float = 0.0
    wave: Wave = Wave()

    @property
    def has_wave(self) -> bool:
        """Tell whether there is a wave that is clearly visible."""
        return self.wave.amplitude >= _WAVES.visible

    @property
    def grain(self) -> float:
        """The deviation the wave adds to what is measured as noise, levels."""
        if self.wave.amplitude < _WAVES.nothing:
            return 0.0
        gain = (2 - 2 * np.cos(2 * np.pi * self.wave.across)) * (
            2 - 2 * np.cos(2 * np.pi * self.wave.down)
        )
        return float(self.wave.amplitude * gain * 2 / np.pi * np.sqrt(np.pi / 2) / 6)


_found: WeakKeyDictionary[Sample, Stripes] = WeakKeyDictionary()


def measure(sample: Sample) -> Score:
    """Score the stripes of a picture; 50 at bands of 2.26, lines of 1.9, waves of 9 levels."""
    if not sample.is_large_enough:
        return Score(value=0.0, why="The picture is too small to look for stripes.")
    found = find_stripes(sample)
    lines = max(found.upright, found.level)
    kind = "Upright" if found.upright >= found.level else "Level"
    ranked = (
        (
            _BANDS.grade(found.bands),
            (
                f"Bands across the whole width change luma by {found.bands:.1f} levels within"
                f" {_BROAD} rows ({_BANDS.visible:.2f} are clearly visible)."
            ),
        ),
        (
            _LINES.grade(lines),
            (
                f"{kind} lines through the whole picture differ by {lines:.1f} levels from the next"
                f" ({_LINES.visible:.1f} are clearly visible)."
            ),
        ),
        (_WAVES.grade(found.wave.amplitude), _tell_wave(found.wave)),
    )
    value, why = max(ranked)
    return Score(value=value, why=why)


def _tell_wave(wave: Wave) -> str:
    period = 1.0 / max(float(np.hypot(wave.across, wave.down)), 1e-6)
    return (
        f"A wave every {period:.1f} pixels lies over the whole picture, {wave.amplitude:.0f} levels"
        f" strong ({_WAVES.visible:.0f} are clearly visible)."
    )


def find_stripes(sample: Sample) -> Stripes:
    """Look for stripes; once for each sample."""
    found = _found.get(sample)
    if found is None:
        found = _found[sample] = _search(sample)
    return found


def _search(sample: Sample) -> Stripes:
    if not sample.is_large_enough:
        return Stripes()
    body = sample.body
    wave = _find_wave(body)
    rows = _average(body, along_rows=True)
    bands = _find_lines(rows, _BROAD)
    level = _find_lines(rows, _FINE)
    upright = _find_lines(_average(body, along_rows=False), _FINE)
    if max(bands, level) >= _BANDS.nothing or _lies_level(wave):
        seen = _see_through(np.ascontiguousarray(body.T))
        bands, level = bands * max(seen, _BANDS_STAY), level * seen
        wave = _weaken(wave, seen) if _lies_level(wave) else wave
    if upright >= _LINES.nothing or _stands(wave):
        seen = _see_through(body)
        upright = upright * seen
        wave = _weaken(wave, seen) if _stands(wave) else wave
    return Stripes(bands=bands, upright=upright, level=level, wave=wave)


def _lies_level(wave: Wave) -> bool:
    return wave.amplitude >= _WAVES.nothing and abs(wave.across) < 0.05 * abs(wave.down)


def _stands(wave: Wave) -> bool:
    return wave.amplitude >= _WAVES.nothing and abs(wave.down) < 0.05 * abs(wave.across)


def _weaken(wave: Wave, by: float) -> Wave:
    return Wave(amplitude=wave.amplitude * by, across=wave.across, down=wave.down)


def _average(body: Grey, *, along_rows: bool) -> Floats:
    """The picture narrowed to some samples across the lines that are looked for (rows)."""
    samples = _PARTS * _SAMPLES
    rows, columns = body.shape
    if along_rows:
        whole = body[:, : columns - columns % samples] if columns > samples else body
        narrow = cv2.resize(whole, (samples, rows), interpolation=cv2.INTER_AREA)
        return np.asarray(narrow, np.float32)
    whole = body[: rows - rows % samples] if rows > samples else body
    low = cv2.resize(whole, (columns, samples), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(low.T, np.float32)


def _find_lines(narrow: Floats, lag: int) -> float:
    """What the rows of all parts side by side, but one, share of lines; levels between rows."""
    rows = narrow.shape[0]
    if rows < 4 * lag:
        return 0.0
    steps = (narrow[lag:] - narrow[:-lag]).reshape(rows - lag, _PARTS, _SAMPLES)
    steps.sort(axis=2)
    profiles = np.asarray(
        (steps[:, :, 3] + steps[:, :, 4]).T / 2, np.float32
    )  # the median: each part a row now
    clipped = _clip(profiles)
    others = _clip(np.asarray((profiles.sum(axis=0) - profiles) / (_PARTS - 1), np.float32))
    strengths = np.maximum(others.std(axis=1), 1e-3)
    shared = (clipped * others).mean(axis=1) / strengths
    return max(0.0, float(np.sort(shared)[1]))


def _clip(profiles: Floats) -> Floats:
    """Profiles about zero, held to what is usual in them: one contour is no stripe."""
    count = profiles.shape[1]
    middle = np.partition(profiles, count // 2, axis=1)[:, count // 2]
    centred = profiles - middle[:, None]
    rank = count * 6 // 10
    most = 1.3 * np.partition(np.abs(centred), rank, axis=1)[:, rank, None]
    clipped = np.clip(centred, -most, most)
    return np.asarray(clipped - clipped.mean(axis=1, keepdims=True), np.float32)


def _see_through(body: Grey) -> float:
    """1 where texture goes on under upright stripes, 0 where they hide what is behind them."""
    texture = cv2.absdiff(body[2:], body[:-2])
    profile = np.asarray(cv2.reduce(texture, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F), np.float32)
    varies = (profile - cv2.blur(profile, (41, 1))).ravel()
    cut_off = cv2.inRange(body, 3, 252) == 0  # where stripes are so strong that texture is lost
    is_whole = cut_off.mean(axis=0) < _MOST_CUT_OFF
    is_whole[:20] = is_whole[-20:] = False
    if np.count_nonzero(is_whole) < is_whole.size // 4:
        return 1.0
    share = float(varies[is_whole].std()) / max(_LEAST_TEXTURE, float(profile.mean()))
    return min(1.0, max(0.0, (_HIDES[1] - share) / (_HIDES[1] - _HIDES[0])))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Frame:
    """What the spectrum of patches of one size needs, made once."""

    window: Floats
    across: Floats  # waves a pixel, by column of the spectrum
    down: Floats  # by row
    is_slow: NDArray[np.bool_]


@lru_cache(maxsize=4)
def _frame(width: int, height: int) -> _Frame:
    across = np.asarray(np.fft.rfftfreq(width), np.float32)
    down = np.asarray(np.fft.fftfreq(height), np.float32)
    return _Frame(
        window=np.asarray(cv2.createHanningWindow((width, height), cv2.CV_32F), np.float32),
        across=across,
        down=down,
        is_slow=np.hypot(down[:, None], across[None, :]) < _SLOWEST,
    )


def _find_wave(body: Grey) -> Wave:
    """The wave that most of the middle of the picture shares."""
    rows, columns = body.shape
    width, height = (min(size, most) for size, most in zip((columns, rows), _PATCH, strict=True))
    width, height = width - width % _TILES, height - height % _TILES
    if min(width, height) < _LEAST_PATCH:
        return Wave()
    left, top = (columns - width) // 2, (rows - height) // 2
    patch = np.ascontiguousarray(body[top : top + height, left : left + width], np.float32)
    patch = patch - np.asarray(cv2.blur(patch, (31, 31)), np.float32)
    frame = _frame(width, height)
    spectrum = _measure_spectrum(patch * frame.window)
    spectrum[frame.is_slow] = 0.0
    best = Wave()
    for _ in range(_PEAKS):  # the strongest may be a facade; a wave may lie over it
        row, column = (int(at) for at in np.unravel_index(int(spectrum.argmax()), spectrum.shape))
        if float(spectrum[row, column]) * 2 / float(frame.window.sum()) < _WAVES.nothing:
            break
        across, down = float(frame.across[column]), float(frame.down[row])
        amplitude = _share_phase(patch, across, down)
        if amplitude > best.amplitude:
            best = Wave(amplitude=amplitude, across=across, down=down)
        if amplitude >= _WAVES.visible:
            break
        spectrum[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4] = 0.0
    return best


def _measure_spectrum(patch: Floats) -> Floats:
    """Magnitudes of the waves across (0 to half a wave a pixel) and down; for real pictures."""
    waves = cv2.dft(patch, flags=cv2.DFT_COMPLEX_OUTPUT)[:, : patch.shape[1] // 2 + 1]
    real, imaginary = (np.ascontiguousarray(waves[..., part]) for part in (0, 1))
    return np.asarray(cv2.magnitude(real, imaginary), np.float32)


def _share_phase(patch: Floats, across: float, down: float) -> float:
    """The amplitude of a wave that nearly all tiles have in one phase, levels."""
    rows, columns = patch.shape
    # A wave is a product of one factor for each row and one for each column.
    by_row = np.exp(-2j * np.pi * down * np.arange(rows)).astype(np.complex64)
    by_column = np.exp(-2j * np.pi * across * np.arange(columns)).astype(np.complex64)
    inner = (patch * by_column).reshape(rows, _TILES, -1).mean(axis=2)
    tiles = 2 * (inner * by_row[:, None]).reshape(_TILES, -1, _TILES).mean(axis=1)
    # The peak is found to half a bin: what is left turns the phase evenly from tile to tile.
    turn_right = np.angle((tiles[:, 1:] * tiles[:, :-1].conj()).sum())
    turn_down = np.angle((tiles[1:] * tiles[:-1].conj()).sum())
    steps = np.arange(_TILES)
    tiles = tiles * np.exp(-1j * (turn_right * steps[None, :] + turn_down * steps[:, None]))
    mean = complex(tiles.mean())
    along = np.sort(((tiles * np.conj(mean)).real / max(abs(mean), 1e-6)).ravel())
    low, usual = max(0.0, float(along[2])), max(float(along[along.size // 2]), 1e-6)
    evenly = (low / usual - _UNEVEN[0]) / (_UNEVEN[1] - _UNEVEN[0])
    return low * min(1.0, max(0.0, evenly))
