"""One-class detectors. Each returns (logits B x A, boxes B x A x 4 in pixels of the input, distance bins B x A x 4 x 8 or None), levels in the order of `strides`."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from assignment import centre_sampling, grid
from residual import ResidualStage, ResidualTrunk


def conv(inputs, outputs, kernel=3):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def to_boxes(distances, points):
    """Distances to the four sides in strides -> boxes in pixels."""
    reach = distances * points[None, :, 2:3]
    return torch.cat([points[None, :, :2] - reach[..., :2], points[None, :, :2] + reach[..., 2:]], -1)


class ServerDetector(nn.Module):
    """Residual trunk, one more stage, a feature pyramid on strides 8 and 16, a shared head of plain convolutions. Assigned by centre sampling."""
    strides = (8, 16)
    assign = staticmethod(centre_sampling)

    def __init__(self, side=160, widths=(24, 48, 96, 192), width=48):
        super().__init__()
        self.trunk = ResidualTrunk(widths)
        self.last = ResidualStage(widths[3], widths[3])
        self.lateral = nn.ModuleList([conv(widths[2], width, 1), conv(widths[3], width, 1), conv(widths[3], width, 1)])
        self.smooth = nn.ModuleList([conv(width, width), conv(width, width)])
        self.head = nn.Sequential(conv(width, width), conv(width, width))
        self.score = nn.Conv2d(width, 1, 1)
        self.distance = nn.Conv2d(width, 4, 3, 1, 1)
        self.gain = nn.Parameter(torch.ones(2))
        self.register_buffer("points", grid(side, self.strides), persistent=False)
        for layer in (self.score, self.distance):
            nn.init.normal_(layer.weight, 0, 0.01)
        nn.init.constant_(self.score.bias, -4.0)
        nn.init.constant_(self.distance.bias, 1.0)

    def forward(self, x):
        _, c3, c4 = self.trunk(x)
        p5 = self.lateral[2](self.last(c4))
        p4 = self.smooth[1](self.lateral[1](c4) + F.interpolate(p5, scale_factor=2.0, mode="nearest"))
        p3 = self.smooth[0](self.lateral[0](c3) + F.interpolate(p4, scale_factor=2.0, mode="nearest"))
        logits, distances = [], []
        for level, p in enumerate((p3, p4)):
            h = self.head(p)
            logits.append(self.score(h).flatten(1))
            distances.append((F.softplus(self.distance(h) * self.gain[level]) * 2).flatten(2))
        return torch.cat(logits, 1), to_boxes(torch.cat(distances, 2).transpose(1, 2), self.points), None
