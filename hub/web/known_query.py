"""Refuses query parameters that a route does not know: a misspelt filter must not show everything.

A dependency of a route, of a router, or of the whole API.
"""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.requests import HTTPConnection


async def refuse_unknown(connection: HTTPConnection) -> None:
    """Refuse the request when its query names something that the route does not read.

    Raises:
        RequestValidationError: answered with 422, naming the parameters.
    """
    dependant = getattr(connection.scope.get("route"), "dependant", None)
    if not isinstance(dependant, Dependant):
        return
    known = set(_names(dependant))
    unknown = [name for name in connection.query_params if name not in known]
    if unknown:
        message = "this list knows no such parameter"
        errors = [{"loc": ("query", n), "msg": message, "type": "unknown"} for n in unknown]
        raise RequestValidationError(errors)


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _names(inner)
