"""`python -m auditor`, and the entry point of the `auditor` command."""

import sys

from auditor.terminal.cli import main

if __name__ == "__main__":
    sys.exit(main())
