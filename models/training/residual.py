"""The residual network in the role that ResNet50 has in the paper: plain 3x3 convolutions, skips, ReLU; the last map is flattened, not pooled."""
import torch.nn as nn
import torch.nn.functional as F


def conv_norm(inputs, outputs, stride=1, act=True):
    layers = [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([nn.ReLU()] if act else []))


class ResidualStage(nn.Module):
    """Halves the map, then one residual convolution."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.down = conv_norm(inputs, outputs, 2)
        self.residual = conv_norm(outputs, outputs, act=False)

    def forward(self, x):
        x = self.down(x)
        return F.relu(x + self.residual(x))


class ResidualTrunk(nn.Module):
    """Stem (stride 2) and three stages: strides 4, 8, 16."""

    def __init__(self, widths=(24, 48, 96, 192)):
        super().__init__()
        self.stem = conv_norm(3, widths[0], 2)
        self.stages = nn.ModuleList(ResidualStage(i, o) for i, o in zip(widths[:-1], widths[1:]))

    def forward(self, x):
        maps = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class ResidualEmbedder(nn.Module):
    """RGB side x side -> `dim` floats (not normalised)."""

    def __init__(self, side=64, dim=256, widths=(24, 48, 96, 192)):
        super().__init__()
        self.trunk = ResidualTrunk(widths)
        self.neck = nn.Linear(widths[-1] * (side // 16) ** 2, dim, bias=False)
        self.norm = nn.BatchNorm1d(dim)

    def features(self, x):
        return self.trunk(x)[-1]

    def forward(self, x):
        return self.norm(self.neck(self.features(x).flatten(1)))
