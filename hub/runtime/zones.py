"""What a time zone is called: by people, and by browsers."""

from datetime import datetime, tzinfo


def zone_name(zone: tzinfo, at: datetime) -> str:
    """How a zone is called: "Asia/Shanghai", or "UTC+0800" where it has no name."""
    local = at.astimezone(zone)
    return _key(zone) or (f"UTC{local:%z}" if local.utcoffset() else "UTC")


def browser_zone(zone: tzinfo, at: datetime) -> str:
    """The same as browsers know it: "Asia/Shanghai", or the "+08:00" of that moment."""
    offset = f"{at.astimezone(zone):%z}"
    return _key(zone) or f"{offset[:3]}:{offset[3:5]}"


def _key(zone: tzinfo) -> str:
    return str(getattr(zone, "key", ""))
