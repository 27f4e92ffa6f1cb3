"""
PP-LCNet (Cui et al. 2021, figure 3 of the PP-ShiTu paper): depthwise separable convolutions, h-swish, 5x5 kernels and SE near the tail.

`skips` adds an identity to the blocks that keep size and width: such a network is no PP-LCNet and is called lcnet-res here. `pool` "gap" with `expand` is the
paper's tail (global average, 1x1 convolution to 1280, h-swish); "flat" keeps the last map's layout: a 1x1 convolution to `reduce` channels, h-swish, flattened.
"""
import math

import torch.nn as nn
import torch.nn.functional as F

# (kernel, inputs, outputs, stride, SE) at scale 1, stage after stage.
BLOCKS = (
    ((3, 16, 32, 1, False),),
    ((3, 32, 64, 2, False), (3, 64, 64, 1, False)),
    ((3, 64, 128, 2, False), (3, 128, 128, 1, False)),
    ((3, 128, 256, 2, False),) + ((5, 256, 256, 1, False),) * 5,
    ((5, 256, 512, 2, True), (5, 512, 512, 1, True)),
)


def scaled(width, scale, divisor=8):
    """A multiple of `divisor` near width x scale, never under 90% of it (MobileNet's rule)."""
    value = max(divisor, int(width * scale + divisor / 2) // divisor * divisor)
    return value + divisor if value < 0.9 * width * scale else value


def conv_act(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs), nn.Hardswish(inplace=True))


class SqueezeExcite(nn.Module):
    def __init__(self, width, reduction=4):
        super().__init__()
        self.down, self.up = nn.Conv2d(width, width // reduction, 1), nn.Conv2d(width // reduction, width, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.up(F.relu(self.down(x.mean((2, 3), keepdim=True)))))


class DepthwiseSeparable(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, excite, skip):
        super().__init__()
        self.depthwise = conv_act(inputs, inputs, kernel, stride, inputs)
        self.excite = SqueezeExcite(inputs) if excite else nn.Identity()
        self.pointwise = conv_act(inputs, outputs, 1)
        self.skip = skip and stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.pointwise(self.excite(self.depthwise(x)))
        return x + y if self.skip else y


def fan_out_start(net):
    """Kaiming's fan_out with groups counted: torch's own ignores them and starts depthwise weights far too small."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            outputs, _, high, wide = layer.weight.shape
            nn.init.normal_(layer.weight, 0, math.sqrt(2 / (outputs * high * wide / layer.groups)))


class LightTrunk(nn.Module):
    """Maps at strides 8, 16 and 32 (16 with `last_stride` 1)."""

    def __init__(self, scale, last_stride=2, excite=True, skips=False):
        super().__init__()
        self.stem = conv_act(3, scaled(16, scale), 3, 2)
        self.stages = nn.ModuleList(
            nn.Sequential(*[DepthwiseSeparable(scaled(i, scale), scaled(o, scale), k, last_stride if number == 4 and s == 2 else s, se and excite, skips) for k, i, o, s, se in blocks])
            for number, blocks in enumerate(BLOCKS))
        self.widths = [scaled(blocks[-1][2], scale) for blocks in BLOCKS][2:]

    def forward(self, x):
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps[2:]


class LightEmbedder(nn.Module):
    """RGB side x side -> `dim` floats (not normalised)."""

    def __init__(self, side=64, dim=256, scale=0.5, last_stride=1, excite=False, skips=True, pool="flat", reduce=80, expand=1280):
        super().__init__()
        self.trunk = LightTrunk(scale, last_stride, excite, skips)
        self.pool, width, map_side = pool, self.trunk.widths[-1], side // (16 * last_stride)
        if pool == "flat":
            self.reduce, self.neck = conv_act(width, reduce, 1), nn.Linear(reduce * map_side ** 2, dim, bias=False)
        else:
            self.expand, self.neck = nn.Conv2d(width, expand, 1, bias=False), nn.Linear(expand, dim, bias=False)
        self.norm = nn.BatchNorm1d(dim)
        fan_out_start(self)

    def features(self, x):
        """The backbone's output: what U-DML compares (equation 5)."""
        return self.trunk(x)[-1]

    def embed(self, features):
        if self.pool == "flat":
            return self.norm(self.neck(self.reduce(features).flatten(1)))
        return self.norm(self.neck(F.hardswish(self.expand(features.mean((2, 3), keepdim=True))).flatten(1)))

    def forward(self, x):
        return self.embed(self.features(x))
