"""`gengfu quality check` and `evaluate` on files: what is printed, what a bad file does."""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hub.domain.errors import Invalid, ProtocolViolation
from hub.domain.quality import CheckOrder, Finding, Index, Mode, PictureCheck, Region
from hub.domain.quality_profiles import DAY, NIGHT
from hub.main.cli import app
from hub.main.labelled_pictures import read_labelled
from hub.main.picture_sources import Lens, file_subjects, judge_all, read_frame
from hub.main.picture_tables import Judged, Printer, judged_document, summarize, why_not_judged
from tests.encoded_frames import WRONG_TYPES, build_jpeg, claim_size, paint_scene

SCENE = build_jpeg(paint_scene(640, 360))
BLACK = build_jpeg(np.zeros((360, 640, 3), np.uint8))
SOFT = build_jpeg(cv2.GaussianBlur(paint_scene(640, 360), (0, 0), 9).astype(np.uint8))


class Judge:
    """Finds what it was told to find; a picture of which nothing was told is no picture.

    Several pictures are on their way at a time: ``of`` tells what is found by their bytes.
    """

    def __init__(self, *told: PictureCheck, of: Mapping[bytes, PictureCheck] | None = None) -> None:
        self._told = iter(told)
        self._of = of

    async def __call__(self, order: CheckOrder) -> PictureCheck:
        data = order.frames[0].data
        found = next(self._told, None) if self._of is None else self._of.get(data)
        if found is None:
            msg = "the picture cannot be decoded"
            raise ProtocolViolation(msg)
        return found

    async def explain(self, order: CheckOrder, check: PictureCheck) -> bytes:
        del check
        return b"drawn: " + order.frames[0].data[:2]


def check_of(*scores: tuple[Index, float], mode: Mode = Mode.COLOUR) -> PictureCheck:
    findings = tuple(
        Finding(index=index, score=score, threshold=50, why=f"{score:g} of 100.")
        for index, score in scores
    )
    return PictureCheck(mode=mode, width=640, height=360, findings=findings)


def gengfu(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["quality", *map(str, arguments)])


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command sets up the logs of its process, which here is that of all tests."""
    root = logging.root
    handlers, level, levels = list(root.handlers), root.level, _levels()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in _levels():
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


def _levels() -> dict[str, int]:
    known = logging.root.manager.loggerDict.items()
    return {name: one.level for name, one in known if isinstance(one, logging.Logger)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name, data in {"good": SCENE, "black": BLACK, "cut": SCENE[:-9000]}.items():
        (tmp_path / "in" / f"{name}.jpg").write_bytes(data)
    (tmp_path / "in" / "notes.txt").write_text("no picture, and not looked at")
    return tmp_path / "in"


async def test_pictures_come_in_order_and_bad_ones_stop_nobody(
    folder: Path, tmp_path: Path
) -> None:
    judge = Judge(of={BLACK: check_of((Index.SIGNAL, 90)), SCENE: check_of((Index.BLUR, 30))})
    lens = Lens(judge=judge, at_once=1, explain=tmp_path / "out")
    (tmp_path / "soft.jpg").write_bytes(SOFT)
    subjects = [*file_subjects(folder, "day"), *file_subjects(tmp_path / "soft.jpg", "day")]
    judged = [one async for one in judge_all(subjects, lens)]
    assert [(Path(one.name).stem, one.error) for one in judged] == [
        ("black", ""),
        ("cut", "the picture is cut off"),
        ("good", ""),
        ("soft", "the picture cannot be decoded"),
    ]
    assert [Path(one.explained).name for one in judged if one.explained] == [
        "0001-black.jpg",
        "0003-good.jpg",
    ]
    assert (tmp_path / "out" / "0001-black.jpg").read_bytes() == b"drawn: \xff\xd8"
    assert summarize(judged) == (
        "4 pictures: 1 good, 1 at fault (signal_loss 1), 2 could not be judged"
    )


@pytest.mark.threat("T27")
@pytest.mark.parametrize("kind", WRONG_TYPES)
def test_a_file_that_is_no_jpeg_is_refused_before_anything_decodes_it(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(WRONG_TYPES[kind])
    with pytest.raises((Invalid, ProtocolViolation)) as refused:
        read_frame(path)
    assert ("PNG" in str(refused.value)) == (kind == "png")
    path.write_bytes(claim_size(SCENE, 30_000, 30_000))
    with pytest.raises(ProtocolViolation, match="30000 x 30000"):
        read_frame(path)
    with path.open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(Invalid, match=r"8192\.0 MiB"):
        read_frame(path)
    for endless in (Path("/dev/zero"), tmp_path / "pipe"):
        if not endless.exists():
            os.mkfifo(endless)
        with pytest.raises(Invalid, match="no file but a device"):
            read_frame(endless)


def test_a_block_tells_faults_first_and_what_could_not_be_judged_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = check_of((Index.DARK, 49.99), (Index.BLUR, 80), (Index.NOISE, 2), (Index.STRIPES, 30))
    one = Judged(name="gate\x1b[2J.jpg", profile="profile day", thresholds=DAY, check=found)
    printer = Printer(is_brief=False)
    printer(one)
    first = capsys.readouterr().out
    assert "\x1b" not in first
    head, _, *rows = first.splitlines()
    assert head == "gate\ufffd[2J.jpg: FAULT blur   (640 x 360, colour, profile day)"
    assert [row.split()[0] for row in rows[:4]] == ["blur", "too_dark", "stripes", "noise"]
    assert rows[0].split() == ["blur", "80.0", "50", "FAULT", "80", "of", "100."]
    assert rows[1].split()[1:4] == ["49.9", "50", "good"]
    assert "freeze, jitter (needs a second frame)" in rows[4]
    printer(one)
    assert "not judged" not in capsys.readouterr().out
    Printer(is_brief=True)(one)
    assert capsys.readouterr().out == "gate\ufffd[2J.jpg: FAULT blur\n"


def test_why_an_index_was_not_judged() -> None:
    thresholds: Mapping[Index, float | None] = {**DAY, Index.CAST: None}
    lost = Judged(name="x", thresholds=thresholds, check=check_of((Index.SIGNAL, 100)))
    why = why_not_judged(lost)
    assert (why[Index.BLUR], why[Index.FREEZE]) == ("the signal is lost", "the signal is lost")
    assert why[Index.CAST] == "no threshold in the profile"
    assert Index.SIGNAL not in why
    document = judged_document(Judged(name="x", thresholds={}, error="away"))
    assert (document["is_good"], document["faults"], document["error"]) == (None, [], "away")
    region = Region(0, 0.5, 1, 1)
    finding = Finding(index=Index.OCCLUSION, score=61, threshold=50, why="", region=region)
    check = PictureCheck(mode=Mode.INFRARED, width=1, height=1, findings=(finding,))
    shown = json.loads(json.dumps(judged_document(Judged(name="x", thresholds=NIGHT, check=check))))
    assert shown["findings"][0]["region"] == [0, 0.5, 1, 1]
    assert (shown["is_good"], shown["mode"]) == (False, "infrared")


def test_the_command_judges_files_by_real_processes(folder: Path, tmp_path: Path) -> None:
    whole = gengfu("check", folder, "--json", "--explain", tmp_path / "out")
    assert whole.exit_code == 2
    black, cut, good = json.loads(whole.stdout)
    assert (black["is_good"], black["faults"]) == (False, ["signal_loss"])
    assert (cut["is_good"], cut["error"]) == (None, "the picture is cut off")
    assert (good["is_good"], good["faults"], good["width"]) == (True, [], 640)
    assert {"freeze", "occlusion", "ptz"} <= set(good["not_judged"])
    assert Path(good["annotated"]).read_bytes()[:2] == b"\xff\xd8"
    both = gengfu("check", folder / "good.jpg", folder / "black.jpg", "--brief")
    assert both.exit_code == 1
    assert both.stdout.splitlines()[-1] == (
        "2 pictures: 1 good, 1 at fault (signal_loss 1), 0 could not be judged"
    )


@pytest.mark.threat("T31")
def test_what_is_named_wrongly_is_said_without_its_password(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENGFU_DATA_DIR", str(tmp_path / "hub"))
    empty = tmp_path / "empty"
    empty.mkdir()
    done = gengfu(
        "check", "rtsp://admin:hun/ter2@10.0.0.1/", "file:///etc/hunter2", empty,
        tmp_path / "a.jpg", folder / "good.jpg", "--brief",
    )  # fmt: skip
    assert done.exit_code == 2
    assert "hunter2" not in done.output
    assert "hun/ter2" not in done.output
    lines = done.stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines[:2]] == ["address 1", "address 2"]
    assert "no .jpg or .jpeg file" in lines[2]
    assert "No such file" in lines[3]
    assert lines[4].endswith("good")
    assert not (tmp_path / "hub").exists()
    assert gengfu("check", folder, "--profile", "dusk").exit_code == 2
    assert gengfu("check").exit_code == 2


def test_a_folder_of_labelled_folders_is_evaluated(tmp_path: Path) -> None:
    for label, data in {"good": SCENE, "signal_loss": BLACK, "blur": SOFT}.items():
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.jpg").write_bytes(data)
    (tmp_path / "blur" / "2.jpg").write_bytes(SCENE[:-9000])
    told = gengfu("evaluate", tmp_path)
    assert told.exit_code == 0, told.output
    table, _, _confusion = told.stdout.partition("\n\n")
    rows = {line.split()[0]: line.split()[1:] for line in table.splitlines()}
    # faults, found, missed, fine, false, not judged, precision, recall
    assert rows["signal_loss"][:8] == ["1", "1", "0", "1", "0", "0", "100.0%", "100.0%"]
    assert rows["freeze"][:8] == ["0", "0", "0", "0", "0", "1", "-", "-"]
    assert "blur/2.jpg: the picture is cut off" in told.stderr
    assert "of 1 good pictures 0 were taken for faults" in told.stderr
    found = json.loads(gengfu("evaluate", tmp_path, "--json").stdout)
    assert (found["pictures"], found["good"], found["good_with_false_alarm"]) == (3, 1, 0)
    assert found["confusion"]["signal_loss"] == {"signal_loss": 1}
    shutil.rmtree(tmp_path / "blur")
    (tmp_path / "good" / "1.jpg").write_bytes(b"")
    (tmp_path / "signal_loss" / "1.jpg").unlink()
    assert gengfu("evaluate", tmp_path).exit_code == 1


def test_labels_are_read_from_json_and_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "\ufefffile,index,is_fault\na.jpg,blur,yes\na.jpg,noise,0\nb.jpg,good,true\n"
    )
    a, b = read_labelled(tmp_path)
    assert (a.name, a.said) == ("a.jpg", {Index.BLUR: True, Index.NOISE: False})
    assert b.said == dict.fromkeys(Index, False)
    picture = {"file": "c.jpg", "labels": {"blur": True}, "scores": {"blur": 61.5, "new": 1}}
    (tmp_path / "labels.json").write_text(json.dumps({"pictures": [picture], "by": "somebody"}))
    (c,) = read_labelled(tmp_path)
    assert (c.path, c.scores) == ((tmp_path / "c.jpg").resolve(), {Index.BLUR: 61.5})


@pytest.mark.threat("T6")
@pytest.mark.parametrize(
    "name", ["../x.jpg", "/etc/passwd", "a/../../x.jpg", "", "a\0.jpg", "link/x"]
)
def test_no_label_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "set"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    picture = {"file": name, "labels": {"blur": True}}
    (inside / "labels.json").write_text(json.dumps({"pictures": [picture]}))
    with pytest.raises(Invalid, match="names no file in"):
        read_labelled(inside)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("labels.json", "{", "labels.json cannot be read"),
        ("labels.json", '{"pictures": [{"file": "a.jpg", "labels": {"blur": "yes"}}]}', "blur"),
        ("labels.json", '{"pictures": [{"file": "a", "labels": {"ugly": true}}]}', "'ugly'"),
        ("labels.json", '{"pictures": []}', "holds neither"),
        ("labels.csv", "file,index\na.jpg,blur\n", "line 2"),
        ("labels.csv", "file,index,is_fault\na.jpg,blur,perhaps\n", "line 2"),
        ("labels.csv", "file,index,is_fault\na.jpg,ugly,1\n", "'ugly'"),
    ],
)
def test_labels_that_make_no_sense_are_said(
    tmp_path: Path, file: str, text: str, said: str
) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(Invalid, match=said):
        read_labelled(tmp_path)
