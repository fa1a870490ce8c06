"""Two runs of the worked example, of which a test names what the second has otherwise."""

from dataclasses import replace

from auditor.findings import Bound
from auditor.findings.comparing import Night, compare
from auditor.records.plan import PlannedProbe
from tests.findings.worked_example import context, evidence
from tests.records.planned import planned

PROBES = {
    "prediction": PlannedProbe("Prediction", {}, 40, None),
    "lime": PlannedProbe("Explanation", {"n_samples": 1000, "limit": 30}, 30, None),
    "attention": PlannedProbe("AttentionStatistics", {}, 40, None),
    "perplexity": PlannedProbe("Perplexity", {"stride": 64}, 40, None),
}


def night(facts=None, checks=None, **plan):
    bounds = {"accuracy": Bound(at_least=0.7)} if checks is None else checks
    identity = {"run_id": "run-1", "created": "2026-01-01T00:00:00Z"}
    made = planned(probes=plan.pop("probes", PROBES), checks=bounds, **identity, **plan)
    return Night(made, context(checks=bounds), evidence() if facts is None else facts)


def compared(facts=None, before=None, floors=None, **plan):
    """The comparison of the worked example with another night."""
    return compare(before or night(), night(facts, **plan), floors)


def answered(facts, **changes):
    """The evidence with other predictions: document id → changes of its record."""
    rows = dict(facts.rows["prediction"])
    for name, change in changes.items():
        rows[name] = replace(rows[name], **change)
    return replace(facts, rows={**facts.rows, "prediction": rows})
