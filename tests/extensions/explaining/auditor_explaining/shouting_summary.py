"""What a corpus comes to that shouts: one number, which checks, slices, glossary and the table of documents know."""

from dataclasses import dataclass

from auditor.findings.contract import Cell, Conclusion, Evidence, Finding, PageOne, Quantity, Setting, Summary, Term
from auditor.findings.statistics.intervals import bootstrap_mean


@dataclass(frozen=True, slots=True)
class Shouting:
    """Share of a text's letters that are upper-case."""

    document_id: str
    share: float


class ShoutingFindings(Finding):
    """How loud the corpus is."""

    n_documents: int


MEAN_SHARE = Quantity(
    name="shouting.mean_share",
    title="Letters in capitals",
    unit="share",
    compared=True,
    page_one=PageOne(35),
    glossary=(Term("Capitals", "Upper-case letters."),),
)


class ShoutingSummary(Summary[Shouting, ShoutingFindings]):
    """Means over documents."""

    probe = "shouting"
    title = "shouting"
    record = Shouting
    findings = ShoutingFindings
    quantities = (MEAN_SHARE,)
    cells = (Cell("shouting", "Caps", "share", 6, lambda record, _: record.share, "Caps: letters in capitals."),)
    reasons = {"no-letter": "no letter"}  # noqa: RUF012

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[ShoutingFindings] | None:
        """The mean share over documents, with its interval."""
        shares = [record.share for record in evidence.measured(self.probe, Shouting).values()]
        if not shares:
            return None
        mean = bootstrap_mean(shares, seed=setting.seed, name=MEAN_SHARE.name, share=True)
        number = MEAN_SHARE.number(mean, "Mean over documents of the share of letters that are upper-case.")
        return Conclusion(ShoutingFindings(n_documents=len(shares)), (number,))


SUMMARY = ShoutingSummary()
