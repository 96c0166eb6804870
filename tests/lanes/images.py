"""Images for the compose lane: the official ones where they can be pulled, else stand-ins made from Debian's packages; roicg's own from a wheel."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.lanes.container import has_image, import_root, pulled
from tests.lanes.roots import debian_root

ROOT = Path(__file__).resolve().parents[2]
PYTHON_IMAGE, POSTGRES_IMAGE = "python:3.12-slim-bookworm", "postgres:17.6-bookworm"  # compose.yaml's defaults
LOCAL_DEBIAN, LOCAL_POSTGRES = "roicg-local/debian:python-postgresql", "roicg-local/postgres:debian"
ROICG_IMAGE = "roicg-local/roicg-dagster:wheel"


def official_or_local() -> tuple[str, str]:
    """Names of an image with Python and of one with PostgreSQL."""
    if all(has_image(name) or pulled(name) for name in (PYTHON_IMAGE, POSTGRES_IMAGE)):
        return PYTHON_IMAGE, POSTGRES_IMAGE
    if not has_image(LOCAL_DEBIAN):
        with tempfile.TemporaryDirectory(prefix="rg-debian-") as folder:
            debian_root(Path(folder), ("python3", "python3-venv", "postgresql"))
            (Path(folder) / "root").chmod(0o711)  # the test binds a Python from there where this machine has it there
            import_root(Path(folder), LOCAL_DEBIAN, ["CMD bash"])
    if not has_image(LOCAL_POSTGRES):
        with tempfile.TemporaryDirectory(prefix="rg-postgres-") as folder:
            shutil.copy(Path(__file__).with_name("postgres.sh"), Path(folder) / "entrypoint.sh")
            lines = [f"FROM {LOCAL_DEBIAN}", "COPY entrypoint.sh /entrypoint.sh"]
            lines += ["RUN chmod 755 /entrypoint.sh && ln -s /usr/lib/postgresql/* /opt/postgresql"]
            lines += ["RUN mkdir -p /var/lib/postgresql/data && chown postgres:postgres /var/lib/postgresql/data && chmod 700 /var/lib/postgresql/data"]
            lines += ["ENV PATH=/opt/postgresql/bin:/usr/bin:/bin", "USER postgres", 'ENTRYPOINT ["/entrypoint.sh"]']
            (Path(folder) / "Dockerfile").write_text("\n".join(lines) + "\n")
            build(Path(folder), LOCAL_POSTGRES)
    return LOCAL_DEBIAN, LOCAL_POSTGRES


def roicg_image(wheel: Path, python_image: str, pip: list[str]) -> str:
    """docker/roicg.Dockerfile with what webserver and daemon need; every wheel it installs is fetched here, so the build asks nobody."""
    with tempfile.TemporaryDirectory(prefix="rg-context-") as folder:
        context = Path(folder)
        shutil.copytree(ROOT / "docker", context / "docker")
        shutil.copy(ROOT / "constraints.txt", context)
        (context / "dist").mkdir()
        shutil.copy(wheel, context / "dist")
        minor = python_minor(python_image)
        fetch = ["download", "--quiet", "--only-binary=:all:", "--python-version", minor, "-c", str(ROOT / "constraints.txt"), "-d", str(context / "dist")]
        done = subprocess.run([*pip, *fetch, f"{wheel}[pipelines,postgres]"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the wheels of the image cannot be fetched: {done.stderr[-800:]}")
        arguments = {"PYTHON_IMAGE": python_image, "EXTRAS": "pipelines,postgres", "PIP_OPTIONS": "--no-index"}
        build(context, ROICG_IMAGE, "docker/roicg.Dockerfile", arguments)
    return ROICG_IMAGE


def python_minor(image: str) -> str:
    """The image's Python as ``3.x``."""
    ask = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    done = subprocess.run(["docker", "run", "--rm", "--entrypoint", "python3", image, "-c", ask], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def build(context: Path, name: str, dockerfile: str = "Dockerfile", arguments: dict[str, str] | None = None) -> None:
    """``docker build``; on failure its last words are the error's text."""
    words = [word for pair in (arguments or {}).items() for word in ("--build-arg", "=".join(pair))]
    done = subprocess.run(["docker", "build", "-t", name, "-f", str(context / dockerfile), *words, str(context)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the image {name} cannot be built: {done.stdout[-1500:]} {done.stderr[-1500:]}")
