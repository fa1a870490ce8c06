"""The table of faults names tests that there are."""

import re
from pathlib import Path

HERE = Path(__file__).parent
_NAMED = re.compile(r"`((?:\.\./)*[\w/]+\.py)::(test_\w+)`( \(exhaustive)?")


def test_every_test_that_the_table_names_is_there_and_marked_as_it_says() -> None:
    named = _NAMED.findall((HERE / "README.md").read_text(encoding="utf-8"))
    assert len(named) > 25
    for file, name, exhaustive in named:
        text = (HERE / file).resolve().read_text(encoding="utf-8")
        found = re.search(rf"^((?:@.*\n|    .*\n|\)\n)*)def {name}\(", text, re.MULTILINE)
        assert found, f"{file} has no {name}"
        assert ("exhaustive" in found[1].split("def ")[-1]) == bool(exhaustive), name


def test_every_test_of_this_folder_is_in_the_table() -> None:
    table = (HERE / "README.md").read_text(encoding="utf-8")
    files = (path for path in HERE.glob("test_*.py") if path.name != Path(__file__).name)
    made = {name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)}
    assert {name for name in made if f"::{name}`" not in table} == set()
