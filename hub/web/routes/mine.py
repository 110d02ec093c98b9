"""What a person has arranged for himself: nobody else sees it, whatever his role."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from hub.store import person_settings
from hub.store.person_settings import SettingKind
from hub.web.access import SignedIn
from hub.web.schemas.mine import SettingIn, SettingOut
from hub.web.schemas.shapes import Listing
from hub.web.services import Services

router = APIRouter(prefix="/mine", tags=["mine"])

# "." and ".." would be read as parts of the path.
SettingName = Annotated[
    str,
    Path(max_length=64, pattern=r"^[^\x00-\x1f\x7f/\\]*[^\x00-\x20\x7f/\\.][^\x00-\x1f\x7f/\\]*$"),
]


@router.get("/{kind}")
async def list_settings(
    visitor: SignedIn, kind: SettingKind, services: Services
) -> Listing[SettingOut]:
    """What the caller keeps of a kind, by name."""
    async with services.database.transaction() as tx:
        found = await person_settings.list_settings(tx, visitor.own_scope, kind)
    return Listing(items=[SettingOut.model_validate(one) for one in found])


@router.put("/{kind}/{name}")
async def keep_setting(
    visitor: SignedIn, kind: SettingKind, name: SettingName, body: SettingIn, services: Services
) -> SettingOut:
    """Keep something under a name, or replace what is there; at most 100 things of 16 KiB."""
    async with services.database.transaction() as tx:
        kept = await person_settings.put_setting(
            tx, visitor.own_scope, kind, name, body.value, version=body.version
        )
    return SettingOut.model_validate(kept)


@router.delete("/{kind}/{name}", status_code=HTTPStatus.NO_CONTENT)
async def forget_setting(
    visitor: SignedIn, kind: SettingKind, name: SettingName, services: Services
) -> None:
    """Forget something."""
    async with services.database.transaction() as tx:
        await person_settings.remove_setting(tx, visitor.own_scope, kind, name)
