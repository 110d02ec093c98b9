"""What a person keeps for himself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.web.schemas.shapes import In, Out


class SettingIn(In):
    """What to keep; ``version`` is the one it is known in: 0 if it is new, null for whichever."""

    value: Mapping[str, object]
    version: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None


class SettingOut(Out):
    """One thing kept; ``version`` counts its changes from 1."""

    name: str
    value: Mapping[str, object]
    version: int
    changed_at: datetime
