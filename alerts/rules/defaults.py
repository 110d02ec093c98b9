"""What a new hub starts with: rules about everything a duty room must hear of at once, holidays.

The rules name no receivers: routes and policies say who is told.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.calendars import Holiday
from hub.domain.conditions import (
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventOfKind,
    PointBeyond,
)
from hub.domain.devices import DeviceKind
from hub.domain.events import Severity
from hub.domain.health import Layer
from hub.store.database import Transaction
from hub.store.default_rules import note_new
from hub.store.holidays import all_holidays, set_year
from hub.store.rules import add_rule

HOUR_S = 3600.0
WATCHERS: Final = (DeviceKind.CAMERA, DeviceKind.NVR)


def _of_point(kind: str, *, clear_kind: str) -> EventOfKind:
    """Every point of a device is a subject of its own."""
    return EventOfKind(kind=kind, clear_kind=clear_kind, distinguish_by="point")


# A device is offline only once a second probe confirmed it: no further wait is needed.
DEFAULTS: Final[tuple[tuple[str, Condition, Severity], ...]] = (
    ("Camera offline 摄像机离线", DeviceOffline(device_kinds=WATCHERS), Severity.CRITICAL),
    (
        "Camera degraded 摄像机异常",
        DeviceDegraded(
            layers=(
                Layer.CREDENTIALS,
                Layer.STREAM,
                Layer.FRAMES,
                Layer.RECORDING,
                Layer.CLOCK,
            ),
            for_s=300.0,
            device_kinds=WATCHERS,
        ),
        Severity.WARNING,
    ),
    (
        "Picture faulty 画面异常",
        DeviceDegraded(layers=(Layer.PICTURE,), device_kinds=WATCHERS),
        Severity.WARNING,
    ),
    (
        "Device offline 设备离线",
        DeviceOffline(device_kinds=tuple(k for k in DeviceKind if k not in WATCHERS)),
        Severity.WARNING,
    ),
    (
        "Patrol round missed 漏巡",
        EventOfKind(kind="patrol.round_missed", distinguish_by="plan", auto_clear_s=12 * HOUR_S),
        Severity.CRITICAL,
    ),
    (
        "Patrol round unattended 巡查无人值守",
        EventOfKind(
            kind="patrol.round_unattended", distinguish_by="round", auto_clear_s=12 * HOUR_S
        ),
        Severity.CRITICAL,
    ),
    # It is open until a supervisor signs the report: routes bring it to their desks.
    (
        "Patrol report to sign 巡查报告待签",
        EventOfKind(
            kind="patrol.report_ready",
            clear_kind="patrol.report_signed",
            distinguish_by="report",
            auto_clear_s=7 * 24 * HOUR_S,
        ),
        Severity.INFO,
    ),
    (
        "Duty room silent 值班室无人应答",
        EventOfKind(
            kind="roll_call.unanswered",
            clear_kind="roll_call.answered",
            distinguish_by="call",
            auto_clear_s=12 * HOUR_S,
        ),
        Severity.WARNING,
    ),
    (
        "Task overdue 任务超时",
        EventOfKind(
            kind="dispatch.overdue", clear_kind="dispatch.on_time", distinguish_by="dispatch"
        ),
        Severity.CRITICAL,
    ),
    (
        "Signal lost 视频丢失",
        EventOfKind(kind="signal.lost", clear_kind="signal.restored", auto_clear_s=24 * HOUR_S),
        Severity.CRITICAL,
    ),
    (
        "Battery low 电量低",
        PointBeyond(point="battery", direction=Direction.BELOW, threshold=20.0, clear=25.0),
        Severity.WARNING,
    ),
    # In dBm; what is told as a percentage or as LQI never lies so low.
    (
        "Weak signal 信号弱",
        PointBeyond(
            point="signal", direction=Direction.BELOW, threshold=-90.0, clear=-85.0, for_s=300.0
        ),
        Severity.WARNING,
    ),
    (
        "Sensor value out of range 传感器数值越界",
        _of_point("point.out_of_range", clear_kind="point.in_range"),
        Severity.WARNING,
    ),
    (
        "Sensor value stuck 传感器数值不变",
        _of_point("point.stuck", clear_kind="point.moving"),
        Severity.WARNING,
    ),
    (
        "Sensor silent 传感器无数据",
        _of_point("point.silent", clear_kind="point.heard"),
        Severity.WARNING,
    ),
    (
        "Broker link lost 接入链路中断",
        EventOfKind(kind="link.lost", clear_kind="link.restored", distinguish_by="connection"),
        Severity.CRITICAL,
    ),
    (
        "Device flapping 设备时好时坏",
        EventOfKind(kind="device.flapping", clear_kind="device.steady"),
        Severity.WARNING,
    ),
    (
        "Certificate expiring 证书即将过期",
        EventOfKind(kind="certificate.expiring", clear_kind="certificate.renewed"),
        Severity.WARNING,
    ),
    (
        "Notification channel dead 通知通道中断",
        EventOfKind(
            kind="receiver.failing", clear_kind="receiver.working", distinguish_by="receiver"
        ),
        Severity.CRITICAL,
    ),
    (
        "Message template broken 通知模板出错",
        EventOfKind(
            kind="template.failed", clear_kind="template.mended", distinguish_by="receiver"
        ),
        Severity.WARNING,
    ),
)

# The State Council's notice on the holidays of 2026 (4 November 2025): first and last day off,
# and the weekend days worked instead. Later years are the administrator's to enter.
HOLIDAYS_2026: Final[tuple[tuple[str, date, date, tuple[date, ...]], ...]] = (
    ("元旦", date(2026, 1, 1), date(2026, 1, 3), (date(2026, 1, 4),)),
    ("春节", date(2026, 2, 15), date(2026, 2, 23), (date(2026, 2, 14), date(2026, 2, 28))),
    ("清明节", date(2026, 4, 4), date(2026, 4, 6), ()),
    ("劳动节", date(2026, 5, 1), date(2026, 5, 5), (date(2026, 5, 9),)),
    ("端午节", date(2026, 6, 19), date(2026, 6, 21), ()),
    ("中秋节", date(2026, 9, 25), date(2026, 9, 27), ()),
    ("国庆节", date(2026, 10, 1), date(2026, 10, 7), (date(2026, 9, 20), date(2026, 10, 10))),
)


def known_holidays() -> Iterator[Holiday]:
    """Every day of 2026 that is not what its weekday says, or has a name."""
    for name, first, last, worked in HOLIDAYS_2026:
        for number in range((last - first).days + 1):
            yield Holiday(day=first + timedelta(days=number), name=name)
        for day in worked:
            yield Holiday(day=day, name=f"{name}调休上班", is_working=True)


async def ensure_default_rules(tx: Transaction, scope: Scope, area_id: int) -> int:
    """Add those of the default rules that this installation never had; return how many.

    What somebody removed stays away. The holidays that are known come with the first rules.
    """
    new = set(await note_new(tx, scope, [name for name, _, _ in DEFAULTS]))
    if len(new) == len(DEFAULTS) and not await all_holidays(tx, scope):
        await set_year(tx, scope, 2026, list(known_holidays()))
    for name, condition, severity in DEFAULTS:
        if name in new:
            rule = Rule(name=name, area_id=area_id, condition=condition, severity=severity)
            await add_rule(tx, scope, rule)
    return len(new)
