"""Reads the settings: a TOML file, then ``GENGFU_SECTION__KEY`` from the environment.

Every error names the file or variable, the key and the remedy, and repeats no value: it may be
a secret.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.schema import Settings
from hub.domain.errors import ConfigError

PREFIX = "GENGFU_"
FILE_VARIABLE = "GENGFU_SETTINGS"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Tree = dict[str, object]


def load_settings(file: Path | None, environment: Mapping[str, str]) -> Settings:
    """Load the settings.

    Args:
        file: The settings file; None takes ``GENGFU_SETTINGS``, else no file at all.
        environment: The process's variables.

    Raises:
        ConfigError: unreadable file, unknown key, unset variable or a value that cannot be.
    """
    named = environment.get(FILE_VARIABLE)
    path = file or (Path(named) if named else None)
    tree = {} if path is None else _resolved(_read(path), environment, path)
    sources = dict.fromkeys(_keys(tree), str(path))
    for key, variable in _variables(environment):
        _put(tree, key, environment[variable])
        sources[".".join(key)] = variable
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        lines = [_explain(e, sources) for e in error.errors(include_input=False, include_url=False)]
        raise ConfigError("\n".join(lines)) from None


def _read(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: {error.strerror}: check --settings or {FILE_VARIABLE}"
        raise ConfigError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        place = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        msg = f"{path} is not TOML: {place}"
        raise ConfigError(msg) from None


def _resolved(tree: Tree, environment: Mapping[str, str], path: Path, above: str = "") -> Tree:
    """Put the environment's values in place of ``${NAME}``."""
    result: Tree = {}
    for key, value in tree.items():
        name = f"{above}{key}"
        if isinstance(value, dict):
            result[key] = _resolved(value, environment, path, f"{name}.")
        elif isinstance(value, str):
            result[key] = _filled(value, environment, f"{path}: {name}")
        else:
            result[key] = value
    return result


def _filled(text: str, environment: Mapping[str, str], where: str) -> str:
    for name in _REFERENCE.findall(text):
        if name not in environment:
            msg = f"{where} uses ${{{name}}}, which is not set: export {name} or write the value"
            raise ConfigError(msg)
    return _REFERENCE.sub(lambda match: environment[match[1]], text)


def _variables(environment: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The variables that stand for settings, with the key each stands for."""
    for variable in sorted(environment):
        if variable.startswith(PREFIX) and variable != FILE_VARIABLE:
            key = tuple(variable.removeprefix(PREFIX).lower().split("__"))
            # Variables of the test run and of tools are not settings.
            if key[0] != "test":
                yield key, variable


def _put(tree: Tree, key: tuple[str, ...], value: str) -> None:
    branch = tree
    for part in key[:-1]:
        below = branch.setdefault(part, {})
        if not isinstance(below, dict):
            return
        branch = below
    is_list = _is_list(key)
    branch[key[-1]] = [v.strip() for v in value.split(",") if v.strip()] if is_list else value


def _is_list(key: tuple[str, ...]) -> bool:
    model: type[BaseModel] = Settings
    for part in key:
        field = model.model_fields.get(part)
        annotation = None if field is None else field.annotation
        if not isinstance(annotation, type):
            return annotation is not None and "tuple" in str(annotation)
        if not issubclass(annotation, BaseModel):
            return False
        model = annotation
    return False


def _keys(tree: Mapping[str, object], above: str = "") -> Iterator[str]:
    for key, value in tree.items():
        yield f"{above}{key}"
        if isinstance(value, dict):
            yield from _keys(value, f"{above}{key}.")


def _explain(error: ErrorDetails, sources: Mapping[str, str]) -> str:
    location = [str(part) for part in error["loc"]]
    key = ".".join(location)
    named = next(
        (
            ".".join(location[:n])
            for n in range(len(location), 0, -1)
            if ".".join(location[:n]) in sources
        ),
        key,
    )
    where = f"{sources.get(named, 'settings')}: {key}" if key else "settings"
    if error["type"] == "extra_forbidden":
        known = sorted(_known_keys(location[:-1]))
        close = difflib.get_close_matches(location[-1], known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
        return f"{where} is no setting: {hint}"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _known_keys(above: list[str]) -> set[str]:
    model: type[BaseModel] = Settings
    for part in above:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type):
            return set()
        if not issubclass(field.annotation, BaseModel):
            return set()
        model = field.annotation
    return set(model.model_fields)
