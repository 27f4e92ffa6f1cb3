"""recall@1 of an embedding on the six recognition sets, as the harness does it: OpenCV's linear resize, inner product of unit vectors, junk rules of each set.
python3 benchmark.py [CONFIG]     without a config: the 32 x 32 pixel baseline. For final figures only: no choice may look here (use the dev figures of a training's log)."""
import math
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from journal import ROOT

BUILD = ROOT / "datasets" / "mini" / "build"
SETS = {  # name: (query list or None for leave one out, gallery list, third column is a camera)
    "mini-goods": (None, "gallery.txt", False),
    "mini-tokens": ("query.txt", "gallery.txt", True),
    "mini-logos": ("query.txt", "gallery.txt", False),
    "mini-faces": ("query.txt", "gallery.txt", False),
    "mini-stickers": (None, "gallery.txt", False),
    "mini-shelf": ("query.txt", "gallery.txt", False),
}


def wilson(hits, n, z=1.959963984540054):
    """Wilson's 95% interval of a share."""
    p = hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def read_list(folder, name, side):
    """Pictures N x 3 x side x side bytes, labels, third column (or None)."""
    rows = [line.split(" ") for line in (folder / name).read_text().splitlines()]
    pictures = np.stack([cv2.resize(cv2.imread(str(folder / row[0]))[:, :, ::-1], (side, side), interpolation=cv2.INTER_LINEAR) for row in rows])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2), [row[1] for row in rows], [row[2] if len(row) > 2 else None for row in rows]


def recall_at_1(name, embed, side=64):
    """(hits, queries) of one set. `embed`: bytes -> unit vectors, or +-1 codes (their inner product orders as Hamming distance does)."""
    folder = BUILD / name
    query_list, gallery_list, cameras = SETS[name]
    pictures, labels, third = read_list(folder, gallery_list, side)
    gallery = embed(pictures)
    if query_list is None:
        similarity = gallery @ gallery.T
        similarity.fill_diagonal_(-math.inf)
        asked = labels
    else:
        pictures, asked, from_camera = read_list(folder, query_list, side)
        similarity = embed(pictures) @ gallery.T
        if cameras:
            numbers = {label: i for i, label in enumerate(set(labels))}
            same = torch.tensor([numbers[a] for a in asked])[:, None] == torch.tensor([numbers[b] for b in labels])[None]
            junk = same & (torch.tensor([int(c) for c in from_camera])[:, None] == torch.tensor([int(c) for c in third])[None])
            similarity[junk] = -math.inf
    best = similarity.argmax(1).tolist()
    return sum(labels[b] == a for b, a in zip(best, asked)), len(asked)


def report(embed, title, side=64):
    shares = []
    for name in SETS:
        hits, n = recall_at_1(name, embed, side)
        low, high = wilson(hits, n)
        shares.append(hits / n)
        print(f"{title:24} {name:14} recall@1 {hits / n:.4f} [{low:.4f}, {high:.4f}] n {n}", flush=True)
    print(f"{title:24} mean of six   {sum(shares) / len(shares):.4f}", flush=True)
    return shares


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) < 2:
        from pool import thumbnail
        report(thumbnail, "32x32 pixels")
    else:
        from pool import embedder
        from recipes import load_embedder
        report(embedder(load_embedder(sys.argv[1])), sys.argv[1])
