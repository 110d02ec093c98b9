"""Inventory files: which are read, and what is wrong with a line before any database is asked."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.onvif.adapter import DEVICE_KEY as ONVIF_KEY
from adapters.rtsp.adapter import DEVICE_KEY as RTSP_KEY
from adapters.uplink.adapter import DEVICE_KEY as UPLINK_KEY
from hub.domain.addresses import PROTOCOL_SCHEMES
from hub.domain.assets import AssetRecord
from hub.domain.errors import Invalid
from hub.main.adapters import parse_connection
from hub.maintenance.inventory import REQUIRED, UNLESS
from hub.maintenance.inventory_columns import AREA_COLUMNS, DEVICE_COLUMNS, Column, Part
from hub.maintenance.inventory_rows import BROKER, DEVICE_KEYS, DeviceRow, RowReader
from hub.maintenance.inventory_table import BadLine, Source, Table, open_table
from hub.runtime.sheets import SheetKind, write_sheet
from hub.store import exports

HEADER = "name,protocol,address,area,username,password,options"
CHINESE = "名称,接入协议,接入地址,所属区划,经度,纬度,方位"


def table(content: bytes | str) -> Table:
    raw = content.encode() if isinstance(content, str) else content
    source = Source(stream=io.BytesIO(raw), kind=SheetKind.CSV, name="devices.csv")
    return open_table(source, DEVICE_COLUMNS, REQUIRED, unless=UNLESS)


def read(content: str) -> list[DeviceRow | list[BadLine]]:
    opened = table(content)
    reader = RowReader(opened, parse_connection)
    return [reader.read(line) for line in opened.lines]


def one_row(header: str, line: str) -> DeviceRow:
    (row,) = read(f"{header}\n{line}\n")
    assert isinstance(row, DeviceRow), row
    return row


def faults(header: str, line: str) -> dict[str, str]:
    (bad,) = read(f"{header}\n{line}\n")
    assert isinstance(bad, list), bad
    assert {one.line for one in bad} == {2}
    return {one.column: one.reason for one in bad}


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\r\n东门,onvif,http://a/,330402,,,\r\n".encode("utf-8-sig"),
        f"{HEADER},,\n东门,onvif,http://a/,330402,,,,,\n".encode(),
        "Area, NAME ,Address,Protocol\n330402, 东门 ,http://a/,onvif\n".encode(),
        f"{HEADER}\n\n,,,\n东门,onvif,http://a/,330402\n".encode(),
        "所属区划,名称,接入地址,协议\n330402,东门,http://a/,onvif\n".encode("gb18030"),
        "所属区划,名称,接入地址,协议,状态\n330402,东门,http://a/,onvif,offline\n".encode(),
    ],
    ids=["byte order mark", "empty columns at the end", "order and case", "short and empty rows",
         "Chinese in Chinese code", "a column that only exports have"],
)  # fmt: skip
def test_a_good_file_is_read(content: bytes) -> None:
    (line,) = table(content).lines
    asked = ("name", "protocol", "address", "area")
    assert [line.cells[key] for key in asked] == ["东门", "onvif", "http://a/", "330402"]
    assert not line.has_surplus


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "lacks name, protocol, address, area"),
        (b"name;protocol;address;area\n", "lacks name"),
        (b"name,protocol,area\n", "lacks address"),
        (f"{HEADER},colour\n".encode(), "not known: colour"),
        (b"name,protocol,address,area,name\n", "name twice"),
        ("name,protocol,address,area,设备名称\n".encode(), "name twice"),
        (b"name,,protocol,address,area\n", r"not known: \(empty\)"),
        (f"{HEADER}\n".encode("utf-16"), "CSV UTF-8"),
    ],
)
def test_another_file_is_refused_whole(content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        table(content)
    assert caught.value.field == "file"


def test_a_file_of_codes_needs_no_other_column() -> None:
    row = one_row("code,经度,纬度", "33040200001320000001,120.75,30.7466")
    assert (row.code, row.protocol, row.record["longitude"]) == ("33040200001320000001", "", 120.75)


def test_a_password_is_taken_as_it_stands() -> None:
    row = one_row(HEADER, "'=a,onvif,http://a/,1,'-u,\"'= x \",")
    assert row.password.reveal() == "'= x "
    assert (row.name, row.username) == ("=a", "-u")
    assert "'= x" not in repr(row)


# line after the header, column as the file calls it, part of the reason
BAD_LINKS = [
    ("a,onvif,exec:/bin/sh,1,,,", "address", "not an address"),
    ("b,rtsp,file:///etc/passwd,1,,,", "address", "refused"),
    ("c,rtsp,-i http://10.1.0.9/,1,,,", "address", "no spaces"),
    ("c,rtsp,pipe:1,1,,,", "address", "not an address"),
    ("c,rtsp,concat:a|b,1,,,", "address", "not an address"),
    ('c,rtsp,"rtsp://10.1.0.9/\nx",1,,,', "address", "line breaks"),
    ("d,onvif,rtsp://10.1.0.9/,1,,,", "address", "use http, https"),
    ("e,gopher,http://10.1.0.9/,1,,,", "protocol", "use onvif, rtsp, mqtt, uplink"),
    ("e,,http://10.1.0.9/,1,,,", "protocol", "is empty"),
    ("e,onvif,,1,,,", "address", "is empty"),
    ("g,onvif,http://10.1.0.9/,1,,,not json", "options", "JSON object"),
    ("g,onvif,http://10.1.0.9/,1,,,[1]", "options", "JSON object"),
    ("g,onvif,http://10.1.0.9/,1,,," + "[" * 3000, "options", "JSON object"),
    ('h,onvif,http://10.1.0.9/,1,,,"{""evnts"": 1}"', "options", "evnts"),
    (f"{'n' * 129},onvif,http://10.1.0.9/,1,,,", "name", "128"),
    ('"a\tb",onvif,http://10.1.0.9/,1,,,', "name", "control characters"),
    (f"a,onvif,http://10.1.0.9/,1,,{'p' * 257},", "password", "256"),
    (f"a,onvif,http://10.1.0.9/,1,{'u' * 129},,", "username", "128"),
    ("i, with comma,onvif,http://10.1.0.9/,1,u,p,{}", "-", "double quotes"),
]


@pytest.mark.threat("T3")
@pytest.mark.threat("T12")
@pytest.mark.parametrize(("line", "column", "reason"), BAD_LINKS)
def test_a_bad_link_is_named_with_its_column(line: str, column: str, reason: str) -> None:
    assert reason in faults(HEADER, line)[column]


BAD_CELLS = [
    ("code", "3.30402E+19", "was rounded by the spreadsheet"),
    ("code", "with blank", "without spaces"),
    ("设备类型", "spaceship", "is none of camera"),
    ("mac", "44:19:b6", "hardware address"),
    ("端口", "65536", "whole number from 1 to 65535"),
    ("port", "1.5", "whole number"),
    ("经度", "181", "number from -180 to 180"),
    ("longitude", "nan", "no number"),
    ("longitude", "1e2", "no number"),
    ("latitude", "N30", "no number"),
    ("ptz_type", "5", "ptz_dome"),
    ("position_type", "11", "checkpoint"),
    ("room", "0", "outdoor, indoor"),
    ("补光", "5", "infrared"),
    ("direction", "up", "northwest"),
    ("mount_height_m", "-1", "from 0 to 1000"),
    ("安装日期", "2024-02-30", "no day like"),
    ("installed_on", "17.05.24", "no day like"),
    ("registration", "maybe", "pending, approved, retired"),
    ("place", "x" * 257, "256"),
    ("notes", "x" * 1001, "1000"),
    ("device", "a/b", "parts of a path"),
]


@pytest.mark.parametrize(("column", "cell", "reason"), BAD_CELLS)
def test_a_bad_cell_is_named_with_its_column(column: str, cell: str, reason: str) -> None:
    header = f"name,protocol,address,area,{column}"
    assert reason in faults(header, f"a,mqtt,mqtt://10.1.0.9/,1,{cell}")[column]


def test_every_fault_of_a_line_is_named_at_once() -> None:
    found = faults(CHINESE, "a,onvif,exec:x,1,200,100,up")
    assert list(found) == ["经度", "纬度", "方位", "接入地址"]


def test_coordinates_come_together() -> None:
    assert faults(CHINESE, "a,onvif,http://a/,1,120.5,,") == {
        "纬度": "is empty, though longitude is not"
    }


def test_a_broker_and_what_is_behind_it_have_rows_of_their_own() -> None:
    header = "name,protocol,address,area,device,password,mac"
    behind = faults(header, "a,mqtt,mqtt://10.1.0.9/,1,pump-1,secret,")
    assert "broker's own row" in behind["password"]
    hidden = faults(header, "a,mqtt,mqtt://hub:secret@10.1.0.9/,1,pump-1,,")
    assert "broker's own row" in hidden["address"]
    assert "secret" not in str(hidden)
    broker = faults(header, "a,mqtt,mqtt://10.1.0.9/,1,,secret,4419b60012ab")
    assert "name it in the column device" in broker["mac"]
    assert one_row(header, "a,mqtt,mqtt://10.1.0.9/,1,,secret,").is_broker
    assert one_row(header, "a,mqtt,mqtt://10.1.0.9/,1,pump-1,,4419b60012ab").key == "pump-1"


def test_options_say_of_which_protocol_they_are() -> None:
    assert "options" in faults("code,options", "1,{}")["protocol"]


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("room", "室内", "indoor"),
        ("room", "2", "indoor"),
        ("室内外", " Indoor ", "indoor"),
        ("ptz_type", "球机", "ptz_dome"),
        ("ptz_type", "\uff14", "ptz_bullet"),
        ("position_type", "10", "trunk_road"),
        ("purpose", "治安", "security"),
        ("light", "9", "other"),
        ("light", "红外补光", "infrared"),
        ("direction", "5", "southeast"),
        ("方位", "西北", "northwest"),
        ("mac", "44-19-B6-00-12-AB", "44:19:b6:00:12:ab"),
        ("mac", "4419.b600.12ab", "44:19:b6:00:12:ab"),
        ("installed_on", "2024年5月7日", date(2024, 5, 7)),
        ("installed_on", "2024/5/7", date(2024, 5, 7)),
        ("installed_on", "2024-05-07T00:00:00", date(2024, 5, 7)),
        ("mount_height_m", "\uff14\uff0e\uff15", 4.5),
        ("port", "554", 554),
        ("notes", "first\r\nsecond", "first\nsecond"),
    ],
)
def test_words_numbers_and_days_are_read_in_each_of_their_forms(
    column: str, cell: str, value: object
) -> None:
    row = one_row(f"code,{column}", f'1,"{cell}"')
    assert list(row.record.values()) == [value]


def refusal(column: Column, cell: str) -> str:
    try:
        column.parse(cell)
    except ValueError as error:
        return str(error)
    return "is good"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_cell_in_any_column_is_a_value_or_a_reason(cell: str) -> None:
    for column in (*DEVICE_COLUMNS, *AREA_COLUMNS):
        assert refusal(column, cell).startswith(("is ", "has ", "was "))


def test_columns_fit_what_is_exported_and_what_is_stored() -> None:
    names = [column.name for column in DEVICE_COLUMNS]
    assert set(exports.DEVICE_COLUMNS) == set(names) - {"password"}
    recorded = {column.name for column in DEVICE_COLUMNS if column.part is Part.RECORD}
    assert recorded == set(AssetRecord.__dataclass_fields__)
    headings = [h for column in DEVICE_COLUMNS for h in (column.name, *column.chinese)]
    assert len(set(headings)) == len(headings)


def test_protocols_are_those_of_the_adapters() -> None:
    assert dict(DEVICE_KEYS) == {"onvif": ONVIF_KEY, "rtsp": RTSP_KEY, "uplink": UPLINK_KEY}
    assert {*DEVICE_KEYS, BROKER} == set(PROTOCOL_SCHEMES)


@pytest.mark.threat("T34")
def test_names_that_look_like_formulas_come_back_from_a_file() -> None:
    file = io.BytesIO()
    names = ["=1+1", "'=1", "-x", "@a", "\uff1d1"]
    rows = [(name, "rtsp", f"rtsp://10.0.0.{n}/", "1") for n, name in enumerate(names)]
    write_sheet(file, SheetKind.CSV, ("name", "protocol", "address", "area"), rows)
    found = read(file.getvalue().decode())
    assert [row.name for row in found if isinstance(row, DeviceRow)] == names
