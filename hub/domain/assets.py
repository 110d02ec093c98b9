"""The asset record of a device (一机一档), after the catalogue of GB/T 28181.

The words stand in the order of the standard's numbers: the first is 1.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class PtzType(StrEnum):
    """PTZType: how the camera is built."""

    PTZ_DOME = "ptz_dome"  # 球机
    FIXED_DOME = "fixed_dome"  # 半球
    FIXED_BULLET = "fixed_bullet"  # 固定枪机
    PTZ_BULLET = "ptz_bullet"  # 遥控枪机


class PositionType(StrEnum):
    """PositionType: what the place is."""

    CHECKPOINT = "checkpoint"  # 省际检查站
    GOVERNMENT = "government"  # 党政机关
    STATION = "station"  # 车站码头
    SQUARE = "square"  # 中心广场
    STADIUM = "stadium"  # 体育场馆
    COMMERCIAL = "commercial"  # 商业中心
    RELIGIOUS = "religious"  # 宗教场所
    CAMPUS = "campus"  # 校园周边
    DISORDER = "disorder"  # 治安复杂区域
    TRUNK_ROAD = "trunk_road"  # 交通干线


class Room(StrEnum):
    """RoomType."""

    OUTDOOR = "outdoor"  # 室外
    INDOOR = "indoor"  # 室内


class Purpose(StrEnum):
    """UseType."""

    SECURITY = "security"  # 治安
    TRAFFIC = "traffic"  # 交通
    KEY_SITE = "key_site"  # 重点


class Light(StrEnum):
    """SupplyLightType: what lights the scene. OTHER is 9 in the standard."""

    NONE = "none"  # 无补光
    INFRARED = "infrared"  # 红外补光
    WHITE = "white"  # 白光补光
    LASER = "laser"  # 激光补光
    OTHER = "other"  # 其他


class Direction(StrEnum):
    """DirectionType: where the camera looks."""

    EAST = "east"  # 东
    WEST = "west"  # 西
    SOUTH = "south"  # 南
    NORTH = "north"  # 北
    SOUTHEAST = "southeast"  # 东南
    NORTHEAST = "northeast"  # 东北
    SOUTHWEST = "southwest"  # 西南
    NORTHWEST = "northwest"  # 西北


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRecord:
    """What is recorded of a device beside what :class:`hub.domain.devices.Device` holds.

    Empty fields are not recorded. ``mac`` is in lower case with colons; coordinates are degrees,
    both or neither.
    """

    mac: str = ""
    port: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    ptz_type: PtzType | None = None
    position_type: PositionType | None = None
    room: Room | None = None
    purpose: Purpose | None = None
    light: Light | None = None
    direction: Direction | None = None
    resolution: str = ""
    mount_height_m: float | None = None
    installed_on: date | None = None
    warranty_until: date | None = None
    owner: str = ""
    notes: str = ""
