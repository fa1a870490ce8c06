"""A finished run is compared with the baseline of its audit; the comparison lies in the run and is in its sums."""

from auditor import report
from auditor.findings import comparing
from auditor.findings.comparing import RunComparison
from auditor.records import baselines
from auditor.records.run import Run
from auditor.records.sums import COMPARISON, COMPARISON_PAGE
from auditor.running.nights import night


def compare_with_baseline(run: Run) -> RunComparison | None:
    """What changed since the baseline; None where there is none, or the run is it.

    Writes comparison.json and comparison.html into the run.

    Raises:
        StoreError: The baseline is gone or cannot be read.
        DiskError: The run cannot be written.
    """
    baseline = baselines.find(run)
    if baseline is None:
        return None
    before, after = night(baseline), night(run)
    comparison = comparing.compare(before, after)
    page = report.render_comparison(comparison, before, after).encode("utf-8")
    with run.lock():
        run.write(COMPARISON, comparing.write(comparison))
        run.write(COMPARISON_PAGE, page)
        run.finish(run.manifest() or {})
    return comparison
