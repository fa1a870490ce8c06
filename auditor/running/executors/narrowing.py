"""On which documents of a shard are workers lost? Narrowed down by measuring ever smaller groups of them.

    all n documents    lost, `retries` + 1 times
    groups of √n       lost at one of them
    one by one         lost at the document: it is not measured any more, and the others are, all together as at first

The group at which a worker was lost comes first the next time. Losses besides the first `retries`, of which each loads
the weights again, and waits for the timeout where the document holds its worker up:

                                      25 documents    100    n
    the first fatal document                     3      3    3
    each further one                             3      3    3
    were groups halved                           6      8    1 + ⌈log2 n⌉
    one by one at once                           2      2    2, but all documents without batches

Up to three documents are measured one by one at once. The rows of the others depend on the shard and on its fatal
documents alone, not on how these were found. One exception: where workers survive all groups, but not the whole, as for
want of memory, the groups are what is measured.
"""

from dataclasses import replace
from math import isqrt

from auditor.running.executors.contract import AtWork, Fatal, Group, Shard


def narrowed(shard: Shard, at: AtWork, reason: str) -> Shard:
    """The same shard with smaller groups, or with the one document that was at work as fatal.

    Args:
        shard: As it was given to the worker that was lost.
        at: What that was doing, with the documents.
        reason: How it ended.
    """
    others = tuple(group for group in shard.groups if group.probe != at.probe)
    if len(at.document_ids) == 1:
        fatal = Fatal(at.probe, at.document_ids[0], f"the worker that measured it, and nothing else, {reason}")
        return replace(shard, fatal=(*shard.fatal, fatal), groups=others)
    of_probe = [group for group in shard.groups if group.probe == at.probe]
    rest = [group for group in of_probe if not {*group.document_ids} & {*at.document_ids}]
    size = 1 if of_probe else isqrt(len(at.document_ids))
    starts = range(0, len(at.document_ids), size)
    smaller = [Group(at.probe, at.document_ids[start : start + size]) for start in starts]
    return replace(shard, groups=(*smaller, *rest, *others))
