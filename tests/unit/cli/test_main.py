"""Errors are one sentence with an exit code; a traceback only when it is asked for."""

import errno

import pytest

import roicg as package
from roicg.cli.main import EXIT_CODES
from roicg.core import errors


def all_errors() -> list[type[errors.RoicgError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RoicgError)]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    def install(error: BaseException) -> None:
        def connect(address: object = None) -> None:
            raise error

        monkeypatch.setattr("roicg.store.connect.connect", connect)

    return install


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_is_one_sentence_and_its_exit_code(kind, failing, roicg) -> None:
    failing(kind("this was given; that is allowed; do so"))
    result = roicg("status")
    assert result.exit_code == kind.exit_code
    assert result.stderr == "roicg: this was given; that is allowed; do so\n"
    assert result.stdout == ""


def test_the_help_lists_every_exit_code(roicg) -> None:
    text = " ".join(roicg("--help").stdout.split())
    for kind in all_errors():
        assert f" {kind.exit_code} " in EXIT_CODES
    for part in ("Exit codes: 0 done", "8 embedded", "130 interrupted"):
        assert part in text


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 1, "the disk is full (/x)"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, "Permission denied"),
        (ValueError("boom"), 1, "unexpected ValueError: boom; this is a bug in roicg"),
    ],
)
def test_what_is_no_error_of_ours_is_one_line_too(error, code, words, failing, roicg) -> None:
    failing(error)
    result = roicg("status")
    assert (result.exit_code, result.stderr.count("\n")) == (code, 1)
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_lets_the_error_through(failing, roicg) -> None:
    failing(errors.StoreError("no"))
    assert isinstance(roicg("--debug", "status").exception, errors.StoreError)


def test_debug_may_stand_anywhere(failing, monkeypatch: pytest.MonkeyPatch) -> None:
    from roicg.cli.main import main

    failing(errors.StoreError("no"))
    monkeypatch.setattr("sys.argv", ["roicg", "status", "--debug"])
    with pytest.raises(errors.StoreError):
        main()


def test_version(roicg) -> None:
    result = roicg("--version")
    assert (result.exit_code, result.stdout) == (0, f"roicg {package.__version__}\n")


def test_wrong_usage_ends_with_two(roicg) -> None:
    assert roicg("circuit").exit_code == 2
    assert roicg("nonsense").exit_code == 2
