"""The command line of a simulation that prints one table."""

import argparse
from collections.abc import Callable, Iterable


def print_table(program: str, description: str | None, table: Callable[[int], Iterable[str]], draws: int) -> None:
    """Prints the lines of a table as they come, of as many corpora for each cell as are asked for."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--draws", type=int, default=draws, help="corpora for each cell")
    for line in table(parser.parse_args().draws):
        print(line, flush=True)
