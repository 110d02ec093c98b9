"""A figure and what must stand beside it: coverage, formula, and why it is withheld."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# An acceptance rule in use (practice): with less known the verdict is "collecting".
MIN_COVERAGE: Final = 0.95


class Why(StrEnum):
    """Why a figure is withheld."""

    COLLECTING = "collecting"
    MAINTENANCE = "maintenance"
    NO_DEVICES = "no_devices"
    NO_OUTAGES = "no_outages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Why there is no figure: a code for programs, a sentence for people."""

    code: Why
    reason: str


NO_DEVICES: Final = Withheld(code=Why.NO_DEVICES, reason="no device that this is measured on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure; ``value`` is None exactly when it is withheld.

    ``coverage`` 0 to 1: how much of what the figure speaks about is known. ``formula`` names how
    it was worked out, with its version: published with every figure, so that last month's rank
    can be computed again.
    """

    value: float | None
    coverage: float
    formula: str
    withheld: Withheld | None = None


def judge(formula: str, part: float, whole: float, *, known: float, of: float) -> Figure:
    """A share, of which ``known`` things out of ``of`` are known."""
    value = part / whole if whole > 0 else None
    return settle(formula, value, coverage=share(known, of), withheld=None if of else NO_DEVICES)


def settle(
    formula: str, value: float | None, *, coverage: float, withheld: Withheld | None = None
) -> Figure:
    """A figure with its verdict: withheld for the reason given, or because too little is known."""
    reason = withheld or too_little(coverage)
    if value is None and reason is None:
        reason = NO_DEVICES
    return Figure(
        value=None if reason else value, coverage=coverage, formula=formula, withheld=reason
    )


def too_little(coverage: float) -> Withheld | None:
    """Say so when too little is known for a verdict."""
    if coverage >= MIN_COVERAGE:
        return None
    # Never rounded up to the minimum itself.
    known = int(coverage * 1000) / 10
    return Withheld(
        code=Why.COLLECTING,
        reason=f"collecting: {known:g} % known, {MIN_COVERAGE * 100:g} % needed",
    )


def share(part: float, whole: float) -> float:
    """A part of a whole, 0 to 1; 0 of nothing."""
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0
