"""Why a server did not start: the likely cause in one sentence, and the end of what it logged."""

import re
from datetime import UTC, datetime
from pathlib import Path

from roicg.server.home import ServerFiles

_TAIL_LINES = 12
_TAIL_BYTES = 64 * 1024
_CAUSES = (
    ("Address already in use", "a port is taken by another program"),
    ("No space left on device", "the disk is full"),
    ("OutOfMemoryError", "Java ran out of memory"),
    ("Could not reserve enough space", "there is not enough memory for the Java heap"),
    ("insufficient memory for the Java Runtime", "there is not enough memory for the Java runtime"),
    ("Lock file has been locked by another process", "another process uses this database"),
    ("Permission denied", "a file or folder of the database may not be read or written"),
    ("AccessDeniedException", "a file or folder of the database may not be read or written"),
    ("Read-only file system", "the disk is read-only"),
    ("UnsupportedClassVersionError", "the Java runtime is too old"),
    ("Invalid config", "its configuration is refused"),
    ("Unrecognized VM option", "Java knows no such option; correct ROICG_JAVA_OPTIONS"),
    ("Unrecognized option", "Java knows no such option; correct ROICG_JAVA_OPTIONS"),
)


def tail(path: Path, lines: int = _TAIL_LINES) -> list[str]:
    """The last ``lines`` non-empty lines of a log, without the frames of Java stack traces; empty when there is no log."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    kept = [line.rstrip()[:300] for line in text.splitlines() if line.strip() and not re.match(r"\s+(at |\.\.\. \d+ more)", line)]
    return kept[-lines:]


def logged(files: ServerFiles, since: float = 0.0) -> list[str]:
    """The end of the console's output, and the errors that debug.log holds from ``since`` (seconds since 1970) on."""
    start = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M:%S")
    debug = [line for line in tail(files.logs / "debug.log", 200) if re.match(r"\d{4}-\S+ \S+ (ERROR|WARN) ", line) and line[:19] >= start]
    return tail(files.console) + debug[-_TAIL_LINES:]


def cause_of(lines: list[str]) -> str | None:
    """The cause in words when the log names a known one, else its last error line, else None."""
    text = "\n".join(lines)
    for sign, words in _CAUSES:
        if sign in text:
            return words
    errors = [line for line in lines if "ERROR" in line or line.startswith(("Caused by", "Error:", "Exception"))]
    return errors[-1] if errors else None


def explain(files: ServerFiles, what: str, since: float = 0.0) -> str:
    """The message of a failed start: what happened, the cause, the log's tail since then, and where the logs are."""
    lines = logged(files, since)
    cause = cause_of(lines)
    head = f"the embedded database {what}" + (f": {cause}" if cause else "")
    return "\n".join([head, f"last lines of {files.logs}:", *(f"  | {line}" for line in lines or ["(nothing was logged)"])])
