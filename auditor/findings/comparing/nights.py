"""One of two runs that are compared: plan, facts, and how its findings are drawn."""

from dataclasses import dataclass
from functools import cached_property

from auditor.findings.comparing.types import RunIdentity
from auditor.findings.contract.context import Context
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.summary import Setting
from auditor.findings.summary import setting_of
from auditor.records.plan import Plan


@dataclass(frozen=True)
class Night:
    """A run that is measured."""

    plan: Plan
    context: Context
    evidence: Evidence

    @cached_property
    def setting(self) -> Setting:
        """How findings of the whole corpus are drawn."""
        return setting_of(self.evidence, self.context)

    @property
    def identity(self) -> RunIdentity:
        """What the comparison says of it."""
        return RunIdentity(
            run_id=self.plan.run_id,
            plan_id=self.plan.id,
            title=self.plan.title,
            created=self.plan.created,
            model=self.plan.model.name,
            n_documents=len(self.evidence.documents),
        )
