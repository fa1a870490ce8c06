"""Do weights that are the parts of a change add up to it?

    error    all weights, and the remainder where there is one, less f(x) − f(b)
    missed   |error| / max(|f(x) − f(b)|, FLOOR)

f(x) is the model's answer to the document, f(b) that to the baseline: where integrated gradients begin, or for Shapley
values the document without any segment. Other methods promise no sum. `FLOOR` is the least change of an answer that
grades take for one: below it, a share of nearly nothing would say nothing.
"""

from typing import Final

from auditor.records.explanations import Explanation

FLOOR: Final = 0.05
"""In the unit of the answer."""


def error(explanation: Explanation) -> float | None:
    """Of the first target, in the unit of the explanation; None for a method whose weights need not add up."""
    if integral := explanation.targets[0].integral:
        return integral.completeness_error
    return explanation.shapley.residuals[0] if explanation.shapley else None


def missed(explanation: Explanation) -> float | None:
    """What the weights of the first target miss, as a share of what the answer changes; None as for `error`."""
    of_change = error(explanation)
    return None if of_change is None else abs(of_change) / max(abs(_change(explanation)), FLOOR)


def _change(explanation: Explanation) -> float:
    """f(x) − f(b) of the first target."""
    target = explanation.targets[0]
    if target.integral:
        return target.model_prediction - target.integral.baseline_prediction
    return target.model_prediction - (explanation.shapley.empty_predictions[0] if explanation.shapley else 0.0)
