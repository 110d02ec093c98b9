"""What commands print: names from devices are text, whatever they hold."""

import json
import sys
from datetime import UTC, datetime

import pytest
import typer

from hub.domain.errors import ConfigError, StoreUnavailable
from hub.main.console import fail, print_json, print_rows, reported_errors, say


@pytest.mark.threat("T7")
@pytest.mark.parametrize(
    "name", ["[bold]x[/bold]", "[link=http://a]x[/link]", ":warning:", "a\\", "[/]", "{{7*7}}"]
)
def test_a_table_shows_names_as_they_are(capsys: pytest.CaptureFixture[str], name: str) -> None:
    print_rows([{"name": name}], as_json=False, columns=("name",), empty="")
    assert capsys.readouterr().out.splitlines()[1].rstrip() == name


@pytest.mark.threat("T7")
def test_no_name_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\r\u202e"
    print_rows([{"name": evil}], as_json=False, columns=("name",), empty="")
    say(f"row of {evil}")
    with pytest.raises(typer.Exit):
        fail(f"row of {evil}")
    shown = capsys.readouterr()
    assert not set("\x1b\x07\r\u202e") & set(shown.out + shown.err)


def test_rows_for_a_pipe_are_never_folded(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"a": "x" * 300, "b": "y " * 150}], as_json=False, columns=("a", "b"), empty="")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_json_is_one_document_with_times_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"at": datetime(2026, 11, 22, tzinfo=UTC), "name": "东门\n"}])
    out = capsys.readouterr().out
    assert json.loads(out) == [{"at": "2026-11-22T00:00:00+00:00", "name": "东门\n"}]
    assert "东门" in out


def test_an_empty_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([], as_json=False, columns=("name",), empty="nobody yet")
    print_rows([], as_json=True, columns=("name",), empty="nobody yet")
    assert capsys.readouterr().out == "nobody yet\n[]\n"


@pytest.mark.threat("T31")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigError("mqtt://u:hunter2@host is wrong"), "gengfu: mqtt://***:***@host is wrong"),
        (
            ExceptionGroup("g", [ExceptionGroup("h", [StoreUnavailable("away")])]),
            "gengfu: away",
        ),
        (OSError(28, "No space left on device", "/data/x"), "gengfu: /data/x: No space left on"),
        (TimeoutError("too slow"), "gengfu: too slow"),
    ],
)
def test_our_errors_and_the_systems_end_in_a_line(
    capsys: pytest.CaptureFixture[str], error: Exception, said: str
) -> None:
    with pytest.raises(typer.Exit) as caught, reported_errors():
        raise error
    assert caught.value.exit_code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(said)
    assert len(shown.err.splitlines()) == 1


def test_a_defect_is_not_hidden() -> None:
    group = "two"
    with pytest.raises(ExceptionGroup), reported_errors():
        raise ExceptionGroup(group, [ConfigError("x"), ZeroDivisionError()])
    with pytest.raises(KeyError), reported_errors():
        raise KeyError(sys.argv[0])
