"""`gengfu openapi`: the description of the API, for those who write programs against it."""

from importlib import metadata

from hub.main.console import print_json


def openapi() -> None:
    """Print the description of the HTTP API (OpenAPI 3.1) as JSON."""
    # All of the web application takes a second to load, which other commands do without.
    from hub.web.app import describe_api  # noqa: PLC0415

    print_json(describe_api(metadata.version("gengfu")))
