"""Write the lock of a line anew after the versions of its ``roots`` were changed: ``python -m roicg.server.relock [next]`` (a maintainer's tool).

1. Read the versions and roots of the line's present lock; a root's version is the lock's, so change both there.
2. jgo resolves what the roots need (poms from Maven, a minute or two) in a scratch repository.
3. Every jar is downloaded and hashed; the lock is written one jar a line, in order of coordinates, so that a diff shows what changed.
"""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from roicg.server.jars import read_lock, sha256_of
from roicg.server.line import find_line


def resolve(roots: tuple[str, ...], repository: Path) -> list[dict[str, Any]]:
    """Coordinate, sha256 and size of every jar that ``roots`` (group:artifact:version) need, the roots among them, sorted."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext
    from jgo.parse import Coordinate

    context = MavenContext(repo_cache=repository, remote_repos={**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}, timeout=60)
    wanted = [
        context.create_dependency(Coordinate(group, artifact, version, scope="compile")) for group, artifact, version in (root.split(":") for root in roots)
    ]
    inputs, transitive = context.resolver.resolve(wanted)
    artifacts = {dependency.artifact.key: dependency.artifact for dependency in (*inputs, *transitive)}
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda artifact: artifact.resolve(), artifacts.values()))
    rows = [
        {
            "coordinate": ":".join(filter(None, (artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier))),
            "sha256": sha256_of(path),
            "size": path.stat().st_size,
        }
        for artifact, path in zip(artifacts.values(), paths, strict=True)
        if path.suffix == ".jar"  # a needed pom (a list of versions) is no jar
    ]
    return sorted(rows, key=lambda row: str(row["coordinate"]))


def lock_text(versions: dict[str, Any], jars: list[dict[str, Any]]) -> str:
    """The lock as JSON with one jar a line; ``versions`` holds neo4j, gds, browser and roots."""
    head = "".join(f" {json.dumps(name)}: {json.dumps(value)},\n" for name, value in versions.items())
    return "{\n" + head + ' "jars": [\n' + ",\n".join("  " + json.dumps(jar) for jar in jars) + "\n ]\n}\n"


def main() -> None:
    """Resolve the roots of the named line's present lock (default: the line in use) and write that lock anew."""
    line = find_line(sys.argv[1] if len(sys.argv) > 1 else None)
    lock = read_lock(line.lock_file)
    with tempfile.TemporaryDirectory() as scratch:
        jars = resolve(lock.roots, Path(scratch))
    line.lock_file.write_text(lock_text({"neo4j": lock.neo4j, "gds": lock.gds, "browser": lock.browser, "roots": list(lock.roots)}, jars), encoding="utf-8")
    print(f"{line.lock_file}: {len(jars)} jars")


if __name__ == "__main__":
    main()
