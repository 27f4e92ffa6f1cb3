"""
PicoDet-style detector (the paper, section 2.1): PP-LCNet-like trunk, CSP-PAN with 5x5 depthwise convolutions on four levels, generalised focal loss head with
8 distance bins. Assigned by ATSS, where PaddleDetection's PicoDet uses SimOTA. The trunk keeps the skips of the distilled embedder that it starts from.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from assignment import atss, grid
from detectors import to_boxes
from lcnet import LightTrunk, conv_act, fan_out_start

BINS = 8


def separable(inputs, outputs, stride=1, kernel=5):
    return nn.Sequential(conv_act(inputs, inputs, kernel, stride, inputs), conv_act(inputs, outputs, 1))


class CrossStage(nn.Module):
    """CSP (Wang et al. 2020): one half through a separable block, one half past it."""

    def __init__(self, inputs, outputs):
        super().__init__()
        half = outputs // 2
        self.main, self.past = conv_act(inputs, half, 1), conv_act(inputs, half, 1)
        self.block = nn.Sequential(conv_act(half, half, 1), separable(half, half))
        self.join = conv_act(2 * half, outputs, 1)

    def forward(self, x):
        return self.join(torch.cat([self.block(self.main(x)), self.past(x)], 1))


class PicoDetector(nn.Module):
    strides = (8, 16, 32, 64)
    assign = staticmethod(atss)

    def __init__(self, side=160, scale=0.5, width=48, skips=True):
        super().__init__()
        self.trunk = LightTrunk(scale, 2, False, skips)
        self.lateral = nn.ModuleList(conv_act(w, width, 1) for w in self.trunk.widths)
        self.top_down = nn.ModuleList(CrossStage(2 * width, width) for _ in range(2))
        self.down = nn.ModuleList(separable(width, width, 2) for _ in range(2))
        self.bottom_up = nn.ModuleList(CrossStage(2 * width, width) for _ in range(2))
        self.extra_in, self.extra_out = separable(width, width, 2), separable(width, width, 2)
        self.heads = nn.ModuleList(nn.Sequential(separable(width, width), separable(width, width)) for _ in self.strides)
        fan_out_start(self)
        self.scores = nn.ModuleList(nn.Conv2d(width, 1, 1) for _ in self.strides)
        self.distances = nn.ModuleList(nn.Conv2d(width, 4 * BINS, 1) for _ in self.strides)
        for layer in (*self.scores, *self.distances):
            nn.init.normal_(layer.weight, 0, 0.01)
        for layer in self.scores:
            nn.init.constant_(layer.bias, -4.6)
        self.side = side
        self.register_buffer("points", grid(side, self.strides), persistent=False)
        self.register_buffer("bins", torch.arange(float(BINS)), persistent=False)

    def levels(self, x):
        """Per stride: score logits B x HW x 1, distance logits B x HW x 32."""
        c3, c4, c5 = [lateral(c) for lateral, c in zip(self.lateral, self.trunk(x))]
        larger = lambda t, like: F.interpolate(t, size=like.shape[2:], mode="nearest")
        p4 = self.top_down[0](torch.cat([larger(c5, c4), c4], 1))
        p3 = self.top_down[1](torch.cat([larger(p4, c3), c3], 1))
        n4 = self.bottom_up[0](torch.cat([self.down[0](p3), p4], 1))
        n5 = self.bottom_up[1](torch.cat([self.down[1](n4), c5], 1))
        n6 = self.extra_in(c5) + self.extra_out(n5)
        out = []
        for p, head, score, distance in zip((p3, n4, n5, n6), self.heads, self.scores, self.distances):
            h = head(p)
            out.append((score(h).flatten(2).transpose(1, 2), distance(h).flatten(2).transpose(1, 2)))
        return out

    def forward(self, x):
        levels = self.levels(x)
        logits = torch.cat([score for score, _ in levels], 1)[..., 0]
        bins = torch.cat([distance for _, distance in levels], 1)
        bins = bins.reshape(bins.shape[0], -1, 4, BINS)
        return logits, to_boxes(F.softmax(bins, -1) @ self.bins, self.points), bins
