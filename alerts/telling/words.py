"""The vocabulary of messages in Chinese and English: one table per thing that has a name."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from hub.domain.alerts import Colour, Step
from hub.domain.events import Severity


class Language(StrEnum):
    """What a receiver reads."""

    ZH = "zh"
    EN = "en"


EXERCISE: Final[Mapping[Language, str]] = {Language.ZH: "【演练】", Language.EN: "[EXERCISE] "}
PARTLY_EXERCISE: Final[Mapping[Language, str]] = {
    Language.ZH: "【含演练】",
    Language.EN: "[PARTLY EXERCISE] ",
}
SEVERITY: Final[Mapping[Language, Mapping[Severity, str]]] = {
    Language.ZH: {Severity.INFO: "提示", Severity.WARNING: "警告", Severity.CRITICAL: "严重"},
    Language.EN: {
        Severity.INFO: "Info",
        Severity.WARNING: "Warning",
        Severity.CRITICAL: "Critical",
    },
}
STEP: Final[Mapping[Language, Mapping[Step, str]]] = {
    Language.ZH: {
        Step.FIRED: "告警",
        Step.FOLDED: "已合并",
        Step.SILENCED: "已静默",
        Step.SNOOZED: "已暂缓",
        Step.REPEATED: "再次提醒",
        Step.ESCALATED: "升级",
        Step.ACKNOWLEDGED: "已确认",
        Step.ASSIGNED: "已指派",
        Step.COMMENTED: "备注",
        Step.RESOLVED: "已恢复",
        Step.REOPENED: "重新打开",
    },
    Language.EN: {
        Step.FIRED: "Firing",
        Step.FOLDED: "Folded",
        Step.SILENCED: "Silenced",
        Step.SNOOZED: "Snoozed",
        Step.REPEATED: "Still firing",
        Step.ESCALATED: "Escalated",
        Step.ACKNOWLEDGED: "Acknowledged",
        Step.ASSIGNED: "Assigned",
        Step.COMMENTED: "Comment",
        Step.RESOLVED: "Resolved",
        Step.REOPENED: "Reopened",
    },
}
COLOUR: Final[Mapping[Language, Mapping[Colour, str]]] = {
    Language.ZH: {Colour.GREEN: "绿", Colour.YELLOW: "黄", Colour.RED: "红"},
    Language.EN: {Colour.GREEN: "green", Colour.YELLOW: "yellow", Colour.RED: "red"},
}
# By the type of the rule's condition; a type that is not here is shown as it stands.
WHAT: Final[Mapping[Language, Mapping[str, str]]] = {
    Language.ZH: {
        "device_offline": "设备离线",
        "device_degraded": "设备异常",
        "point_beyond": "读数越限",
        "event_of_kind": "事件",
        "event_count": "事件频繁",
        "nothing_seen": "应到未到",
        "combination": "组合事件",
        "test": "测试",
    },
    Language.EN: {
        "device_offline": "device offline",
        "device_degraded": "device degraded",
        "point_beyond": "reading beyond its limit",
        "event_of_kind": "event",
        "event_count": "many events",
        "nothing_seen": "nothing came that should",
        "combination": "events together",
    },
}
STORM: Final[Mapping[Language, str]] = {
    Language.ZH: "合并告警 {} 条",
    Language.EN: "{} at once",
}
LABELS: Final[Mapping[Language, Mapping[str, str]]] = {
    Language.ZH: {
        "rule": "规则",
        "severity": "级别",
        "area": "区域",
        "device": "设备",
        "channel": "通道",
        "point": "测点",
        "reason": "原因",
        "folded": "合并数量",
        "since": "开始",
        "due": "处理时限",
        "resolved": "恢复",
        "by": "处理人",
        "why": "通知原因",
        "alert": "编号",
        "link": "链接",
    },
    Language.EN: {
        "rule": "Rule",
        "severity": "Severity",
        "area": "Area",
        "device": "Device",
        "channel": "Channel",
        "point": "Point",
        "reason": "Reason",
        "folded": "Stands for",
        "since": "Since",
        "due": "Due",
        "resolved": "Resolved",
        "by": "By",
        "why": "Told because",
        "alert": "Alert",
        "link": "Link",
    },
}
CUT: Final[Mapping[Language, str]] = {Language.ZH: "…(已截断)", Language.EN: "… (cut)"}
COLON: Final[Mapping[Language, str]] = {Language.ZH: ":", Language.EN: ": "}
