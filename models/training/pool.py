"""The recognition pool that pool.mjs rendered: pairs of pictures of one thing, 64 px, RGB bytes."""
import json

import numpy as np
import torch

from journal import CACHE

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 255
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1) * 255


def normalise(pixels):
    """Bytes or floats 0..255, N x 3 x H x W -> the networks' input, channels last."""
    return ((pixels.float() - MEAN.to(pixels.device)) / STD.to(pixels.device)).contiguous(memory_format=torch.channels_last)


class Pool:
    """All chunks of a part, memory-mapped. Pictures 2i and 2i+1 show the same thing."""

    def __init__(self, part="train", folder=None, only=None):
        """`only` [from, to): only these classes, numbered from 0."""
        folder = folder or CACHE / "pool" / "recognition"
        self.chunks, labels = [], []
        for meta_file in sorted(folder.glob(f"{part}-*.json")):
            meta = json.loads(meta_file.read_text())
            side = meta["side"]
            self.chunks.append(np.memmap(meta_file.with_suffix(".rgb"), np.uint8, "r").reshape(meta["count"], side, side, 3))
            labels += meta["labels"]
            self.classes = meta["classes"]
            self.side = side
        if not self.chunks:
            raise SystemExit(f"no {part} pool in the training cache: run make -C models/training pool")
        self.labels = torch.tensor(labels)
        self.size = len(labels)
        self.per_chunk = len(self.chunks[0])
        self.pairs = np.arange(self.size // 2)
        if only:
            first = self.labels[::2].numpy()
            self.pairs = self.pairs[(first >= only[0]) & (first < only[1])]
            self.labels, self.classes = self.labels - only[0], only[1] - only[0]

    def pictures(self, rows):
        """N x 3 x side x side bytes."""
        out = np.stack([self.chunks[r // self.per_chunk][r % self.per_chunk] for r in rows])
        return torch.from_numpy(out).permute(0, 3, 1, 2)

    def pair_batches(self, batch, seed, start_step):
        """Endless batches of batch/2 pairs from `start_step` on: rows, first views then second views. The order depends on seed and step only."""
        per_epoch = len(self.pairs) // (batch // 2)
        step = start_step
        while True:
            epoch, at = divmod(step, per_epoch)
            if step == start_step or at == 0:
                order = np.random.RandomState(seed * 1000 + epoch).permutation(self.pairs)
            chosen = order[at * (batch // 2):(at + 1) * (batch // 2)]
            yield step, np.concatenate([chosen * 2, chosen * 2 + 1])
            step += 1


def jitter(pictures, generator, shift=3):
    """A shift by up to `shift` pixels (edges repeated) and a change of light and colour, a different one for each picture."""
    n, _, height, width = pictures.shape
    x = torch.nn.functional.pad(pictures.float(), (shift,) * 4, mode="replicate")
    offsets = torch.randint(0, 2 * shift + 1, (n, 2), generator=generator).tolist()
    x = torch.stack([x[i, :, dy:dy + height, dx:dx + width] for i, (dy, dx) in enumerate(offsets)])
    uniform = lambda *shape: torch.rand(*shape, generator=generator) * 2 - 1
    x = x * (1 + 0.15 * uniform(n, 1, 1, 1)) * (1 + 0.06 * uniform(n, 3, 1, 1)) + 10 * uniform(n, 1, 1, 1)
    return x.clamp(0, 255).contiguous(memory_format=torch.channels_last)


class DevRetrieval:
    """recall@1 on the dev things: two gallery pictures and up to five queries each; kinds apart (emoji, token, head)."""

    def __init__(self):
        pool = Pool("dev")
        gallery, queries, seen = [], [], {}
        for row, label in enumerate(pool.labels.tolist()):
            n = seen[label] = seen.get(label, 0) + 1
            if n <= 2:
                gallery.append(row)
            elif n <= 7:
                queries.append(row)
        self.gallery, self.queries = pool.pictures(gallery), pool.pictures(queries)
        self.gallery_labels, self.query_labels = pool.labels[gallery], pool.labels[queries]

    def score(self, embed):
        """`embed`: bytes N x 3 x 64 x 64 -> unit vectors. Returns shares by kind, and all together."""
        similarity = embed(self.queries) @ embed(self.gallery).T
        hit = (self.gallery_labels[similarity.argmax(1)] == self.query_labels).float()
        kind = self.query_labels // 100  # the dev list holds 100 emoji, 100 tokens, 100 heads, in this order
        return {**{name: hit[kind == k].mean().item() for k, name in enumerate(("emoji", "token", "head"))}, "all": hit.mean().item()}


def embedder(net, batch=128):
    """The network as a function of bytes; leaves it in evaluation mode."""
    def embed(pictures):
        net.eval()
        at = next(net.parameters()).device
        with torch.no_grad():
            return torch.cat([torch.nn.functional.normalize(net(normalise(pictures[i:i + batch].to(at)))).cpu() for i in range(0, len(pictures), batch)])
    return embed


def thumbnail(pictures):
    """The 32 x 32 pixel baseline: mean removed, unit length."""
    x = torch.nn.functional.avg_pool2d(pictures.float(), 2).flatten(1)
    return torch.nn.functional.normalize(x - x.mean(1, keepdim=True))
