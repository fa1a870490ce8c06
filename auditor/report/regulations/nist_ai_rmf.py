"""The MEASURE function of the NIST AI Risk Management Framework 1.0: all 22 subcategories."""

from auditor.languages import N_
from auditor.report.regulations.contract import Framework, Item

MEASURE = Framework(
    title=N_("NIST AI Risk Management Framework 1.0: MEASURE"),
    source="NIST AI 100-1, January 2023",
    items=(
        Item(
            "1.1",
            N_("Metrics are chosen for the most significant risks; what is not measured is documented"),
            ("methods", "checks"),
            lacks=N_("the risks that were mapped, and those that are not measured"),
        ),
        Item("1.2", N_("Metrics and controls are reassessed regularly, with reports of errors and impacts")),
        Item(
            "1.3",
            N_("Assessors who did not develop the system take part; experts and users are consulted"),
            ("reviewers",),
            lacks=N_("who was consulted, and whether reviewers are independent"),
        ),
        Item("2.1", N_("Test sets, metrics and tools are documented"), ("methods", "documents", "provenance")),
        Item("2.2", N_("Evaluations with human subjects meet their requirements")),
        Item(
            "2.3",
            N_("Performance is measured for conditions like those of deployment"),
            ("accuracy", "checks"),
            ("evaluation_data",),
        ),
        Item("2.4", N_("Behaviour is monitored in production"), (), ("monitoring",)),
        Item(
            "2.5",
            N_("Validity and reliability are shown; limits of generalisation are documented"),
            ("accuracy", "calibration", "slices"),
            ("limits",),
        ),
        Item("2.6", N_("Safety risks are evaluated regularly; residual risk stays within tolerance")),
        Item("2.7", N_("Security and resilience are evaluated"), (), ("security",)),
        Item(
            "2.8",
            N_("Risks of transparency and accountability are examined"),
            ("provenance", "reviewers"),
            ("owner",),
            lacks=N_("an examination of these risks"),
        ),
        Item(
            "2.9",
            N_("The model is explained, validated and documented; outputs are interpreted in context"),
            ("explanations", "answers", "provenance"),
            ("intended_purpose",),
        ),
        Item("2.10", N_("Privacy risk is examined")),
        Item(
            "2.11",
            N_("Fairness and bias are evaluated"),
            ("slices",),
            ("affected_groups",),
            lacks=N_("measures of fairness; slices show differences only"),
        ),
        Item("2.12", N_("Environmental impact of training and use is assessed")),
        Item(
            "2.13",
            N_("The measuring itself is evaluated"),
            ("methods", "explanations"),
            lacks=N_("whether the metrics suit the purpose; intervals and fidelity say how exact they are"),
        ),
        Item("3.1", N_("Existing and new risks are tracked over time")),
        Item("3.2", N_("Risks that are hard to measure are tracked")),
        Item("3.3", N_("Users and affected communities can report problems and appeal")),
        Item(
            "4.1",
            N_("Measuring is tied to the context of deployment, with the advice of experts and users"),
            (),
            ("intended_purpose", "evaluation_data"),
            lacks=N_("the advice of experts and users"),
        ),
        Item(
            "4.2",
            N_("Results are reviewed by experts, to see whether the system does what was intended"),
            ("verdict", "reviewers"),
            ("intended_purpose",),
            lacks=N_("what the experts said, beyond their signatures"),
        ),
        Item("4.3", N_("Improvements and declines are found with field data and those affected")),
    ),
)
