"""All runs of an audit in turn: how its numbers went, which nights are missing, since when something is wrong."""

from auditor.findings.history.nights import Night, manifest_facts, nights
from auditor.findings.history.trends import Gap, History, Point, Trend, history

__all__ = ["Gap", "History", "Night", "Point", "Trend", "history", "manifest_facts", "nights"]
