"""Links as QR codes, for phones to read off a screen."""

from io import BytesIO

import segno

from hub.domain.secrets import Secret


def draw_qr(link: Secret) -> str:
    """Draw a link as SVG; it is for whoever asked for the link alone."""
    drawn = BytesIO()
    segno.make_qr(link.reveal(), error="m").save(drawn, kind="svg", xmldecl=False, nl=False)
    return drawn.getvalue().decode("ascii")
