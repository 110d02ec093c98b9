"""From a measured figure to a score of 0 to 100: the one shape of scale all indices share."""

from dataclasses import dataclass

from hub.domain.quality import MAX_SCORE

VISIBLE_SCORE = 50.0  # "clearly visible": the default threshold of every index


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where a figure scores 0, 50 and 100; straight lines between. It may rise or fall."""

    nothing: float
    visible: float
    worst: float

    def grade(self, figure: float) -> float:
        """Return the score of a figure, 0 to 100; monotone."""
        half = _share(figure, self.nothing, self.visible)
        rest = _share(figure, self.visible, self.worst)
        return VISIBLE_SCORE * half + (MAX_SCORE - VISIBLE_SCORE) * rest


def _share(figure: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (figure - start) / (end - start)))
