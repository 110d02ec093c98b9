"""Tables as files: what comes back, what a spreadsheet may do with ours, what is refused."""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import xlsxwriter  # type: ignore[import-untyped]  # the library ships no types
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from hub.maintenance.sheet_reader import Row, SheetLimits, csv_encoding, read_sheet
from hub.runtime.sheets import (
    FORMULA_STARTS,
    SheetKind,
    neutralise,
    sheet_kind,
    take_back,
    write_sheet,
)

COLUMNS = ("name", "value")
KINDS = list(SheetKind)
# What XML 1.0 can hold; a device's name may be anything of it.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=40
)


def written(kind: SheetKind, *rows: Sequence[object], title: str = "") -> io.BytesIO:
    file = io.BytesIO()
    write_sheet(file, kind, COLUMNS, rows, title=title)
    return file


def read(file: io.BytesIO, kind: SheetKind, limits: SheetLimits | None = None) -> list[Row]:
    return list(read_sheet(file, kind, limits or SheetLimits()))


def cells(file: io.BytesIO, kind: SheetKind) -> list[tuple[str, ...]]:
    """Without the header."""
    return [row.cells for row in read(file, kind)[1:]]


@pytest.mark.parametrize("kind", KINDS)
def test_values_come_back_as_text(kind: SheetKind) -> None:
    at = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    file = written(
        kind, ("东门", 1.5), (None, -3), (True, at), (date(2024, 5, 17), Decimal("0.25")),
        ("33040200001320000001", 10**19), (float("nan"), ""), title="设备: [a/b]*?",
    )  # fmt: skip
    assert [row.number for row in read(file, kind)] == [1, 2, 3, 4, 5, 6, 7]
    assert cells(file, kind) == [
        ("东门", "1.5"), ("", "-3"), ("true", "2026-11-22T01:02:03Z"), ("2024-05-17", "0.25"),
        ("33040200001320000001", "10000000000000000000"), ("nan", ""),
    ]  # fmt: skip


@pytest.mark.threat("T34")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_begins_a_formula(kind: SheetKind, start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    file = written(kind, (evil, f"'{evil}"))
    assert [tuple(map(take_back, row)) for row in cells(file, kind)] == [(evil, f"'{evil}")]
    (row,) = cells(file, kind)
    assert not any(cell.startswith(FORMULA_STARTS) for cell in row)
    if kind is SheetKind.XLSX:
        with zipfile.ZipFile(file) as archive:
            assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.threat("T34")
@given(TEXT)
def test_what_was_quoted_is_taken_back_exactly(text: str) -> None:
    assert take_back(neutralise(text)) == text
    assert not neutralise(text).startswith(FORMULA_STARTS)


@pytest.mark.threat("T34")
@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_any_text_comes_back_from_csv(rows: list[tuple[str, str]]) -> None:
    file = written(SheetKind.CSV, *rows)
    wanted = [row for row in rows if any(neutralise(cell).strip() for cell in row)]
    assert [tuple(map(take_back, row)) for row in cells(file, SheetKind.CSV)] == wanted


@pytest.mark.threat("T34")
def test_any_text_comes_back_from_xlsx() -> None:
    names = ["_x0041_", "a\tb\nc", " blanks ", "\x01\x02", "<b>&amp;", "{{7*7}}", "'=1", "😀"]
    file = written(SheetKind.XLSX, *((name, "x") for name in names))
    assert [take_back(row[0]) for row in cells(file, SheetKind.XLSX)] == names


def test_what_is_typed_over_text_in_a_workbook_stays_text() -> None:
    with zipfile.ZipFile(written(SheetKind.XLSX, ("33040200001320000001", 1))) as archive:
        styles = archive.read("xl/styles.xml").decode()
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert 'numFmtId="49"' in styles  # "@", text
    assert '<col min="1" max="2" width="16.7109375" style=' in sheet


def test_csv_begins_with_a_byte_order_mark_and_chinese_excel_may_answer_in_its_own_code() -> None:
    file = written(SheetKind.CSV, ("东门", 1))
    assert file.getvalue().startswith(b"\xef\xbb\xbf")
    assert csv_encoding(file) == "utf-8-sig"
    back = io.BytesIO(file.getvalue().decode("utf-8-sig").encode("gb18030"))
    assert csv_encoding(back) == "gb18030"
    assert cells(back, SheetKind.CSV) == [("东门", "1")]


def test_lines_are_numbered_as_an_editor_or_a_spreadsheet_does() -> None:
    file = io.BytesIO(b'a,b\r\n"two\r\nlines",1\r\n\r\n , \r\nsix,2\r\n')
    found = [(row.number, row.cells[0]) for row in read(file, SheetKind.CSV)]
    assert found == [(1, "a"), (2, "two\r\nlines"), (6, "six")]
    book = io.BytesIO()
    with xlsxwriter.Workbook(book) as workbook:
        workbook.add_worksheet("hidden").hide()
        sheet = workbook.add_worksheet("devices")
        sheet.activate()
        sheet.write_row(2, 1, ["a", "b"])
        sheet.write_row(5, 1, ["six", 3.0])
    found_rows = [(row.number, row.cells) for row in read(book, SheetKind.XLSX)]
    assert found_rows == [(3, ("a", "b")), (6, ("six", "3"))]


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        ("a,b\n".encode("utf-16"), SheetKind.CSV, "CSV UTF-8"),
        (b"a,\xff\xff\n", SheetKind.CSV, "CSV UTF-8"),
        (b"a\n" + b"x" * 200_000, SheetKind.CSV, "no CSV file"),
        (b"a\n" + b"x" * 40_000, SheetKind.CSV, "cell of more than 32767"),
        (b"a" + b"," * 200, SheetKind.CSV, "more than 128 columns in line 1"),
        (b"a,b\n", SheetKind.XLSX, "no XLSX workbook"),
        (b"", SheetKind.XLSX, "no XLSX workbook"),
        (b"PK\x05\x06" + bytes(18), SheetKind.XLSX, "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), SheetKind.XLSX, "no XLSX workbook"),
    ],
)
def test_another_file_is_refused(content: bytes, kind: SheetKind, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        read(io.BytesIO(content), kind)
    assert caught.value.field == "file"


@pytest.mark.parametrize("kind", KINDS)
def test_rows_columns_and_bytes_are_limited(kind: SheetKind) -> None:
    file = written(kind, *(("x", number) for number in range(10)))
    assert len(read(file, kind, SheetLimits(rows=11))) == 11
    for limits, said in (
        (SheetLimits(rows=10), "more than 10 rows"),
        (SheetLimits(columns=1), "more than 1 columns"),
        (SheetLimits(file_bytes=20), "larger than"),
    ):
        with pytest.raises(Invalid, match=said):
            read(file, kind, limits)


def repacked(file: io.BytesIO, old: bytes, new: bytes) -> io.BytesIO:
    """The same workbook with something else in its sheet."""
    out = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as sink:
        for name in source.namelist():
            part = source.read(name)
            sink.writestr(name, part.replace(old, new) if "sheet1" in name else part)
    return out


@pytest.mark.threat("T27")
def test_a_workbook_that_asks_for_all_memory_ends_its_reader_only() -> None:
    # 16,384 columns by 1,048,576 rows: 550 GB for the library, which then ends its process.
    file = repacked(written(SheetKind.XLSX, ("x", 1)), b'r="B2"', b'r="XFD1048576"')
    with pytest.raises(Invalid, match=r"larger than it looks|more than 128 columns"):
        read(file, SheetKind.XLSX)


@pytest.mark.threat("T27")
def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as sink:
        sink.writestr("xl/worksheets/sheet1.xml", bytes(3 << 20))
    with pytest.raises(Invalid, match="unpacks to more than 2 MiB"):
        read(out, SheetKind.XLSX, SheetLimits(unpacked_bytes=2 << 20))


BOOK = written(SheetKind.XLSX, ("东门", 1), ("西门", 2)).getvalue()


def refusal(content: bytes, kind: SheetKind) -> str:
    """Which part of the request is refused; "" when there are rows."""
    try:
        rows = read(io.BytesIO(content), kind)
    except Invalid as error:
        return error.field
    return "" if all(isinstance(cell, str) for row in rows for cell in row.cells) else "no text"


@pytest.mark.threat("K8")
@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_refused_as_csv(content: bytes) -> None:
    assert refusal(content, SheetKind.CSV) in {"", "file"}


@pytest.mark.threat("K8")
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_workbook_with_damaged_bytes_is_rows_or_refused(data: st.DataObject) -> None:
    content = bytearray(BOOK)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    assert refusal(bytes(content), SheetKind.XLSX) in {"", "file"}


def test_the_kind_is_the_ending_of_the_name() -> None:
    assert sheet_kind("设备.XLSX") is SheetKind.XLSX
    assert sheet_kind("a.b.csv") is SheetKind.CSV
    with pytest.raises(Invalid, match=r"\.csv or \.xlsx"):
        sheet_kind("devices.xls")
