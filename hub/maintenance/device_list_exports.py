"""Writes a list of devices as it is shown: what a filter leaves, in the order asked for.

Lines are read a page at a time while the file is written in a thread, like the inventory; what a
person may not see is in no line.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from hub.domain.access import Scope
from hub.runtime.sheets import SheetKind, write_sheet
from hub.store.database import Database
from hub.store.device_lists import DeviceFilter, DeviceLine, list_lines
from hub.store.device_order import OrderKey, order_devices

PAGE_LINES: Final = 2_000

# What a column is called, in English and in Chinese; the field of a line is the English one.
COLUMNS: Final[Mapping[str, str]] = {
    "id": "编号",
    "name": "名称",
    "code": "编码",
    "status": "状态",
    "since": "状态开始时间",
    "layer": "故障层",
    "detail": "原因",
    "behind_name": "受影响的上级设备",
    "is_flapping": "频繁上下线",
    "area_name": "区域",
    "place": "安装位置",
    "kind": "类型",
    "device_class": "分类",
    "team": "维护单位",
    "manufacturer": "厂商",
    "model": "型号",
    "firmware": "固件版本",
    "address": "地址",
    "parent_name": "上级设备",
    "registration": "登记状态",
    "clock_offset_s": "时钟偏差(秒)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedList:
    """Which devices, in which order, under column names of which language."""

    filter: DeviceFilter
    by: OrderKey = OrderKey.NUMBER
    is_descending: bool = False
    is_chinese: bool = False


async def export_list(
    database: Database,
    scope: Scope,
    stream: BinaryIO,
    kind: SheetKind,
    wanted: WantedList,
) -> int:
    """Write the devices of a list; return how many there were."""
    async with database.transaction() as tx:
        order = await order_devices(
            tx, scope, wanted.filter, by=wanted.by, is_descending=wanted.is_descending
        )
    lines = _Lines(database, scope, order.numbers())
    columns = list(COLUMNS.values()) if wanted.is_chinese else list(COLUMNS)
    title = "设备" if wanted.is_chinese else "devices"
    await asyncio.to_thread(write_sheet, stream, kind, columns, lines.rows(), title=title)
    return lines.count


class _Lines:
    """The lines as rows, for a thread to take while the event loop reads on."""

    def __init__(self, database: Database, scope: Scope, ids: Sequence[int]) -> None:
        self._database = database
        self._scope = scope
        self._ids = ids
        self._loop = asyncio.get_running_loop()
        self.count = 0

    def rows(self) -> Iterator[Sequence[object]]:
        """Yield the rows; called in the thread."""
        for start in range(0, len(self._ids), PAGE_LINES):
            page = self._ids[start : start + PAGE_LINES]
            lines = asyncio.run_coroutine_threadsafe(self._read(page), self._loop).result()
            self.count += len(lines)
            for line in lines:
                yield [getattr(line, name) for name in COLUMNS]

    async def _read(self, ids: Sequence[int]) -> list[DeviceLine]:
        async with self._database.transaction() as tx:
            return await list_lines(tx, self._scope, ids)
