"""A child process that works on strangers' bytes, held by two pipes: started, asked, ended.

It gets nothing of the hub's environment and no file but its pipes; what it may use it limits
itself, see ``streams.confinement``. One question at a time; whoever breaks it costs a process.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from streams.confinement import READY
from streams.network import OwnShortage

log = logging.getLogger(__name__)

START_LIMIT_S: Final = 60.0  # importing OpenCV takes 0.3 s, on a busy small machine many times that
MOST_QUESTIONS: Final = 10_000  # of one process: then another one, if only for its memory

_LAST_WORDS_S: Final = 5.0
_LONGEST_WORDS: Final = 200  # characters

# Isolated from the environment and the working directory, so the packages' place is told.
_PACKAGES = str(Path(__file__).parents[1])
_BOOT = "import sys; sys.path.append(sys.argv[1]); from {module} import main; main()"
# Nothing of the hub's environment, which may hold secrets; one thread keeps memory predictable.
_ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

Answer = TypeVar("Answer")


class Confined:
    """One process that runs ``main()`` of a module; started when first needed, close it in the end.

    ``main`` writes READY once it is confined; then it reads questions and writes answers.
    """

    def __init__(self, module: str, *, limit_s: float) -> None:
        self._module = module
        self._limit_s = limit_s
        self._lock = asyncio.Lock()
        self._asked = 0
        self.process: asyncio.subprocess.Process | None = None

    async def ask(
        self, question: bytes, read_answer: Callable[[asyncio.StreamReader], Awaitable[Answer]]
    ) -> Answer:
        """Send a question and return its answer, as read from the process's output.

        Raises:
            OwnShortage: the process does not start, which nobody's bytes are to blame for.
            TimeoutError: there is no answer within the limit; the process is gone.
            OSError, EOFError: the process broke while it worked; it is gone.
        """
        async with self._lock:
            is_done = False
            try:
                source, sink = await self._pipes()
                async with asyncio.timeout(self._limit_s):
                    sink.write(question)
                    await sink.drain()
                    answer = await read_answer(source)
                is_done = True
            finally:
                if not is_done:  # also when cancelled: its next answer would be for this question
                    await self._stop()
        return answer

    async def close(self) -> None:
        """End the process, once it has answered."""
        async with self._lock:
            await self._stop()

    async def _pipes(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the pipes of a process that waits for a question."""
        if self._asked >= MOST_QUESTIONS or (self.process and self.process.returncode is not None):
            await self._stop()  # what it died of was nobody's question
        self._asked += 1
        process = self.process or await self._start()
        if process.stdin is None or process.stdout is None:
            msg = "the process has no pipes"
            raise EOFError(msg)
        return process.stdout, process.stdin

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            async with asyncio.timeout(START_LIMIT_S):
                self.process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-c", _BOOT.format(module=self._module), _PACKAGES),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    env=_ENVIRONMENT,
                )
                if self.process.stdout is not None:
                    await self.process.stdout.readexactly(len(READY))
        except (TimeoutError, OSError, EOFError) as error:
            reason = await _last_words(self.process) or str(error) or type(error).__name__
            msg = f"this machine cannot start the process that runs {self._module}: {reason}"
            raise OwnShortage(msg) from error
        self._asked = 1
        return self.process

    async def _stop(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
        log.debug("a process that ran %s ended with %s", self._module, process.returncode)


async def _last_words(process: asyncio.subprocess.Process | None) -> str:
    """End a process that did not get ready; returns the last line that it complained with."""
    if process is None or process.stderr is None:
        return ""
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS_S):
            words = await process.stderr.read()
            return words.decode("utf-8", "replace").strip().rpartition("\n")[2][:_LONGEST_WORDS]
    return ""
