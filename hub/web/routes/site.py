"""What every console must know of the site before it shows anything."""

from fastapi import APIRouter

from hub.runtime.zones import browser_zone
from hub.web.access import SignedIn
from hub.web.schemas.site import SiteOut
from hub.web.services import Services

router = APIRouter(tags=["session"])


@router.get("/site")
async def get_site(visitor: SignedIn, services: Services) -> SiteOut:
    """The site's zone, the hub's clock and version, and how live video can be had."""
    del visitor
    now = services.clock()
    return SiteOut(
        zone=browser_zone(services.settings.zone, now),
        now=now,
        version=services.settings.version,
        webrtc=services.media_server is not None,
    )
