"""What a schema file must be."""

import re
from pathlib import Path

import pytest

from roicg.core.errors import QueryError
from roicg.store.neo4j.migrations import SchemaState, migrations
from roicg.store.registry import Query, catalogue, load_query

MAKE = "CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:Thing) REQUIRE n.key IS UNIQUE"


def written(folder: Path, files: dict[str, str], mode: str = "schema") -> list[Query]:
    (folder / "schema").mkdir()
    found = []
    for name, statement in files.items():
        path = folder / "schema" / f"{name}.cypher"
        path.write_text(f"// Makes a thing.\n// mode: {mode}\n{statement}\n")
        found.append(load_query(path, folder))
    return found


def test_the_files_are_numbered_from_one_and_what_queries_name_is_made_by_one_of_them() -> None:
    found = migrations()
    assert [migration.number for migration in found] == list(range(1, len(found) + 1))
    assert len({migration.makes for migration in found} - {""}) == len(found)
    assert found[0].makes == "migration_number"
    hinted = [query for query in catalogue().values() if "USING INDEX" in query.text]
    assert len(hinted) > 5
    hints = {hint for query in hinted for hint in re.findall(r"USING INDEX SEEK \w+:(\S+\([^)]*\))", query.text)}
    made_by = {"EDGE(graph, task, rank)": "edge_rank", "EDGE(graph, source, target, port, task)": "edge_unique"}
    assert hints == set(made_by), "name the new index here, and the file that makes it"
    assert set(made_by.values()) <= {migration.makes for migration in found}


def test_comments_may_change_and_the_statement_may_not(tmp_path: Path) -> None:
    (one,) = migrations(written(tmp_path, {"v001_a": MAKE.format(name="a")}))
    path = tmp_path / "schema" / "v001_a.cypher"
    path.write_text("// Says it better.\n// mode: schema\n// at length\n" + MAKE.format(name="a"))
    assert migrations([load_query(path, tmp_path)])[0].checksum == one.checksum
    path.write_text("// Makes a thing.\n// mode: schema\n" + MAKE.format(name="b"))
    assert migrations([load_query(path, tmp_path)])[0].checksum != one.checksum


@pytest.mark.parametrize(
    ("files", "mode", "says"),
    [
        ({"thing_key": MAKE}, "schema", "is called vNNN_name.cypher"),
        ({"v001_a": MAKE, "v003_b": MAKE}, "schema", "has number 3 where 2 comes next"),
        ({"v001_a": MAKE, "v001_b": MAKE}, "schema", "has number 1 where 2 comes next"),
        ({"v001_a": "CREATE CONSTRAINT a FOR (n:Thing) REQUIRE n.key IS UNIQUE"}, "schema", "says IF NOT EXISTS or IF EXISTS"),
        ({"v001_a": "MATCH (n) RETURN 1 AS n"}, "read", "has mode schema or write"),
        ({"v001_a": "// param: x INTEGER\nCREATE ({x: $x})"}, "write", "no parameters"),
    ],
)
def test_a_file_that_breaks_the_law_is_named(tmp_path: Path, files: dict[str, str], mode: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        migrations(written(tmp_path, files, mode))


def test_a_state_says_what_comes_next() -> None:
    assert str(SchemaState(3, 3)) == "schema 3"
    assert str(SchemaState(3, 5)) == "schema 3; this roicg brings 5, which the next command that writes applies"
