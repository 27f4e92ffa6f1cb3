"""
Post-training int8 quantisation of a finished network: python3 quantise.py CONFIG

The network is exported with simulated quantisation (floats on a grid, torch's fake_quantize); its reference outputs are computed as the exported file is by an
integer kernel: products of integers summed without rounding, then one float32 scale and one rounding a number (QLinearConv, QLinearMatMul of the ONNX specification).
Simulated quantisation sums rounded floats instead, and a sum near the middle of two steps may come out a whole step apart.

Batch norms are folded, ranges are calibrated on 256 training pictures (a quantile of each tensor's values, so that one outlier does not cost all the steps),
weights get a scale a channel. Every convolution and linear layer has quantise-dequantise on its input and its output: ONNX Runtime fuses only what stands between two
such pairs, on inputs alone the model would be slower than float. The paper uses PACT, which trains with quantisation; this does not.
"""
import copy
import sys

import numpy as np
import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import numpy_helper

from export import built, exported, finish
from journal import ROOT, one_thread, read_config
from pool import normalise


class Range:
    """Affine uint8 range of an activation, from quantiles of what it was shown."""

    def __init__(self, quantile):
        self.quantile, self.low, self.high = quantile, 0.0, 0.0

    def watch(self, x):
        values = x.detach().flatten()
        if len(values) > 200_000:
            values = values[:: len(values) // 200_000 + 1]
        low, high = torch.quantile(values, torch.tensor([1 - self.quantile, self.quantile])).tolist()
        self.low, self.high = min(self.low, low), max(self.high, high)

    @property
    def scale(self):
        return max((self.high - self.low) / 255, 1e-8)

    @property
    def zero(self):
        return int(round(-self.low / self.scale))

    def apply(self, x):
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero, 0, 255)

    def steps(self, x):
        """QuantizeLinear less its zero point: whole numbers, float32."""
        return torch.round(x / torch.tensor(self.scale)).clamp(-self.zero, 255 - self.zero)


class Quantised(nn.Module):
    """A convolution or linear layer between two ranges. `mode` is watch (float, recording), use (simulated, what is exported) or integer (as kernels compute it)."""

    def __init__(self, layer, quantile, output=True):
        super().__init__()
        self.layer, self.mode = layer, "watch"
        self.input, self.output = Range(quantile), Range(quantile) if output else None
        # Where all weights of a channel are zero any scale will do.
        scale = layer.weight.detach().abs().flatten(1).amax(1).clamp(min=1e-8) / 127
        self.register_buffer("scale", scale)
        self.register_buffer("zero", torch.zeros(len(scale), dtype=torch.int32))

    def forward(self, x):
        if self.mode == "watch":
            self.input.watch(x)
            y = self.layer(x)
            if self.output:
                self.output.watch(y)
            return y
        if self.mode == "integer" and self.output:
            return self.integer(x)
        x = self.input.apply(x)
        weight = torch.fake_quantize_per_channel_affine(self.layer.weight, self.scale, self.zero, 0, -128, 127)
        y = self.product(x, weight, self.layer.bias)
        return self.output.apply(y) if self.output else y

    def product(self, x, weight, bias):
        if isinstance(self.layer, nn.Linear):
            return F.linear(x, weight, bias)
        return F.conv2d(x, weight, bias, self.layer.stride, self.layer.padding, self.layer.dilation, self.layer.groups)

    def integer(self, x):
        """QLinearConv or QLinearMatMul, dequantised. Doubles hold these sums of integers exactly."""
        shape = (-1, *[1] * (self.layer.weight.ndim - 1))
        weight = torch.round(self.layer.weight / self.scale.reshape(shape)).clamp(-128, 127)
        unit = torch.tensor(self.input.scale) * self.scale  # of a sum, a channel
        bias = None if self.layer.bias is None else torch.round(self.layer.bias / unit).double()
        total = self.product(self.input.steps(x).double(), weight.double(), bias).float()
        factor = unit / torch.tensor(self.output.scale)
        steps = torch.round((total * (factor if isinstance(self.layer, nn.Linear) else factor.reshape(-1, 1, 1))).clamp(-self.output.zero, 255 - self.output.zero))
        return steps * torch.tensor(self.output.scale)


class Hardswish(nn.Module):
    """In the operations of ONNX's HardSigmoid and Mul; torch's own order of them may round otherwise."""

    def forward(self, x):
        return x * (x * torch.tensor(1 / 6) + 0.5).clamp(0, 1)


def wrapped(net, quantile, float_outputs=()):
    """A copy whose layers are Quantised; outputs of the layers named in `float_outputs` stay float."""
    net = copy.deepcopy(net)
    for path, module in list(net.named_modules()):
        for child_name, child in list(module.named_children()):
            if isinstance(child, (nn.Conv2d, nn.Linear)):
                full = f"{path}.{child_name}".lstrip(".")
                setattr(module, child_name, Quantised(child, quantile, not any(full == o or full.startswith(f"{o}.") for o in float_outputs)))
    return net


def set_mode(net, mode):
    for module in net.modules():
        if isinstance(module, Quantised):
            module.mode = mode


def as_kernels(net):
    """From simulated to integer arithmetic, in place."""
    set_mode(net, "integer")
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Hardswish):
                setattr(module, name, Hardswish())


def fold_weights(file):
    """Weights that only feed a QuantizeLinear become int8 initialisers: torch leaves them float, and the file would not shrink."""
    model = onnx.load(file)
    graph = model.graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    origin = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    value = lambda name: values.get(origin.get(name, name))
    folded = []
    for node in graph.node:
        if node.op_type == "QuantizeLinear" and value(node.input[0]) is not None:
            weight, scale = value(node.input[0]), value(node.input[1])
            shaped = scale.reshape(-1, *[1] * (weight.ndim - 1)) if scale.size > 1 else scale
            graph.initializer.append(numpy_helper.from_array(np.clip(np.rint(weight / shaped), -128, 127).astype(np.int8), node.output[0]))
            folded.append(node)
    for node in folded:
        graph.node.remove(node)
    used = {i for node in graph.node for i in node.input} | {o.name for o in graph.output}
    for initializer in [i for i in graph.initializer if i.name not in used]:
        graph.initializer.remove(initializer)
    onnx.checker.check_model(model)
    onnx.save(model, file)
    return len(folded)


def main(name):
    config = read_config(name)
    one_thread(config)
    net, base = built(config["start"])
    settings = {**base, **config}
    if base["recipe"] == "detector":
        from scenes import Scenes
        generator = torch.Generator().manual_seed(config["seed"])
        pictures = Scenes("train").batch(torch.randperm(1000, generator=generator)[:128].numpy(), base["side"], generator)[0]
    else:
        from pool import Pool
        pictures = Pool().pictures(range(0, 256 * 40, 40))
    net.requires_grad_(False)
    quantised = wrapped(net, config["quantile"], config.get("float_outputs", ()))
    with torch.no_grad():
        for i in range(0, len(pictures), 32):
            quantised(normalise(pictures[i:i + 32]))
    set_mode(quantised, "use")
    folder = ROOT / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    file = str(folder / "model.onnx")
    run, names = exported(quantised, {**settings, "recipe": base["recipe"]}, file, config.get("form"))
    print(f"{fold_weights(file)} weights folded", flush=True)
    as_kernels(quantised)
    finish(name, {**settings, "recipe": base["recipe"], "name": name}, run, names, config.get("form"), config["start"])


if __name__ == "__main__":
    main(sys.argv[1])
