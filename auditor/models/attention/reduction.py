r"""The sums behind the statistics of attention heads, from blocks of query rows that are read as seldom as possible.

For the query rows a ≤ i < b, with the weights p_ij and v_i = 1 for tokens, 0 for padding, one product of two rows with
the block gives the moments

    r_j = Σ_i v_i p_ij        m_j = Σ_i v_i (i − a) p_ij

The r_j of all rows together are what key j receives, and every share of a set of keys (first, first four, special,
punctuation) is Σ_j r_j over that set. The distance needs no pass over the block either, since |i − j| is linear in i
but for the square of the keys a ≤ j < b:

    Σ_ij v_i p_ij |i − j| = Σ_{j<b} (m_j + (a − j) r_j) − Σ_{j≥b} (m_j + (a − j) r_j) + 2 Σ_i v_i Σ_{i<j<b} p_ij (j − i)

Positions count from a, so that sums in float32 hold small numbers; whatever is summed over blocks is float64. The
entropy of a row comes with its weights: with x_ij the scores less their largest, p_ij = e^x_ij / Z, max_j p_ij = 1 / Z,
hence H_i = −Σ_j p_ij x_ij − ln max_j p_ij, two terms that are never negative.
"""

import torch

OF_QUERIES = ("entropy", "distance", "self_share", "previous_share", "next_share")
"""Statistics that are sums over query rows, as they lie side by side in a tensor."""
OF_KEYS = ("first_share", "first4_share", "special_share", "punctuation_share")
"""Statistics that are sums of what a set of keys receives, behind those."""
STATISTICS = (*OF_QUERIES, *OF_KEYS)
_AT = {name: index for index, name in enumerate(STATISTICS)}
_DIAGONALS = {"self_share": 0, "previous_share": -1, "next_share": 1}
"""Which key each is the weight on, counted from the query."""
_FIRST = {"first_share": 1, "first4_share": 4}
"""How many keys, from the first one, each is the weight on."""


class Rows:
    """What is kept of the weights of some query rows: five numbers a row, two a key.

    Attributes:
        span: Which query rows.
        of_queries: (B, K, G, 5, c), see `OF_QUERIES`; of the distance the part to the keys a < j < b ahead.
        of_keys: (B, K, G, 2, S): r and m of the keys that the rows see.
    """

    def __init__(self, span: slice, seen: int, heads: torch.Size, valid: torch.Tensor) -> None:
        self.span = span
        positions = torch.arange(span.stop - span.start, dtype=torch.float32, device=valid.device)
        real = valid[:, span].float()
        self.of_queries = real.new_zeros(*heads, len(OF_QUERIES), len(positions))
        self.of_keys = real.new_empty(*heads, 2, seen)
        self._moments = torch.stack((real, real * positions), dim=1)[:, None, None]  # B 1 1 2 c
        self._ahead = (positions - positions[:, None]).clamp(min=0)

    def take(self, documents: slice, heads: slice, weights: torch.Tensor, scores: torch.Tensor) -> None:
        """Takes weights and scores (b, k, G, c, S) of some documents and key heads; the scores are used up."""
        rows = self.of_queries[documents, heads]
        rows[..., _AT["entropy"], :] = -scores.mul_(weights).sum(-1) - weights.amax(-1).log()
        torch.sum(weights[..., self.span] * self._ahead, -1, out=rows[..., _AT["distance"], :])
        for name, offset in _DIAGONALS.items():
            diagonal = weights.diagonal(self.span.start + offset, -2, -1)
            first = max(0, -self.span.start - offset)
            rows[..., _AT[name], first : first + diagonal.shape[-1]] = diagonal
        self.of_keys[documents, heads] = self._moments[documents] @ weights


class Sums:
    """Sums over the query rows of one layer, on the device, in float64.

    Attributes:
        of_queries: (B, K, G, 5), see `OF_QUERIES`.
        received: (B, K, G, T): the weight that each key receives.
    """

    def __init__(self, valid: torch.Tensor, heads: torch.Size) -> None:
        self.valid = valid.double()  # B T
        self.of_queries = self.valid.new_zeros(*heads, len(OF_QUERIES))
        self.received = self.valid.new_zeros(*heads, valid.shape[1])

    def add(self, rows: Rows) -> None:
        """Adds some query rows of all documents and heads."""
        received, moments = rows.of_keys.double().unbind(-2)  # B K G S
        self.received[..., : received.shape[-1]] += received
        keys = torch.arange(received.shape[-1], device=received.device)
        behind = moments + (rows.span.start - keys) * received
        sums = (rows.of_queries * self.valid[:, None, None, None, rows.span]).sum(-1)
        distance = sums[..., _AT["distance"]]  # a view
        distance *= 2
        distance += behind[..., : rows.span.stop].sum(-1) - behind[..., rows.span.stop :].sum(-1)
        self.of_queries += sums

    def means(self, special: torch.Tensor, punctuation: torch.Tensor, causal: bool) -> torch.Tensor:
        """Means over the queries, (B, H, len(STATISTICS)), with the tokens that are special or punctuation, (B, T)."""
        positions = torch.arange(special.shape[1], device=special.device).expand_as(special)
        sets = {name: positions < k for name, k in _FIRST.items()}
        sets |= {"special_share": special > 0, "punctuation_share": punctuation > 0}
        keys = torch.stack([sets[name] for name in OF_KEYS], dim=-1).double()  # B T 4
        sums = torch.cat((self.of_queries.flatten(1, 2), self.received.flatten(1, 2) @ keys), dim=-1)
        by_construction = torch.zeros_like(sums[0, 0])
        if causal:  # the first k queries see the first k keys only
            for name, k in _FIRST.items():
                by_construction[_AT[name]] = k
        counts = self.valid.sum(-1)[:, None, None] - by_construction
        return torch.where(counts > 0, (sums - by_construction) / counts.clamp(min=1), 1.0)

    def received_by_token(self) -> torch.Tensor:
        """What each key receives, the mean over queries and heads, (B, T)."""
        return self.received.mean((1, 2)) / self.valid.sum(-1, keepdim=True).clamp(min=1)
