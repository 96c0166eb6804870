"""The manifest of a bundle: what is in it, by whom, and the hash of every file; checked before anything else is read."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roicg.core.errors import StoreError
from roicg.store.bundle.columns import FORMS, TABLES, Form
from roicg.store.bundle.files import LARGEST_MANIFEST, MANIFEST, Source, checked_name, hashed

FORMAT: Literal["roicg-bundle"] = "roicg-bundle"
VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BundleFile(_Part):
    """One file: where it is, what it hashes to, how long it is."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    rows: int = Field(ge=0)


class BundleGraph(_Part):
    """One graph: its id, the hash of its content, and the file of its edges."""

    graph: str
    content_hash: str
    edges: str


class BundleModel(_Part):
    """One model and its checkpoints' labels, by step."""

    model: str
    checkpoints: list[str]


class Manifest(_Part):
    """What :data:`MANIFEST` says. ``schema_number`` and ``numerics`` are those of the roicg that wrote it; ``counts`` by kind."""

    format: Literal["roicg-bundle"]
    version: int
    roicg: str
    schema_number: int
    numerics: int
    study: str
    columns: Form
    models: list[BundleModel]
    tasks: list[str]
    slots: list[str]
    graphs: list[BundleGraph]
    counts: dict[str, int]
    files: list[BundleFile]

    def text(self) -> str:
        """The manifest as JSON text."""
        return self.model_dump_json(indent=1) + "\n"

    def edges_of(self, graph: str) -> str:
        """Name of the file with the edges of ``graph``."""
        return next(one.edges for one in self.graphs if one.graph == graph)


def read_manifest(source: Source) -> Manifest:
    """The manifest of ``source``; ``StoreError`` where it is none, or one of a newer roicg."""
    with source.open(MANIFEST) as file:
        text = file.read(LARGEST_MANIFEST + 1)
    where = f"{source.where}: {MANIFEST}"
    if len(text) > LARGEST_MANIFEST:
        raise StoreError(f"{where} is longer than {LARGEST_MANIFEST} bytes; it is no manifest of roicg")
    try:
        found = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise StoreError(f"{where} is none that this roicg reads: {_first(error.errors(include_url=False, include_input=False))}") from error
    if found.version > VERSION:
        raise StoreError(
            f"{where} has version {found.version}, and this roicg reads up to {VERSION}; it was written by roicg {found.roicg}, use that or a newer one"
        )
    listed = [file.path for file in found.files]
    needed = [table_file(name, found.columns) for name in TABLES] + [graph.edges for graph in found.graphs]
    if sorted(listed) != sorted(needed) or len(set(listed)) != len(listed):
        odd = sorted(set(listed) ^ set(needed)) or listed
        raise StoreError(f"{where}: lists other files than a bundle has, like {odd[0]!r:.100}")
    for name in listed:
        checked_name(name)
    return found


def check_files(source: Source, manifest: Manifest) -> None:
    """``StoreError`` that names the first file which is not as the manifest says; all are read."""
    for expected in manifest.files:
        with source.open(expected.path) as file:
            sha256, size = hashed(file)
        if (sha256, size) != (expected.sha256, expected.bytes):
            raise StoreError(
                f"{source.where}: {expected.path} has {size} bytes and sha256 {sha256[:12]}, and the manifest says {expected.bytes} and {expected.sha256[:12]}; "
                "the bundle was changed or cut short, copy it again"
            )


def table_file(name: str, form: Form) -> str:
    """Name of the file of a table."""
    return f"{name}.{form}"


def edge_file(place: int, form: Form) -> str:
    """Name of the file with the edges of the graph at ``place`` in the list."""
    return f"edges/{place + 1:04d}.{form}"


def _first(errors: list[Any]) -> str:
    error = errors[0]
    return f"{'.'.join(map(str, error['loc'])) or 'it'}: {error['msg']}" + (f" ({', '.join(FORMS)})" if error["loc"] == ("columns",) else "")
