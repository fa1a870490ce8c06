"""The sample scripts are not a package: they import each other by their plain names, and so do these tests."""

import sys
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples"
sys.path.insert(0, str(SAMPLES))
