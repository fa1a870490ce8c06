"""What a model is made of, in the provenance."""

from dataclasses import replace

from auditor.findings import read, summarise, write
from auditor.records.structure import Block, Module, Structure
from auditor.report.contract import Sources
from auditor.report.sections import provenance, structure
from tests.findings.worked_example import context, evidence

BLOCKS = (
    Block("embeddings", None, 1000, 1000, 0.0001, 0.06, 1.5, 20, 0),
    Block("layer", 1, 2000, 0, None, None, None, 0, 0),
    Block("layer", 2, 2000, 2000, -0.002, 0.05, 12.0, 0, 3),
    Block("head", None, 10, 10, 0.0, 0.01, 0.5, 0, 0),
)
MODULES = (Module("", "Tiny", 1, 5010), Module("layers.0–1", "Layer", 2, 2000))
DTYPES = {"float16": 3010, "int8": 2000}
MADE = Structure("models/tiny", 5010, 12_040_000, DTYPES, (("a.weight", "b.weight"),), {"Int8": 4}, 0, BLOCKS, MODULES)


def test_what_is_printed_of_a_model():
    made = structure.compose(MADE)
    assert dict(made.entries) == {
        "Parameters": "5,010",
        "Layers": "2",
        "Data type": "float16: 3,010; int8: 2,000",
        "Memory of the weights": "12.0 MB",
        "Shared weights": "a.weight = b.weight",
        "Quantised parts": "4 × Int8: quantised, not summarised",
    }
    assert made.table is not None
    assert made.table.rows == (
        ("embeddings", "1,000", "0.0001", "0.0600", "1.5000", "2.00%", "0"),
        ("layer 1", "2,000", "quantised or offloaded: not summarised"),
        ("layer 2", "2,000", "−0.0020", "0.0500", "12.0", "0.00%", "3"),
        ("head", "10", "0.0000", "0.0100", "0.5000", "0.00%", "0"),
    )
    assert made.modules.rows == (("the model", "Tiny", "1", "5,010"), ("layers.0–1", "Layer", "2", "2,000"))
    assert made.figure.startswith("data:image/svg+xml")


def test_a_model_of_which_nothing_could_be_summarised_has_no_table():
    none = tuple(replace(b, n_summarised=0, mean=None, deviation=None, greatest=None) for b in BLOCKS)
    made = structure.compose(replace(MADE, blocks=none, n_offloaded=5010, tied=(), quantised={}))
    assert (made.table, made.figure) == (None, "")
    assert dict(made.entries)["Offloaded, not summarised"] == "5,010"
    assert dict(made.entries)["Shared weights"] == "none"


def test_memory_has_the_unit_that_fits():
    assert [structure.memory(n) for n in (0, 999, 1000, 48_652_808, 14 * 10**9)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "48.7 MB",
        "14.0 GB",
    ]


def test_the_findings_keep_it_and_the_provenance_prints_each_model():
    findings = summarise(evidence(), context(structures=(MADE, replace(MADE, model="reference"))))
    assert read(write(findings)).structures == findings.structures
    content = provenance.compose(Sources(findings, evidence())).content
    assert [one.title for one in content["structures"]] == [
        "What models/tiny is made of",
        "What reference is made of",
    ]
    assert provenance.compose(Sources(summarise(evidence(), context()), evidence())).content["structures"] == []
