"""ArcMargin (Deng et al. 2019; the paper's equation 1) and the two-view contrastive term that speeds it up here."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class ArcMargin(nn.Module):
    def __init__(self, dim, classes, scale=30.0):
        super().__init__()
        # Larger than Xavier's start: with it Adam's first steps turn the proxies too far.
        self.weight = nn.Parameter(torch.randn(classes, dim) * 0.1)
        self.scale = scale

    def cosines(self, embedding):
        return F.linear(F.normalize(embedding), F.normalize(self.weight)).clamp(-1 + 1e-6, 1 - 1e-6)

    def logits(self, embedding, labels, margin):
        """Scaled cosines, the angle to the true class enlarged by `margin` radians."""
        cosine = self.cosines(embedding)
        true = cosine.gather(1, labels[:, None])
        with_margin = true * math.cos(margin) - torch.sqrt(1 - true * true) * math.sin(margin)
        # Past pi - margin the cosine would rise again: go on linearly, as the reference implementations do.
        with_margin = torch.where(true > math.cos(math.pi - margin), with_margin, true - math.sin(math.pi - margin) * margin)
        return self.scale * cosine.scatter(1, labels[:, None], with_margin)

    def forward(self, embedding, labels, margin):
        return F.cross_entropy(self.logits(embedding, labels, margin), labels)


def two_view_contrast(embedding, temperature=0.1):
    """Each picture should find the other view of its pair (rows i and i + n/2) among all of the batch."""
    z = F.normalize(embedding)
    similarity = z @ z.T / temperature
    similarity.fill_diagonal_(-1e4)
    n = len(z)
    return F.cross_entropy(similarity, torch.arange(n, device=z.device).roll(n // 2))
