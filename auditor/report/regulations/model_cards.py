"""The nine headings of a model card, by Mitchell et al. 2019."""

from auditor.languages import N_
from auditor.report.regulations.contract import Framework, Item

MODEL_CARD = Framework(
    title=N_("Model card"),
    source="Mitchell et al. 2019, Model Cards for Model Reporting",
    items=(
        Item(
            "Model Details",
            N_("Who made it, when, which version and type, licence, contact"),
            ("provenance",),
            ("owner", "version_history"),
            lacks=N_("licence and citation"),
        ),
        Item(
            "Intended Use",
            N_("Uses and users it is for, and uses it is not for"),
            (),
            ("intended_purpose", "out_of_scope"),
        ),
        Item("Factors", N_("Groups, instruments and environments that matter"), ("slices",), ("affected_groups",)),
        Item("Metrics", N_("Measures, thresholds and how variation was found"), ("answers", "methods", "checks")),
        Item(
            "Evaluation Data",
            N_("Data sets, why they were chosen, preprocessing"),
            ("documents", "provenance"),
            ("evaluation_data",),
        ),
        Item("Training Data", N_("The same of the training data"), (), ("training_data",)),
        Item(
            "Quantitative Analyses",
            N_("Results by factor, and by several factors at once"),
            ("accuracy", "slices"),
            lacks=N_("several factors at once"),
        ),
        Item("Ethical Considerations", N_("Sensitive data, risks, harms, their mitigation"), (), ("ethics",)),
        Item("Caveats and Recommendations", N_("Further concerns, and what to test next"), ("verdict",), ("limits",)),
    ),
)
