"""Annex IV of the EU AI Act: the technical documentation of a high-risk system, as Article 11(1) asks for it."""

from auditor.languages import N_
from auditor.report.regulations.contract import Framework, Item

ANNEX_IV = Framework(
    title=N_("EU AI Act, Annex IV: technical documentation"),
    source="Regulation (EU) 2024/1689",
    items=(
        Item(
            "1(a)",
            N_("Intended purpose, provider, version and how it relates to earlier ones"),
            ("provenance",),
            ("intended_purpose", "owner", "version_history"),
        ),
        Item("1(b)", N_("How the system works together with other hardware, software and AI systems")),
        Item(
            "1(c)",
            N_("Versions of software and firmware, and what updates require"),
            ("provenance",),
            lacks=N_("the software of the system in use; here is that of the audit"),
        ),
        Item("1(d)", N_("The forms in which it is placed on the market or put into service")),
        Item(
            "1(e)",
            N_("The hardware it is meant to run on"),
            ("provenance",),
            lacks=N_("the hardware of the system in use; here is that of the audit"),
        ),
        Item("1(f)", N_("Pictures and layout of the product it is a component of")),
        Item("1(g)–(h)", N_("The user interface and the instructions for use given to the deployer")),
        Item("2(a)", N_("Methods and steps of development, and third parties’ pre-trained systems in it")),
        Item(
            "2(b)",
            N_("Design: general logic, main choices and their reasons, what is optimised, expected output"),
            ("provenance", "explanations"),
            ("affected_groups",),
            lacks=N_("design choices, trade-offs and their reasons"),
        ),
        Item(
            "2(c)",
            N_("System architecture, and the computing resources of development, training and testing"),
            ("provenance",),
            lacks=N_("how components build on each other; the resources of development"),
        ),
        Item("2(d)", N_("Training data: origin, scope, selection, labelling, cleaning"), (), ("training_data",)),
        Item(
            "2(e)",
            N_("Human oversight (Article 14), and technical means to interpret outputs (Article 13(3)(d))"),
            ("explanations",),
            ("oversight",),
        ),
        Item("2(f)", N_("Changes determined in advance, and how compliance is kept")),
        Item(
            "2(g)",
            N_("Validation and testing: procedures, data, accuracy, robustness, discrimination, signed reports"),
            ("methods", "accuracy", "slices", "documents", "verdict"),
            ("evaluation_data",),
            lacks=N_("tests of robustness; whether differences between slices discriminate"),
        ),
        Item("2(h)", N_("Cybersecurity measures"), (), ("security",)),
        Item(
            "3",
            N_("Capabilities and limits, accuracy for groups of people, foreseeable harm, oversight, input data"),
            ("accuracy", "slices"),
            ("limits", "out_of_scope", "affected_groups", "oversight"),
            lacks=N_("specifications of the input data; risks to health, safety and rights"),
        ),
        Item(
            "4",
            N_("Why the performance metrics are appropriate"),
            ("methods", "checks"),
            lacks=N_("why these metrics suit this use"),
        ),
        Item("5", N_("The risk management system (Article 9)")),
        Item("6", N_("Relevant changes over the lifecycle"), (), ("version_history",)),
        Item("7", N_("Standards applied, or the solutions adopted instead"), (), ("standards",)),
        Item("8", N_("Copy of the EU declaration of conformity (Article 47)")),
        Item(
            "9",
            N_("How performance is evaluated after release, with the monitoring plan (Article 72)"),
            (),
            ("monitoring",),
        ),
    ),
)
