"""What four frameworks ask to be documented, in this project's own short words, and what of it a report can say.

Data only: which of it a certain run answers is decided by `auditor.report.sections.regulatory`. References are exact,
so that the text that binds can be found; the wording is never theirs.
"""

from auditor.report.regulations import eu_ai_act, iso_42001, model_cards, nist_ai_rmf
from auditor.report.regulations.contract import STATEMENTS, Framework, Item

__all__ = ["FRAMEWORKS", "STATEMENTS", "Framework", "Item"]

FRAMEWORKS: tuple[Framework, ...] = (
    eu_ai_act.ANNEX_IV,
    nist_ai_rmf.MEASURE,
    iso_42001.ANNEX_A,
    model_cards.MODEL_CARD,
)
