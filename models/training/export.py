"""
Writes models/NAME/{model.onnx,card.yaml,log.csv,reference.json} of a finished training: python3 export.py NAME...

Batch norms are folded into the convolutions before them. reference.json holds torch's outputs for two made-up inputs (`made_up`), which the tests repeat with
ONNX Runtime; twenty real inputs and outputs go to the training cache for check-onnx.mjs.
"""
import base64
import hashlib
import json
import shutil
import sys

import numpy as np
import onnx
import torch
import torch.nn as nn
import torchvision
from onnx import TensorProto, helper, numpy_helper

from journal import CACHE, ROOT, finished, read_config
from pool import normalise

VERSION = "1"


def fold_norms(module):
    """Convolution + batch norm pairs inside nn.Sequential become one convolution; also torchvision's own layouts, which are Sequential too."""
    for inner in list(module.modules()):
        if isinstance(inner, nn.Sequential):
            for i in range(len(inner) - 1):
                if isinstance(inner[i], nn.Conv2d) and isinstance(inner[i + 1], nn.BatchNorm2d):
                    inner[i] = nn.utils.fusion.fuse_conv_bn_eval(inner[i], inner[i + 1])
                    inner[i + 1] = nn.Identity()
    return module


def made_up(count, side):
    """Bytes from a formula that TypeScript repeats: (i * 2654435761 mod 2^32) >> 13 & 255 for i = 1, 2, …, count x 3 x side x side."""
    i = np.arange(1, count * 3 * side * side + 1, dtype=np.uint64)
    bytes_ = ((i * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)) >> np.uint64(13) & np.uint64(255)
    return torch.from_numpy(bytes_.astype(np.uint8).reshape(count, 3, side, side))


class WithBinaryLayer(nn.Module):
    def __init__(self, net, layer):
        super().__init__()
        self.net, self.layer = net, layer

    def forward(self, x):
        e = self.net(x)
        return self.layer(e / torch.sqrt((e * e).sum(1, keepdim=True) + 1e-12))


class Decoded(nn.Module):
    """Form b: boxes in pixels of the input, scores class first."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        logits, boxes, _ = self.net(x)
        return boxes, logits.sigmoid()[:, None]


class Raw(nn.Module):
    """Form c: per stride sigmoid scores B x HW x 1 and distance logits B x HW x 32, grouped as PaddleDetection groups them."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        levels = self.net.levels(x)
        return (*[score.sigmoid() for score, _ in levels], *[distance for _, distance in levels])


class Suppressed(nn.Module):
    """Form a: non-maximum suppression inside; [class, score, x0, y0, x1, y1] rows in pixels of the picture, and their number. Batch 1."""

    def __init__(self, net, threshold=0.025, iou=0.6, keep=100):
        super().__init__()
        self.net, self.threshold, self.iou, self.keep = net, threshold, iou, keep

    def forward(self, x, scale_factor):
        logits, boxes, _ = self.net(x)
        score, box = logits[0].sigmoid(), boxes[0]
        # scale_factor is y, x: network pixels per picture pixel.
        scale = torch.stack([scale_factor[0, 1], scale_factor[0, 0], scale_factor[0, 1], scale_factor[0, 0]])
        best = score > self.threshold
        score, box = score[best], box[best]
        kept = torchvision.ops.nms(box, score, self.iou)[: self.keep]
        score = score[kept][:, None]
        rows = torch.cat([torch.zeros_like(score), score, box[kept] / scale], 1)
        return rows, torch.ones_like(score[:, 0]).sum().to(torch.int32).reshape(1)


def built(name):
    """The network of a finished training in evaluation mode with norms folded, and its config."""
    config = read_config(name)
    if config["recipe"] == "hashing":
        from hashing import BinaryLayer
        from recipes import load_embedder

        layer = BinaryLayer(config["dim"], config["bits"], config["loss"] == "dlbhc")
        layer.load_state_dict(finished(name)["layer"])
        base = load_embedder(config["start"])
        return fold_norms(WithBinaryLayer(base, layer).eval()), {**read_config(config["start"]), **config}
    if config["recipe"] == "detector":
        from train_detector import build
    elif config["recipe"] == "classify":
        from classify import build_classifier as build
    else:
        from recipes import build_embedder as build
    net = build(config)
    net.load_state_dict(finished(name)["net"])
    return fold_norms(net.eval()), config


def real_inputs(config, count=20):
    """Pictures of the kind that the network was made for, bytes."""
    if config["recipe"] == "detector":
        from scenes import Scenes
        return Scenes("dev").full(list(range(count)), config["side"])[0].round().to(torch.uint8)
    from pool import Pool
    return Pool("dev").pictures(range(count))


def exported(net, config, file, form=None):
    """Writes the ONNX file; returns a function of normalised pictures to a list of numpy outputs (torch's), and the names of the outputs."""
    side = config["side"]
    example = torch.zeros(1, 3, side, side)
    if form == "nms-inside":
        module, names = Suppressed(net), ["boxes", "count"]
        scale = torch.tensor([[0.5, 0.625]])
        # Traced on a picture with findings: an empty one would trace another path.
        example = normalise(real_inputs(config, 1))
        torch.onnx.export(module, (example, scale), file, opset_version=13, input_names=["image", "scale_factor"], output_names=names, dynamic_axes={"boxes": {0: "n"}})
        model = onnx.load(file)
        rows = model.graph.output[0].type.tensor_type.shape.dim
        rows[0].dim_param, rows[1].dim_value = "n", 6
        onnx.save(model, file)
        run = lambda x: [torch.cat([module(one[None], scale)[0] for one in x]).numpy()]
        return run, names
    wrapped = {"decoded": Decoded, "raw": Raw}.get(form)
    module = wrapped(net) if wrapped else net
    if form == "raw":
        names = [f"scores_{s}" for s in net.strides] + [f"distances_{s}" for s in net.strides]
    else:
        names = ["boxes", "scores"] if form == "decoded" else ["embedding" if config["recipe"] != "classify" else "logits"]
    dynamic = {} if form else {"image": {0: "n"}, names[0]: {0: "n"}}  # a detector sees one picture at a time
    torch.onnx.export(module, example, file, opset_version=13, input_names=["image"], output_names=names, dynamic_axes=dynamic)

    def run(x):
        if form is None:
            return [module(x).numpy()]
        parts = [module(one[None]) for one in x]
        return [np.concatenate([p[k].numpy() for p in parts]) for k in range(len(names))]

    return run, names


def rounded_to_half(net):
    """Weights to the nearest 16-bit float, kept in 32 bits: what `store_halves` then loses nothing of."""
    with torch.no_grad():
        for tensor in (*net.parameters(), *net.buffers()):
            if tensor.is_floating_point() and tensor.numel() >= 1024:
                tensor.copy_(tensor.half().float())
    return net


def store_halves(file):
    """Big initialisers as float16 with a Cast to float32 behind them, which ONNX Runtime folds on loading: half the file, the same numbers."""
    model = onnx.load(file)
    casts = []
    for initializer in model.graph.initializer:
        value = numpy_helper.to_array(initializer)
        if value.dtype != np.float32 or value.size < 1024 or not np.array_equal(value, value.astype(np.float16).astype(np.float32)):
            continue
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(value.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def card_text(name, config, sha256, form, extra_notes=""):
    side = config["side"]
    lines = [
        "schema: 1",
        f"name: {name}",
        f"version: \"{VERSION}\"",
        f"task: {'detection' if form else 'classification' if config['recipe'] == 'classify' else 'recognition'}",
        f"description: {json.dumps(config['about'])}",
        "file: model.onnx",
        f"sha256: {sha256}",
        "input:",
        "  name: image",
        f"  width: {side}",
        f"  height: {side}",
        "  layout: nchw",
        "  colour: rgb",
        "  scale: 1/255",
        "  mean: [0.485, 0.456, 0.406]",
        "  std: [0.229, 0.224, 0.225]",
        f"  interpolation: {'cubic' if form else 'linear'}",
    ]
    if form:
        strides = "[8, 16]" if config["network"] == "residual" else "[8, 16, 32, 64]"
        lines += ["detection:", f"  form: {form}", "  classes: [foreground]", f"  strides: {strides}"]
    elif config["recipe"] == "classify":
        lines += ["classification:", "  output: logits", f"  classes: {config['classes']}"]
    elif config["recipe"] == "hashing":
        lines += ["recognition:", "  output: embedding", f"  size: {config['bits']}", f"  binarise: {'round' if config['loss'] == 'dlbhc' else 'sign'}"]
    else:
        lines += ["recognition:", "  output: embedding", f"  size: {config['dim']}"]
    lines += [
        "licence: Apache-2.0",
        f"origin: made by this project's recipe, models/training/configs/{config['name']}.json",
        "training:",
        f"  recipe: ../training/configs/{config['name']}.json",
        "  log: log.csv",
        "  data: the training part of datasets/mini",
        f"  seed: {config['seed']}",
    ]
    notes = " ".join(t for t in (config.get("notes", ""), extra_notes) if t)
    if notes:
        lines.append(f"notes: {json.dumps(notes)}")
    return "\n".join(lines) + "\n"


def packed(outputs):
    return [{"shape": list(o.shape), "float32": base64.b64encode(np.ascontiguousarray(o, np.float32).tobytes()).decode()} for o in outputs]


def write_model(name, config, net, form, log_from, extra_notes=""):
    """One model folder from a network at hand."""
    folder = ROOT / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "model.onnx"
    if config.get("half_weights"):
        rounded_to_half(net)
    run, names = exported(net, config, str(file), form)
    if config.get("half_weights"):
        store_halves(str(file))
    finish(name, config, run, names, form, log_from, extra_notes)


def finish(name, config, run, names, form, log_from, extra_notes=""):
    """Card, log and reference outputs beside a model.onnx that is there. Small models only differ in `run`."""
    folder = ROOT / "models" / name
    file = folder / "model.onnx"
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    with torch.no_grad():
        reference = run(normalise(made_up(2, config["side"])))
        pictures = real_inputs(config)
        real = run(normalise(pictures))
    limit = 4096  # floats an output and picture that the committed reference keeps
    outputs = [o if o.size <= 2 * limit else o[:1] for o in reference]
    (folder / "reference.json").write_text(json.dumps({"side": config["side"], "inputs": 2, "names": names[:len(outputs)], "outputs": packed(outputs)}) + "\n")
    check = CACHE / "check" / name
    check.mkdir(parents=True, exist_ok=True)
    np.ascontiguousarray(normalise(pictures).numpy(), np.float32).tofile(check / "inputs.f32")
    (check / "outputs.json").write_text(json.dumps({"side": config["side"], "inputs": len(pictures), "names": names[:len(real)], "outputs": packed(real)}))
    (folder / "card.yaml").write_text(card_text(name, config, sha256, form, extra_notes))
    shutil.copyfile(CACHE / "runs" / log_from / "log.csv", folder / "log.csv")
    print(f"models/{name}: {file.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for wanted in sys.argv[1:]:
        network, settings = built(wanted)
        network.requires_grad_(False)
        write_model(wanted, settings, network, settings.get("form"), wanted)
