"""What a probe gave on toy models before the run, for the method of its section."""

from auditor.findings.contract.types import Findings
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph, shortest
from auditor.report.drawing import formats


def self_checked(findings: Findings, probe: str) -> str:
    """How far it was from what is known there; empty where it was not held against anything."""
    check = next((check for check in findings.self_checks if check.probe == probe), None)
    if check is None:
        return ""
    difference = plural(
        check.n_weights,
        "Self-check before the run: over {n} weight of toy models the greatest difference from the known one is "
        "{difference}.",
        "Self-check before the run: over {n} weights of toy models the greatest difference from the known ones is "
        "{difference}.",
        difference=shortest(float(f"{check.difference:.1e}")),
    )
    if check.deviation is None:
        return difference
    estimates = say(
        "Where weights are estimated from some of the variants they are at most {deviation} standard errors off.",
        deviation=formats.decimal(check.deviation, 1),
    )
    return paragraph([difference, estimates])
