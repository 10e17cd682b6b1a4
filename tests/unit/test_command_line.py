"""Options of the command line that mean nothing are refused by name, before anything is started or written."""

import gc
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from barberpro.server import settings
from barberpro.server.cli import cli, main


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("keys rotate sealing --seconds nan", "--seconds"),
        ("keys rotate sealing --seconds inf", "--seconds"),
        ("simulate --speed nan", "--speed"),
        ("simulate --hours 1e308", "--hours"),
        ("demo --speed inf", "--speed"),
    ],
)
def test_what_is_no_number_is_refused(line: str, option: str) -> None:
    end = CliRunner().invoke(cli, line.split())
    assert end.exit_code == 2
    assert f"Invalid value for '{option}'" in end.output


@pytest.mark.parametrize("command", ["serve", "seed", "check"])
def test_an_unset_variable_of_a_shell_is_not_the_present_directory(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    end = CliRunner().invoke(cli, [command, "--embedded", ""])
    assert (end.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "Invalid value for '--embedded': is empty" in end.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["seed", "--name", " "], "--name: String should have at least 1 character"),
        (["seed", "--name", "two\nlines"], "--name: has a character that cannot be shown"),
        (["seed", "--name", "x" * 81], "--name: String should have at most 80 characters"),
        (["token", "--role", "customer", "--user", ""], "--user, --barber and --shop take letters"),
        (["serve", "--host", ""], "--host is '': String should have at least 1 character"),
        (["import", "firestore", ".", "--report", "nowhere/report"], "--report: cannot write nowhere/report"),
    ],
)
def test_what_nobody_could_show_find_or_write_is_refused(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    end = CliRunner().invoke(cli, [*arguments, "--embedded", "stores"])
    assert end.exit_code == 2
    assert words in end.output


@pytest.mark.parametrize(
    ("line", "code"), [("check", 130), ("check --nothing", 2), ("dance", 2), ("", 2), ("--version", 0), ("check -h", 0)]
)
def test_ctrl_c_is_told_apart_from_what_a_command_found(
    line: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(settings, "load_settings", interrupted)
    monkeypatch.setattr(sys, "argv", ["barberpro", *line.split()])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code or 0) == code
    assert gc.isenabled(), "who calls it may go on"
    assert "Traceback" not in capsys.readouterr().err
