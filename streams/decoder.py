"""A process of its own that decodes strangers' frames, within limits of memory and time.

One process, one frame at a time, started when first needed. A frame that makes it hang or
die costs that process, never the hub.
"""

import asyncio
import struct
import sys
from pathlib import Path

from hub.domain.errors import ProtocolViolation

MAX_FRAME_BYTES = 8 * 1024 * 1024
MAX_JPEG_BYTES = 32 * 1024 * 1024
DECODE_LIMIT_S = 10.0  # a 40-megapixel frame takes less than 1 s

_WORKER = Path(__file__).with_name("decoder_worker.py")
_REQUEST = struct.Struct(">4sI")
_ANSWER = struct.Struct(">BHHI")
# Nothing of the hub's environment, which may hold secrets; one thread keeps memory predictable.
_ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class DecoderProcess:
    """Turns H.264 and H.265 key frames into JPEG pictures; close it in the end."""

    def __init__(self, *, limit_s: float = DECODE_LIMIT_S) -> None:
        self._limit_s = limit_s
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def decode(self, codec: str, frame: bytes) -> tuple[bytes, int, int]:
        """Return a JPEG with its width and height.

        Raises:
            ProtocolViolation: the frame cannot be decoded within the limits.
        """
        if len(frame) > MAX_FRAME_BYTES:
            msg = f"the frame exceeds {MAX_FRAME_BYTES} bytes"
            raise ProtocolViolation(msg)
        async with self._lock:
            is_done = False
            try:
                async with asyncio.timeout(self._limit_s):
                    reason, answer = await self._exchange(codec, frame)
                is_done = True
            except TimeoutError:
                msg = f"the frame was not decoded within {self._limit_s:g} s"
                raise ProtocolViolation(msg) from None
            except (OSError, EOFError, struct.error) as error:
                msg = "the frame broke the decoder"
                raise ProtocolViolation(msg) from error
            finally:
                if not is_done:  # also when cancelled: its next answer would be for this frame
                    await self._stop()
        if reason:
            msg = f"the frame cannot be decoded ({reason})"
            raise ProtocolViolation(msg)
        return answer

    async def close(self) -> None:
        """End the process."""
        async with self._lock:
            await self._stop()

    async def _exchange(self, codec: str, frame: bytes) -> tuple[str, tuple[bytes, int, int]]:
        """Return why there is no picture, empty when there is one, and the picture."""
        process = self._process or await self._start()
        if process.stdin is None or process.stdout is None:
            msg = "the decoder has no pipes"
            raise EOFError(msg)
        process.stdin.write(_REQUEST.pack(codec.encode("ascii"), len(frame)) + frame)
        await process.stdin.drain()
        head = await process.stdout.readexactly(_ANSWER.size)
        status, width, height, length = _ANSWER.unpack(head)
        if length > MAX_JPEG_BYTES:
            msg = "the decoder's answer is too large"
            raise EOFError(msg)
        body = await process.stdout.readexactly(length)
        reason = body[:64].decode("ascii", "replace") or "?" if status != 0 else ""
        return reason, (body, width, height)

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
        )
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
