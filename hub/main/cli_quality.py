"""`gengfu quality`: which pictures are worth nothing, and how far that can be believed."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from config.schema import Settings
from hub.domain.errors import GengfuError
from hub.domain.ports import FetchFrames
from hub.domain.quality import Finding
from hub.domain.quality_profiles import PROFILES
from hub.main import cli_pictures
from hub.main.console import Exit, print_json, print_line, progress, reported_errors, say
from hub.main.labelled_pictures import PICTURE_ENDINGS, LabelledPicture, read_labelled
from hub.main.picture_devices import Site, device_subject, find_device
from hub.main.picture_sources import (
    Lens,
    Subject,
    address_subject,
    failed_subject,
    file_subjects,
    is_address,
    judge_all,
    open_fetch,
)
from hub.main.picture_tables import (
    Judged,
    Printer,
    evaluation_document,
    judged_document,
    print_evaluation,
    summarize,
)
from hub.main.storage import JsonOption, SettingsOption, Store, read_settings, with_store
from hub.main.surroundings import local_zone
from hub.maintenance.pictures.evaluating import Example, evaluate
from streams.quality.judges import JudgePool

quality_app = typer.Typer(help="Pictures: which are worth nothing, and why.", no_args_is_help=True)

DEFAULT_PROFILE = "day"
MOST_WRONG_SHOWN = 20
# What is called so and is not there is a file with a mistake in its name, and no camera.
FILE_ENDINGS = PICTURE_ENDINGS | {".png", ".bmp", ".webp", ".gif", ".tif", ".tiff"}


def _known_profile(name: str) -> str:
    if name and name not in PROFILES:
        msg = f"there is {', '.join(PROFILES)}"
        raise typer.BadParameter(msg)
    return name


ProfileOption = Annotated[
    str,
    typer.Option(
        "--profile",
        callback=_known_profile,
        help=f"Thresholds to judge by: {', '.join(PROFILES)}. A registered camera has its own.",
    ),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=1, max=120, help="Seconds for the pictures of a camera.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a check was asked for."""

    targets: Sequence[str]
    profile: str
    explain: Path | None
    timeout_s: float
    settings: Path | None


@quality_app.command("check")
def check(  # noqa: PLR0913 - each is an option of the command
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|ADDRESS|DEVICE...",
            help="JPEG files, folders of them, http(s):// or rtsp:// addresses of cameras,"
            " or registered cameras by number, code or name.",
            show_default=False,
        ),
    ],
    *,
    profile: ProfileOption = "",
    explain: Annotated[
        Path | None,
        typer.Option(help="Folder for the pictures with what was found drawn into them."),
    ] = None,
    is_brief: Annotated[bool, typer.Option("--brief", help="One line a picture.")] = False,
    timeout_s: TimeoutOption = 15.0,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge pictures: a score from 0 (nothing of it) to 100 for each thing that can be wrong.

    A score that reaches its threshold is a fault. Files must be JPEG, as
    cameras send them: save a PNG as JPEG first. A file shows what one picture
    shows: freeze and jitter need a camera, occlusion and scene change a
    registered one whose usual picture is known. No verdict is stored or
    reported, whatever is found.

    A password in an address is never printed, but others on this machine see
    what you type: rather register the camera.

    Exit status: 0 all pictures are good, 1 there is a fault, 2 a picture could
    not be judged.
    """
    asked = _Asked(
        targets=targets, profile=profile, explain=explain, timeout_s=timeout_s, settings=settings
    )
    printer = Printer(is_brief=is_brief)

    def show(one: Judged) -> None:
        if not as_json:
            printer(one)
            sys.stdout.flush()

    judged = _check(asked, show)
    if as_json:
        print_json([judged_document(one) for one in judged])
    else:
        print_line(summarize(judged))
    raise typer.Exit(_status(judged))


@quality_app.command("evaluate")
def evaluate_set(
    folder: Annotated[
        Path, typer.Argument(help="Folder of labelled pictures.", exists=True, file_okay=False)
    ],
    *,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Compare the verdicts with what people said of the same pictures.

    The folder is one that `gengfu quality export` wrote (labels.json), or has
    a labels.csv with the columns file, index and is_fault, or folders named
    good or after an index (blur, noise, ...).

    Each picture is judged alone. Freeze, jitter, occlusion and scene change
    count where it is known what the hub found when people said it, as in an
    exported folder.
    """
    with reported_errors():
        pictures = read_labelled(folder)
        judged = uvloop.run(_judge_set(pictures, profile or DEFAULT_PROFILE))
    examples = [
        Example(name=picture.name, said=picture.said, findings=_findings(picture, one))
        for picture, one in zip(pictures, judged, strict=True)
        if one.check is not None
    ]
    failed = [one for one in judged if one.check is None]
    found = evaluate(examples)
    if as_json:
        errors = {one.name: one.error for one in failed}
        print_json({**evaluation_document(found), "profile": profile, "not_read": errors})
    else:
        print_evaluation(found)
    for one in failed:
        say(f"gengfu: {one.name}: {one.error}")
    say(
        f"{found.pictures} pictures judged by profile {profile}, {len(failed)} could not be;"
        f" of {found.good} good pictures {found.confused_good} were taken for faults"
    )
    if found.wrong and not as_json:
        more = len(found.wrong) - MOST_WRONG_SHOWN
        names = ", ".join(found.wrong[:MOST_WRONG_SHOWN])
        say(f"judged otherwise than people did: {names}" + (f" and {more} more" * (more > 0)))
    if not examples:
        raise typer.Exit(Exit.FAILED)


def _check(asked: _Asked, show: Callable[[Judged], None]) -> list[Judged]:
    """Judge what was asked for; a database is opened only for what is in it."""

    async def work(store: Store | None, settings: Settings | None) -> list[Judged]:
        async with AsyncExitStack() as stack:
            lens = await stack.enter_async_context(_open_lens(asked.explain))
            fetch = None if settings is None else await open_fetch(settings, stack)
            subjects = [
                subject
                for number, target in enumerate(asked.targets, start=1)
                for subject in await _subjects(asked, number, target, store, fetch)
            ]
            return [_shown(one, show) async for one in judge_all(subjects, lens)]

    environment = dict(os.environ)
    if any(_is_device(target) for target in asked.targets):
        return with_store(asked.settings, environment, lambda store: work(store, store.settings))
    with reported_errors():
        has_address = any(is_address(target) for target in asked.targets)
        settings = (
            read_settings(asked.settings, environment, level="error") if has_address else None
        )
        return uvloop.run(work(None, settings))


async def _subjects(
    asked: _Asked, number: int, target: str, store: Store | None, fetch: FetchFrames | None
) -> list[Subject]:
    """What one argument means; what is wrong with it is said in its turn."""
    profile = asked.profile or DEFAULT_PROFILE
    # An address that is refused may hold a password: it is not repeated.
    name = f"address {number}" if is_address(target) else target
    try:
        if is_address(target) and fetch is not None:
            return [address_subject(target, profile, fetch, asked.timeout_s)]
        if store is not None and fetch is not None and _is_device(target):
            site = Site(fetch=fetch, zone=local_zone(store.settings), timeout_s=asked.timeout_s)
            async with store.database.transaction() as tx:
                device = await find_device(tx, store.scope, target)
                return [await device_subject(tx, store.scope, device, asked.profile, site)]
        return file_subjects(Path(target), profile)
    except (GengfuError, OSError) as error:
        return [failed_subject(name, error)]


def _is_device(target: str) -> bool:
    """Tell what can only be a device: no address, and neither a file nor called like one."""
    path = Path(target)
    is_file = path.exists() or path.is_absolute() or target.startswith(".")
    return not (is_address(target) or is_file or path.suffix.lower() in FILE_ENDINGS)


def _shown(one: Judged, show: Callable[[Judged], None]) -> Judged:
    show(one)
    return one


def _findings(picture: LabelledPicture, one: Judged) -> list[Finding]:
    """What was found now, and what was found then of indices that one picture does not show."""
    now = [] if one.check is None else list(one.check.findings)
    judged = {finding.index for finding in now}
    then = [
        Finding(index=index, score=score, threshold=threshold, why="as it was judged then")
        for index, score in picture.scores.items()
        if index not in judged and (threshold := one.thresholds.get(index)) is not None
    ]
    return now + then


async def _judge_set(pictures: Sequence[LabelledPicture], profile: str) -> list[Judged]:
    subjects = [file_subjects(one.path, profile)[0] for one in pictures]
    judged: list[Judged] = []
    with progress() as bar:
        task = bar.add_task("judging", total=len(subjects))
        async with _open_lens(None) as lens:
            async for one in judge_all(subjects, lens):
                judged.append(one)
                bar.advance(task)
    return judged


@asynccontextmanager
async def _open_lens(explain: Path | None) -> AsyncIterator[Lens]:
    cores = max(1, os.cpu_count() or 1)
    pool = JudgePool(size=cores)
    try:
        yield Lens(judge=pool, at_once=cores, explain=explain)
    finally:
        await pool.close()


def _status(judged: Sequence[Judged]) -> int:
    if any(one.check is None for one in judged):
        return 2
    return 1 if any(one.faults for one in judged) else 0


quality_app.command("faults")(cli_pictures.list_faults)
quality_app.command("summary")(cli_pictures.summarize)
quality_app.command("export")(cli_pictures.export_labelled)
