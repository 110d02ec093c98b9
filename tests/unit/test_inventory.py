"""Device files: which are read, which are refused, and what a spreadsheet may do with ours."""

import io
from pathlib import Path

import pytest

from hub.domain.errors import ConfigError
from hub.main.inventory import EXPORTED, FORMULA_STARTS, neutralise, read_lines, write_rows

HEADER = "name,protocol,address,area,username,password,options"


def written(folder: Path, content: bytes) -> Path:
    file = folder / "devices.csv"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\r\n东门,onvif,http://a/,330402,,,\r\n".encode("utf-8-sig"),
        f"{HEADER},,\n东门,onvif,http://a/,330402,,,,,\n".encode(),
        "Area, NAME ,Address,Protocol\n330402, 东门 ,http://a/,onvif\n".encode(),
        f"{HEADER}\n\n,,,\n东门,onvif,http://a/,330402\n".encode(),
    ],
    ids=["byte order mark", "empty columns at the end", "order and case", "short and empty rows"],
)
def test_a_good_file_is_read(tmp_path: Path, content: bytes) -> None:
    (line,) = read_lines(written(tmp_path, content))
    asked = ("name", "protocol", "address", "area")
    assert [line.cells[key] for key in asked] == ["东门", "onvif", "http://a/", "330402"]
    assert not line.has_surplus


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "lacks name, protocol, address, area"),
        (b"name;protocol;address;area\n", "lacks name"),
        (f"{HEADER},colour\n".encode(), "colour"),
        (b"name,protocol,address,area,name\n", "name twice"),
        (b"name,,protocol,address,area\n", r"not known: \(empty\)"),
        (f"{HEADER}\n".encode("utf-16"), "CSV UTF-8"),
        (f"{HEADER}\n东门\n".encode("gb18030"), "CSV UTF-8"),
        (f"{HEADER}\n{'x' * 200_000}\n".encode(), "no CSV file"),
    ],
)
def test_another_file_is_refused_whole(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_lines(written(tmp_path, content))
    assert "devices.csv" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.csv: No such file"):
        read_lines(tmp_path / "nowhere.csv")


def test_lines_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    content = f'{HEADER}\n"two\nlines",onvif,http://a/,1,,,\n\nfive,rtsp,rtsp://b/,1,,,,surplus\n'
    lines = read_lines(written(tmp_path, content.encode()))
    assert [(line.number, line.has_surplus) for line in lines] == [(2, False), (5, True)]


def test_a_password_is_taken_as_it_stands(tmp_path: Path) -> None:
    content = f"{HEADER}\n'=a,onvif,http://a/,1,'-u,\"'= x \",\n".encode()
    (line,) = read_lines(written(tmp_path, content))
    assert line.cells["password"] == "'= x "
    assert (line.cells["name"], line.cells["username"]) == ("=a", "-u")


@pytest.mark.threat("T34")
@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_begins_a_formula(start: str) -> None:
    out = io.StringIO()
    write_rows(out, [dict.fromkeys(EXPORTED, f"{start}HYPERLINK(1)")])
    row = out.getvalue().split("\r\n", 1)[1]
    assert row.count(f"'{start}HYPERLINK(1)") == len(EXPORTED)
    assert neutralise("东门 - east") == "东门 - east"
