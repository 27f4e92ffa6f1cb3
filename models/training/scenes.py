"""The detection pool that pool.mjs rendered: square scenes of the five kinds in turn, and their boxes."""
import json

import numpy as np
import torch
import torch.nn.functional as F

from journal import CACHE

MOST = 12  # boxes a scene


class Scenes:
    """All chunks of a part, memory-mapped. `boxes` S x 12 x 4 (x0 y0 x1 y1, px), `counts` S."""

    def __init__(self, part):
        self.chunks, boxes = [], []
        for meta_file in sorted((CACHE / "pool" / "detection").glob(f"{part}-*.json")):
            meta = json.loads(meta_file.read_text())
            self.side, self.sets = meta["side"], meta["sets"]
            self.chunks.append(np.memmap(meta_file.with_suffix(".rgb"), np.uint8, "r").reshape(meta["count"], self.side, self.side, 3))
            boxes += meta["boxes"]
        if not self.chunks:
            raise SystemExit(f"no {part} scenes in the training cache: run make -C models/training pool")
        self.size, self.per_chunk = len(boxes), len(self.chunks[0])
        self.counts = torch.tensor([len(b) for b in boxes])
        self.boxes = torch.zeros(self.size, MOST, 4)
        for i, b in enumerate(boxes):
            if b:
                self.boxes[i, :len(b)] = torch.tensor(b, dtype=torch.float)

    def pictures(self, rows):
        return torch.from_numpy(np.stack([self.chunks[r // self.per_chunk][r % self.per_chunk] for r in rows])).permute(0, 3, 1, 2)

    def full(self, rows, side):
        """Whole scenes scaled to side x side, as a detector gets them; boxes in those pixels."""
        x = F.interpolate(self.pictures(rows).float(), (side, side), mode="bilinear", align_corners=False)
        return x, self.boxes[rows] * (side / self.side), self.counts[rows]

    def batch(self, rows, side, generator):
        """Random crops of one window size a batch, scaled to side x side; flipped, recoloured. Objects that a crop leaves under 35% of are painted over."""
        whole = lambda low, high: int(torch.randint(low, high + 1, (1,), generator=generator))
        window = whole(19, 26) * 8
        pictures, boxes, counts = self.pictures(rows), torch.zeros(len(rows), MOST, 4), torch.zeros(len(rows), dtype=torch.long)
        out = []
        for i, row in enumerate(rows):
            ox, oy = whole(0, self.side - window), whole(0, self.side - window)
            picture = pictures[i, :, oy:oy + window, ox:ox + window]
            b = self.boxes[row, :self.counts[row]]
            area = (b[:, 2:] - b[:, :2]).prod(1)
            b = (b - torch.tensor([ox, oy, ox, oy], dtype=torch.float)).clamp(0, window)
            left = (b[:, 2:] - b[:, :2]).prod(1) / area.clamp(min=1)
            for x0, y0, x1, y1 in b[(left > 0.02) & (left < 0.35)].long().tolist():
                picture = picture.clone()
                picture[:, y0:y1 + 1, x0:x1 + 1] = picture.float().mean((1, 2))[:, None, None].to(torch.uint8)
            b = b[left >= 0.35]
            if whole(0, 1):
                picture, b = picture.flip(2), torch.stack([window - b[:, 2], b[:, 1], window - b[:, 0], b[:, 3]], 1)
            out.append(picture)
            boxes[i, :len(b)], counts[i] = b * (side / window), len(b)
        x = torch.stack(out).float()
        if window != side:
            x = F.interpolate(x, (side, side), mode="bilinear", align_corners=False)
        uniform = lambda *shape: torch.rand(*shape, generator=generator) * 2 - 1
        if whole(0, 9) < 3:
            x = x[:, torch.randperm(3, generator=generator)]
        n = len(rows)
        x = x * (1 + 0.2 * uniform(n, 1, 1, 1)) * (1 + 0.1 * uniform(n, 3, 1, 1)) + 16 * uniform(n, 1, 1, 1)
        return x.clamp(0, 255), boxes, counts
