"""Folders of pictures of which people said what is wrong with them: read, and written.

A folder is labelled by ``labels.json`` (as `gengfu quality export` writes it), else by
``labels.csv`` (file, index, is_fault), else by the names of the folders in it: an index, or "good".
Nothing outside the folder is ever read, whatever a label names.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.domain.errors import Invalid
from hub.domain.quality import MAX_SCORE, Index
from hub.maintenance.pictures.evaluating import GOOD
from hub.runtime.files import write_whole

JSON_FILE: Final = "labels.json"
CSV_FILE: Final = "labels.csv"
PICTURE_ENDINGS: Final = frozenset({".jpg", ".jpeg"})
# A county's year of remarks is a tenth of it.
MOST_LABEL_BYTES: Final = 64 * 1024 * 1024

_ANSWERS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_WELL: Final = dict.fromkeys(Index, False)


class _Picture(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    file: str
    labels: Mapping[str, bool]
    scores: Mapping[str, Annotated[float, Field(ge=0, le=MAX_SCORE)]] = {}


class _Labels(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    pictures: Sequence[_Picture]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPicture:
    """One picture of a set: where it is, and what people said of its indices.

    ``scores`` are those the hub had given when they said it, where they are known.
    """

    name: str
    path: Path
    said: Mapping[Index, bool]
    scores: Mapping[Index, float] = field(default_factory=dict)


def read_labelled(folder: Path) -> list[LabelledPicture]:
    """Read what is labelled in a folder, by name.

    Raises:
        Invalid: nothing is, or a label makes no sense; it says which.
        OSError: the folder cannot be read.
    """
    scores: Mapping[str, Mapping[Index, float]] = {}
    if (folder / JSON_FILE).exists():
        document = _parse_labels(_read(folder / JSON_FILE))
        rows = _json_rows(document)
        scores = {one.file: _known(one.scores) for one in document.pictures}
    elif (folder / CSV_FILE).exists():
        rows = _csv_rows(_read(folder / CSV_FILE))
    else:
        rows = _folder_rows(folder)
    said: dict[str, dict[Index, bool]] = {}
    for name, label, is_fault in rows:
        said.setdefault(name, {}).update(_read_label(name, label, is_fault=is_fault))
    if not said:
        msg = (
            f"{folder} holds neither {JSON_FILE} nor {CSV_FILE}, nor pictures in folders named"
            f" {GOOD} or after an index: {', '.join(Index)}"
        )
        raise Invalid(msg)
    return [
        LabelledPicture(
            name=name, path=_inside(folder, name), said=said[name], scores=scores.get(name, {})
        )
        for name in sorted(said)
    ]


def list_pictures(folder: Path) -> list[Path]:
    """The JPEG files of a folder and of the folders in it, by name; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURE_ENDINGS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def write_labels(folder: Path, pictures: Sequence[Mapping[str, object]]) -> None:
    """Write ``labels.json``; each picture has at least ``file`` and ``labels``."""
    text = json.dumps({"pictures": pictures}, ensure_ascii=False, indent=1)
    write_whole(folder / JSON_FILE, text.encode())


def _read(path: Path) -> str:
    size = path.stat().st_size
    if size > MOST_LABEL_BYTES:
        msg = f"{path} of {size} bytes is no list of labels"
        raise Invalid(msg)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        msg = f"{path} is not UTF-8"
        raise Invalid(msg) from None


def _parse_labels(text: str) -> _Labels:
    try:
        return _Labels.model_validate_json(text)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        msg = (
            f"{JSON_FILE} cannot be read at {where or 'its beginning'}: it holds"
            ' {"pictures": [{"file": "1.jpg", "labels": {"blur": true}}]}'
        )
        raise Invalid(msg) from None


def _json_rows(document: _Labels) -> Iterator[tuple[str, str, bool]]:
    for picture in document.pictures:
        for label, is_fault in picture.labels.items():
            yield picture.file, label, is_fault


def _known(scores: Mapping[str, float]) -> dict[Index, float]:
    return {index: scores[index.value] for index in Index if index.value in scores}


def _csv_rows(text: str) -> Iterator[tuple[str, str, bool]]:
    rows = csv.DictReader(io.StringIO(text))
    try:
        for row in rows:
            yield row["file"], row["index"], _ANSWERS[(row["is_fault"] or "").strip().lower()]
    except (KeyError, csv.Error):
        msg = f"{CSV_FILE}, line {rows.line_num}: expected file,index,is_fault (true or false)"
        raise Invalid(msg) from None


def _folder_rows(folder: Path) -> Iterator[tuple[str, str, bool]]:
    for label in (GOOD, *Index):
        for path in list_pictures(folder / label):
            yield path.relative_to(folder).as_posix(), label, True


def _read_label(name: str, label: str, *, is_fault: bool) -> Mapping[Index, bool]:
    if label == GOOD:
        return _WELL if is_fault else {}
    try:
        return {Index(label): is_fault}
    except ValueError:
        msg = f"{name} is labelled {label!r}: there is {GOOD}, {', '.join(Index)}"
        raise Invalid(msg) from None


def _inside(folder: Path, name: str) -> Path:
    root = folder.resolve()
    try:
        path = (root / name).resolve()
    except (ValueError, OSError):  # a NUL, a loop of links
        path = Path("/")
    if not name or not path.is_relative_to(root):
        msg = f"the label of {name!r} names no file in {folder}"
        raise Invalid(msg)
    return path
