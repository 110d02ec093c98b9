"""A small pool of confined processes that judge pictures; see ``worker`` for what runs in them."""

from hub.domain.quality import CheckOrder, PictureCheck

JUDGE_LIMIT_S = 15.0  # an order of two frames takes 0.02 s, on a busy small machine some times that


class JudgePool:
    """Judges pictures in ``size`` processes, started when first needed; close it in the end."""

    def __init__(self, *, size: int, limit_s: float = JUDGE_LIMIT_S) -> None:
        self._size = size
        self._limit_s = limit_s

    async def __call__(self, order: CheckOrder) -> PictureCheck:
        """Judge the frames of one visit.

        Raises:
            ProtocolViolation: a frame is no picture, or broke the process.
            OwnShortage: this machine cannot start a process.
        """
        raise NotImplementedError

    async def explain(self, order: CheckOrder, check: PictureCheck) -> bytes:
        """Return the last frame as JPEG, with what was found of it written beside."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the processes."""
