"""Annex A of ISO/IEC 42001:2023: all 38 controls; those that lie together outside of any report share a line.

The text of the standard is under copyright: what stands here are references and words of our own.
"""

from auditor.languages import N_
from auditor.report.regulations.contract import Framework, Item

ANNEX_A = Framework(
    title=N_("ISO/IEC 42001, Annex A: controls of an AI management system"),
    source="ISO/IEC 42001:2023",
    items=(
        Item("A.2.2–A.2.4", N_("A policy on AI, its fit with other policies, its review")),
        Item("A.3.2", N_("Who is responsible for what"), (), ("owner",)),
        Item("A.3.3", N_("A way to report concerns")),
        Item(
            "A.4.2", N_("Resources are recorded"), ("provenance",), lacks=N_("resources of development and operation")
        ),
        Item("A.4.3", N_("Data that is used"), ("provenance", "documents"), ("training_data",)),
        Item(
            "A.4.4",
            N_("Tools that are used"),
            ("provenance",),
            lacks=N_("tools of development; here are those of the audit"),
        ),
        Item(
            "A.4.5",
            N_("Systems and computing power"),
            ("provenance",),
            lacks=N_("those of development and operation; here is the device of the audit"),
        ),
        Item("A.4.6", N_("People and their skills")),
        Item("A.5.2–A.5.3", N_("A process to assess impacts, and its records")),
        Item(
            "A.5.4",
            N_("Impacts on individuals and groups"),
            ("slices",),
            ("affected_groups",),
            lacks=N_("an assessment of impacts; slices show differences only"),
        ),
        Item("A.5.5", N_("Impacts on society"), (), ("ethics",)),
        Item("A.6.1.2–A.6.1.3", N_("Aims and processes of responsible development")),
        Item(
            "A.6.2.2",
            N_("Requirements on the system"),
            ("checks",),
            ("intended_purpose",),
            lacks=N_("requirements other than the bounds of the checks"),
        ),
        Item("A.6.2.3", N_("Records of design and development")),
        Item(
            "A.6.2.4",
            N_("Verification and validation: measures, criteria, results"),
            ("methods", "answers", "checks", "verdict"),
            ("evaluation_data",),
        ),
        Item("A.6.2.5", N_("A plan of deployment")),
        Item("A.6.2.6", N_("Operation and monitoring"), (), ("monitoring",)),
        Item(
            "A.6.2.7",
            N_("Technical documentation for each interested party"),
            ("provenance", "methods"),
            ("intended_purpose", "limits"),
            lacks=N_("documents on design and operation"),
        ),
        Item("A.6.2.8", N_("Logs of events in operation")),
        Item("A.7.2–A.7.3", N_("Management, acquisition and selection of data"), (), ("training_data",)),
        Item(
            "A.7.4",
            N_("Quality of data"),
            ("documents",),
            ("training_data",),
            lacks=N_("requirements on quality; here is what could be measured of the corpus"),
        ),
        Item("A.7.5", N_("Provenance of data"), ("provenance",), ("training_data",)),
        Item("A.7.6", N_("Preparation of data"), (), ("training_data",)),
        Item("A.8.2", N_("Information for users"), (), ("intended_purpose", "limits", "oversight")),
        Item("A.8.3", N_("A way for outsiders to report adverse impacts")),
        Item("A.8.4", N_("How incidents are told to users"), (), ("monitoring",)),
        Item("A.8.5", N_("What has to be reported to interested parties")),
        Item("A.9.2–A.9.3", N_("Processes and aims of responsible use")),
        Item("A.9.4", N_("Use as intended"), (), ("intended_purpose", "out_of_scope")),
        Item("A.10.2–A.10.4", N_("Responsibilities shared with partners, suppliers and customers")),
    ),
)
