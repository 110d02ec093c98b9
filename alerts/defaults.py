"""The few rules a new hub starts with: everything a duty room must hear of at once."""

from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import Rule
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
from hub.store.rules import add_rule, has_rules

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
)


async def ensure_default_rules(tx: Transaction, scope: Scope, area_id: int) -> int:
    """Add the default rules to an area, unless the hub ever had a rule; return how many."""
    if await has_rules(tx, scope):
        return 0
    for name, condition, severity in DEFAULTS:
        rule = Rule(name=name, area_id=area_id, condition=condition, severity=severity)
        await add_rule(tx, scope, rule)
    return len(DEFAULTS)
