"""How was each number computed, with which parameters?"""

from auditor.report import formats
from auditor.report.sections.contract import Column, Section, Sources, Table

_TITLES = {
    "prediction": "Prediction",
    "lime": "LIME",
    "attention": "Attention",
    "perplexity": "Perplexity",
    "pseudo_perplexity": "Pseudo-perplexity",
}


def compose(sources: Sources) -> Section:
    """The section on methods."""
    findings = sources.findings
    present = {
        "prediction": findings.predictions is not None and not findings.predictions.continuations,
        "lime": findings.explanations is not None,
        "attention": findings.attention is not None,
        "perplexity": findings.perplexity is not None,
        "pseudo_perplexity": findings.pseudo_perplexity is not None,
    }
    return Section(
        id="methods",
        title="Methods",
        question="How was each number computed, and with which parameters?",
        answer=(
            f"{formats.plural(len(_whole(sources)), 'number')} over the whole corpus, each with its protocol below; "
            "every parameter is the one this run used."
        ),
        method=(
            "Intervals are 95%: Wilson for proportions, bootstrap over documents with a fixed seed for means, order "
            "statistics for quantiles. A check passes where the whole interval lies on the right side of its bound, "
            "fails where it lies on the wrong side, is watched where it straddles the bound, and is not judged where "
            "there are too few documents."
        ),
        limits="Intervals speak of sampling, of documents and perturbations; not of wrong labels or a shifted corpus.",
        template="sections/methods.html.j2",
        content={
            "present": present,
            "parameters": _parameters(findings.parameters),
            "protocols": _protocols(sources),
        },
    )


def _whole(sources: Sources) -> list[str]:
    return [name for name in sources.numbers if "{" not in name]


def _parameters(parameters: dict[str, dict[str, str]]) -> Table:
    columns = (Column("Probe", width=16), Column("Parameter", "id", 26), Column("Value", "id"))
    rows = tuple(
        (_TITLES.get(probe, formats.middle(probe, 60)), formats.middle(name, 60), formats.middle(value, 400))
        for probe, values in parameters.items()
        for name, value in values.items()
    )
    return Table("The parameters of this run, as resolved.", columns, rows)


def _protocols(sources: Sources) -> Table:
    """One row per number, and one for all labels where only the label differs."""
    columns = (Column("Name in [checks]", "id", 26), Column("Number", width=20), Column("Computed as"))
    rows: dict[tuple[str, str], tuple[str, ...]] = {}
    for name in _whole(sources):
        number = sources.numbers[name]
        family, bracket, _ = name.partition("[")
        title = number.title.split(",")[0] if bracket else number.title
        row = (formats.middle(f"{family}[…]" if bracket else name, 60), title, number.protocol)
        rows.setdefault((family, number.protocol), row)
    caption = (
        "What each number is. In brackets stands a label or a pattern; with a slice, as in accuracy{length=short}, it "
        "is the same within a group."
    )
    return Table(caption, columns, tuple(rows.values()))
