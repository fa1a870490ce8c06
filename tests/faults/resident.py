"""How large this process is."""

import os
from pathlib import Path


def resident() -> int:
    """Bytes of it in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
