"""The columns of inventory files: their names in English and Chinese, and what a cell may hold."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum

from hub.domain.assets import Direction, Light, PositionType, PtzType, Purpose, Room
from hub.domain.devices import DeviceKind, Registration

# The limits of the API's own forms, so that a file is no way round them.
NAME_CHARACTERS = 128
PASSWORD_CHARACTERS = 256
ADDRESS_CHARACTERS = 2048

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CODE = re.compile(r"[^\s\x00-\x1f\x7f]{1,64}\Z")
_AREA_CODE = re.compile(r"[A-Za-z0-9_]{1,64}\Z")
# What a spreadsheet makes of a number with more than 15 digits.
_ROUNDED = re.compile(r"\d(\.\d+)?[eE]\+?\d+\Z")
_MAC = re.compile(r"[0-9a-f]{12}\Z")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ][\d:.]+Z?)?\Z")
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,20})?\Z")

Parse = Callable[[str], object]
"""Turns a cell that is not empty into its value; raises ValueError with a sentence."""


class Part(Enum):
    """Where the content of a column is kept."""

    LINK = "connections"
    DEVICE = "devices"
    RECORD = "asset_records"
    SHOWN = "not imported"  # an export writes it, an import takes no notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: ``chinese`` are its other headings, the first the one that exports write."""

    name: str
    chinese: tuple[str, ...]
    part: Part
    parse: Parse


def parse_text(most: int, *, may_break: bool = False) -> Parse:
    """Text without control characters, of at most so many characters."""
    refused = _CONTROL_BUT_LINES if may_break else _CONTROL

    def parse(cell: str) -> str:
        text = cell.replace("\r\n", "\n") if may_break else cell
        if len(text) > most or refused.search(text):
            msg = f"has at most {most} characters, and no line breaks or control characters"
            raise ValueError(msg)
        return text

    return parse


def parse_number(low: float, high: float) -> Parse:
    """A decimal number within bounds."""

    def parse(cell: str) -> float:
        text = _plain(cell)
        if not _NUMBER.match(text) or not low <= float(text) <= high:
            msg = f"is no number from {low:g} to {high:g}"
            raise ValueError(msg)
        return float(text)

    return parse


def parse_whole(low: int, high: int) -> Parse:
    """A whole number within bounds."""

    def parse(cell: str) -> int:
        text = _plain(cell)
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            msg = f"is no whole number from {low} to {high}"
            raise ValueError(msg)
        return int(text)

    return parse


def parse_word(
    kind: type[StrEnum], chinese: str, numbers: Mapping[int, str] | None = None
) -> Parse:
    """One word of a list, in English, in Chinese (``chinese``, in the same order) or by number."""
    words = dict(zip(chinese.split(), kind, strict=True))
    words |= {member.value: member for member in kind}
    if numbers is not None:
        words |= {str(number): kind(word) for number, word in numbers.items()}

    def parse(cell: str) -> StrEnum:
        found = words.get(_plain(cell).lower())
        if found is None:
            msg = f"is none of {', '.join(kind)}"
            raise ValueError(msg)
        return found

    return parse


def parse_code(cell: str) -> str:
    """A code: text, though it looks like a number."""
    if _ROUNDED.match(cell):
        msg = "was rounded by the spreadsheet: format the column as text and enter it again"
        raise ValueError(msg)
    if not _CODE.match(cell):
        msg = "is at most 64 characters without spaces"
        raise ValueError(msg)
    return cell


def parse_area_code(cell: str) -> str:
    """The code of an area, as the area tree takes it."""
    if not _AREA_CODE.match(parse_code(cell)):
        msg = "is 1 to 64 letters, digits and underscores, like 330402001"
        raise ValueError(msg)
    return cell


def parse_mac(cell: str) -> str:
    """A hardware address in any of its usual forms."""
    text = re.sub(r"[:.\-]", "", _plain(cell).lower())
    if not _MAC.match(text):
        msg = "is no hardware address like 44:19:b6:00:12:ab"
        raise ValueError(msg)
    return ":".join(text[at : at + 2] for at in range(0, 12, 2))


def parse_day(cell: str) -> date:
    """A day: 2024-05-17, 2024/5/17 or 2024年5月17日."""
    match = _DAY.match(_plain(cell))
    try:
        if match is not None:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    msg = "is no day like 2024-05-17"
    raise ValueError(msg)


def _plain(cell: str) -> str:
    """Wide digits and letters, as Chinese keyboards make them, as plain ones."""
    return unicodedata.normalize("NFKC", cell)


def _numbered(kind: type[StrEnum]) -> Mapping[int, str]:
    """The numbers of GB/T 28181, A.2.1: the words stand in their order."""
    return dict(enumerate(kind, start=1))


_LIGHTS = {1: "none", 2: "infrared", 3: "white", 4: "laser", 9: "other"}
_KINDS = "摄像机 录像机 传感器 网关 音箱 交换机 光猫 上联 其他"
_POSITIONS = (
    "省际检查站 党政机关 车站码头 中心广场 体育场馆"
    " 商业中心 宗教场所 校园周边 治安复杂区域 交通干线"
)
_name = parse_text(NAME_CHARACTERS)


def _column(name: str, chinese: str, part: Part, parse: Parse = _name) -> Column:
    return Column(name=name, chinese=tuple(chinese.split()), part=part, parse=parse)


DEVICE_COLUMNS: tuple[Column, ...] = (
    _column("code", "设备编码 设备编号 国标编码 编码", Part.DEVICE, parse_code),
    _column("name", "名称 设备名称", Part.DEVICE),
    _column("area", "所属区划 区划代码 行政区域 区域编码 所属区域", Part.DEVICE, parse_text(64)),
    _column("protocol", "接入协议 协议", Part.LINK, parse_text(32)),
    _column("address", "接入地址 连接地址", Part.LINK, parse_text(ADDRESS_CHARACTERS)),
    _column("device", "设备标识", Part.LINK),
    _column("username", "用户名 账号", Part.LINK),
    _column("password", "密码 口令", Part.LINK, parse_text(PASSWORD_CHARACTERS)),
    _column("options", "接入参数", Part.LINK, parse_text(4096, may_break=True)),
    _column("kind", "设备类型", Part.DEVICE, parse_word(DeviceKind, _KINDS)),
    _column("class", "设备类别 类别", Part.DEVICE, parse_text(64)),
    _column("team", "维护单位 运维单位", Part.DEVICE),
    _column("place", "安装地址 安装位置", Part.DEVICE, parse_text(256)),
    _column("parent", "上级设备 父设备", Part.DEVICE, parse_text(ADDRESS_CHARACTERS)),
    _column("manufacturer", "厂商 设备厂商 制造商 生产厂家", Part.DEVICE),
    _column("model", "型号 设备型号", Part.DEVICE),
    _column("serial", "序列号", Part.DEVICE),
    _column("firmware", "固件版本 固件", Part.DEVICE),
    _column("mac", "MAC地址 物理地址", Part.RECORD, parse_mac),
    _column("port", "端口 端口号", Part.RECORD, parse_whole(1, 65_535)),
    _column("longitude", "经度", Part.RECORD, parse_number(-180, 180)),
    _column("latitude", "纬度", Part.RECORD, parse_number(-90, 90)),
    _column(
        "ptz_type", "摄像机类型 云台类型", Part.RECORD,
        parse_word(PtzType, "球机 半球 固定枪机 遥控枪机", _numbered(PtzType)),
    ),
    _column(
        "position_type", "位置类型", Part.RECORD,
        parse_word(PositionType, _POSITIONS, _numbered(PositionType)),
    ),
    _column("room", "室内外 安装环境", Part.RECORD, parse_word(Room, "室外 室内", _numbered(Room))),
    _column(
        "purpose", "用途 用途属性", Part.RECORD,
        parse_word(Purpose, "治安 交通 重点", _numbered(Purpose)),
    ),
    _column(
        "light", "补光 补光属性", Part.RECORD,
        parse_word(Light, "无补光 红外补光 白光补光 激光补光 其他", _LIGHTS),
    ),
    _column(
        "direction", "方位 监视方位", Part.RECORD,
        parse_word(Direction, "东 西 南 北 东南 东北 西南 西北", _numbered(Direction)),
    ),
    _column("resolution", "分辨率", Part.RECORD, parse_text(64)),
    _column("mount_height_m", "安装高度 安装高度(米)", Part.RECORD, parse_number(0, 1000)),
    _column("installed_on", "安装日期 安装时间", Part.RECORD, parse_day),
    _column("warranty_until", "质保到期 保修到期", Part.RECORD, parse_day),
    _column("owner", "所属单位 产权单位", Part.RECORD),
    _column("notes", "备注", Part.RECORD, parse_text(1000, may_break=True)),
    _column(
        "registration", "登记状态", Part.DEVICE,
        parse_word(Registration, "待批准 已批准 已停用"),
    ),
    _column("status", "状态", Part.SHOWN),
    _column("since", "状态起始", Part.SHOWN),
    _column("layer", "故障层", Part.SHOWN),
)  # fmt: skip

AREA_COLUMNS: tuple[Column, ...] = (
    _column("code", "区划代码 区域编码 编码", Part.DEVICE, parse_area_code),
    _column("name", "区域名称 名称", Part.DEVICE),
    _column("parent", "上级区划 上级区域", Part.DEVICE, parse_text(64)),
)
