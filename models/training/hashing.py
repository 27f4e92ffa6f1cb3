"""
Binary layers on the light network: python3 hashing.py CONFIG

dshsd  Wu et al. 2019: pairs closer than a margin of 2 x bits where labels differ, tanh outputs, class logits; weight of the pair term 0.05 as in the paper (section 3.1),
       squared distances of outputs in -1..1, so that the margin of 1024 for 512 bits is half of the largest distance, 4 x bits.
lcdsh  Cao et al. 2017's likelihood of pairs, with the straightened codes' term |sgn(x) - x|.
dlbhc  Lin et al. 2015: a sigmoid layer before the classifier; a bit is 1 where x >= 0.5.
The trunk stays as it is; a linear layer, its batch norm and the classifier are trained on the pool's embeddings.
"""
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from journal import Journal, cosine, one_thread, read_config
from pool import DevRetrieval, Pool, embedder
from recipes import load_embedder, teacher_embeddings


class BinaryLayer(nn.Module):
    """Unit embedding -> `bits` numbers: tanh (sign them) or sigmoid (round them)."""

    def __init__(self, dim, bits, sigmoid):
        super().__init__()
        self.linear, self.norm, self.sigmoid = nn.Linear(dim, bits), nn.BatchNorm1d(bits), sigmoid

    def forward(self, embedding):
        x = self.norm(self.linear(F.normalize(embedding)))
        return torch.sigmoid(x) if self.sigmoid else torch.tanh(x)


def pair_terms(u, labels):
    """Squared distances, and which pairs (not a row with itself) share a label."""
    apart = 1 - torch.eye(len(u))
    same = (labels[:, None] == labels[None]).float()
    squared = (u * u).sum(1)
    return (squared[:, None] + squared[None] - 2 * u @ u.T).clamp(min=0), same * apart, (1 - same) * apart


def dshsd(u, logits, labels, alpha, margin):
    distance, same, other = pair_terms(u, labels)
    pairs = ((same * distance).sum() + (other * F.relu(margin - distance)).sum()) / (same + other).sum()
    return alpha * pairs + F.cross_entropy(logits, labels)


def lcdsh(u, logits, labels, straighten):
    _, same, other = pair_terms(u, labels)
    product = u @ u.T / 2 * (20 / u.shape[1])  # scaled so that the sigmoid does not saturate at 512 bits
    likelihood = F.softplus(product) - same * product
    balance = other.sum() / same.sum().clamp(min=1)
    pairs = (likelihood * (same * balance + other)).sum() / (2 * other.sum())
    return pairs + F.cross_entropy(logits, labels) + straighten * (u.abs() - 1).abs().mean()


def dlbhc(u, logits, labels):
    return F.cross_entropy(logits, labels)


def to_signs(layer):
    """Codes as +-1, so that their inner product orders as the Hamming distance does."""
    def signs(embedding):
        layer.eval()
        with torch.no_grad():
            u = layer(embedding)
        return torch.where(u >= 0.5 if layer.sigmoid else u > 0, 1.0, -1.0)
    return signs


def main(name):
    config = read_config(name)
    one_thread(config)
    journal, pool = Journal(name), Pool()
    net = load_embedder(config["start"])
    embeddings = teacher_embeddings(config["start"], pool)
    dev, embed = DevRetrieval(), embedder(net)
    sigmoid = config["loss"] == "dlbhc"
    layer, classify = BinaryLayer(config["dim"], config["bits"], sigmoid), nn.Linear(config["bits"], pool.classes)
    both = nn.ModuleList([layer, classify])
    optimiser = torch.optim.AdamW(both.parameters(), lr=config["rate"], weight_decay=0.01)
    steps, batch = config["steps"], config["batch"]
    queries, gallery = embed(dev.queries), embed(dev.gallery)
    start, state = 0, journal.resume()
    if state:
        both.load_state_dict(state["both"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["step"]
    running = None
    for step, rows in pool.pair_batches(batch, config["seed"], start):
        if step >= steps:
            break
        for group in optimiser.param_groups:
            group["lr"] = config["rate"] * cosine(step, steps)
        both.train()
        generator = torch.Generator().manual_seed(config["seed"] * 1_000_003 + step)
        x = embeddings[torch.from_numpy(rows)].float()
        u = layer(x + 0.02 * torch.randn(x.shape, generator=generator))
        logits, labels = classify(u), pool.labels[rows]
        if config["loss"] == "dshsd":
            loss = dshsd(u, logits, labels, config["alpha"], config["margin"])
        elif config["loss"] == "lcdsh":
            loss = lcdsh(u, logits, labels, config["straighten"])
        else:
            loss = dlbhc(u, logits, labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        running = float(loss) if running is None else 0.98 * running + 0.02 * float(loss)
        done = step + 1
        if done % config["every"] == 0 or done == steps:
            signs = to_signs(layer)
            hit = dev.gallery_labels[(signs(queries) @ signs(gallery).T).argmax(1)] == dev.query_labels
            real = dev.gallery_labels[(queries @ gallery.T).argmax(1)] == dev.query_labels
            journal.log(step=done, images=done * batch, loss=running, dev_all=hit.float().mean().item(), dev_real=real.float().mean().item())
            journal.save(done, steps=steps, layer=layer.state_dict(), both=both.state_dict(), optimiser=optimiser.state_dict(), config=config)


if __name__ == "__main__":
    main(sys.argv[1])
