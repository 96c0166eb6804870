"""From what a person types to a study file: a path, or the name of a study that comes with roicg."""

from pathlib import Path

from roicg.core.errors import StudyError
from roicg.core.nearest import did_you_mean


def study_path(text: str) -> Path:
    """The file ``text`` if it exists, else the shipped study of that name; neither is a ``StudyError`` that lists the shipped ones."""
    given = Path(text).expanduser()
    if given.is_file():
        return given
    known = shipped()
    if text in known:
        return known[text]
    raise StudyError(f"{text!r} is neither a study file nor a study that comes with roicg ({', '.join(known) or 'none'}){did_you_mean(text, known)}")


def shipped() -> dict[str, Path]:
    """The studies that come with roicg, by name."""
    return {path.stem: path for folder in _folders() for path in sorted(folder.glob("*.yaml"))}


def _folders() -> list[Path]:
    """Where shipped studies are: inside an installed wheel, else beside the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return [folder for folder in (package / "_pipelines" / "studies", package.parent / "pipelines" / "studies") if folder.is_dir()][:1]
