"""Looking into answers without trusting their shape.

An answer is parsed XML as nested dicts and lists. Cameras leave out what the schema requires
and send one item where it says many, so nothing here raises: what is missing is empty.
"""

from collections.abc import Mapping

from hub.domain.devices import Json

MAX_TEXT = 512
MAX_LIST = 1024


def pick(answer: Json, *path: str) -> Json:
    """Return what lies at the path; None when there is nothing."""
    for name in path:
        if not isinstance(answer, Mapping):
            return None
        answer = answer.get(name)
    return answer


def pick_text(answer: Json, *path: str) -> str:
    """Return the text at the path, on one line and bounded; empty when there is none."""
    value = pick(answer, *path)
    if isinstance(value, Mapping):  # an element with attributes
        value = value.get("_value_1")
    return " ".join(value.split())[:MAX_TEXT] if isinstance(value, str) else ""


def pick_number(answer: Json, *path: str) -> float:
    """Return the number at the path; 0 when there is none."""
    value = pick(answer, *path)
    return float(value) if isinstance(value, int | float) else 0.0


def pick_list(answer: Json, *path: str) -> list[Json]:
    """Return the list at the path; a single item is a list of one, nothing is an empty one."""
    value = pick(answer, *path)
    if value is None:
        return []
    return value[:MAX_LIST] if isinstance(value, list) else [value]
