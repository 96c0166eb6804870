"""Where things live on disk: the home of a study, the cache of a user, the files of one embedded server."""

import os
from dataclasses import dataclass
from pathlib import Path

from roicg.core.errors import ServerError
from roicg.server.line import find_line


def home() -> Path:
    """Folder of everything roicg keeps (``ROICG_HOME``, default ``.roicg`` here), absolute, created readable by its owner only.

    Raises ServerError when it cannot be created or written.
    """
    return private_folder(home_path())


def home_path() -> Path:
    """The folder that ``home()`` would create."""
    return Path(os.environ.get("ROICG_HOME") or ".roicg").expanduser().absolute()


def cache() -> Path:
    """Folder of what several homes share, the jars (``ROICG_CACHE``, default ``~/.cache/roicg``); it need not exist yet."""
    named = os.environ.get("ROICG_CACHE")
    return Path(named).expanduser().absolute() if named else Path.home() / ".cache" / "roicg"


def private_folder(folder: Path) -> Path:
    """Create ``folder`` with mode 0700 and return it; an existing one of ours is narrowed to 0700.

    Raises ServerError when it cannot be created or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise ServerError(f"the folder {folder} cannot be used ({error.strerror}); set ROICG_HOME to a folder that you may write") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ServerError(f"the folder {folder} cannot be written; set ROICG_HOME to a folder that you may write")
    return folder


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The paths of the one embedded server that belongs to a home; nothing is created by asking."""

    root: Path

    @staticmethod
    def of(home: Path) -> "ServerFiles":
        """The server files of ``home`` (the folder that ``home()`` returns) for the line in use."""
        return ServerFiles(home.expanduser().absolute().resolve() / find_line().folder)

    @property
    def configuration(self) -> Path:
        """Folder with ``neo4j.conf``."""
        return self.root / "conf"

    @property
    def data(self) -> Path:
        """The database itself."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """Folder of neo4j.log, debug.log and console.log."""
        return self.root / "logs"

    @property
    def console(self) -> Path:
        """What the server process prints."""
        return self.logs / "console.log"

    @property
    def plugins(self) -> Path:
        """Links to the GDS jars, where the server looks for procedures."""
        return self.root / "plugins"

    @property
    def password(self) -> Path:
        """The generated password, mode 0600."""
        return self.root / "password"

    @property
    def auth(self) -> Path:
        """The initial user, read by the server at its first start only."""
        return self.data / "dbms" / "auth.ini"

    @property
    def record(self) -> Path:
        """Which process serves this home, and where it listens."""
        return self.root / "server.json"

    @property
    def ports(self) -> Path:
        """The ports of the last start, taken again when they are free."""
        return self.root / "ports.json"

    @property
    def lock(self) -> Path:
        """Held while a command starts or stops the server."""
        return self.root / "lock"
