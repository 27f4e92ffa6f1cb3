"""The four light classifiers of Table 6, trained from scratch on mini-classes: python3 classify.py CONFIG"""
import sys

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from journal import ROOT, Journal, cosine, device, one_thread, read_config
from lcnet import LightTrunk, fan_out_start
from pool import normalise

FOLDER = ROOT / "datasets" / "mini" / "build" / "mini-classes"


class LCNetClassifier(nn.Module):
    """PP-LCNet with its exact blocks: SE in the last two, global average, 1x1 convolution to 1280 with h-swish, dropout, linear."""

    def __init__(self, scale, classes):
        super().__init__()
        self.trunk = LightTrunk(scale)
        self.expand, self.act = nn.Conv2d(self.trunk.widths[-1], 1280, 1, bias=False), nn.Hardswish()
        self.classify = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))
        fan_out_start(self)

    def forward(self, x):
        return self.classify(self.act(self.expand(self.trunk(x)[-1].mean((2, 3), keepdim=True))).flatten(1))


def build_classifier(config):
    from torchvision.models import MobileNetV2, MobileNetV3, ShuffleNetV2
    from torchvision.models.mobilenetv3 import _mobilenet_v3_conf

    scale, classes = config["scale"], config["classes"]
    if config["network"] == "pp-lcnet":
        return LCNetClassifier(scale, classes)
    if config["network"] == "mobilenet-v2":
        return MobileNetV2(num_classes=classes, width_mult=scale)
    if config["network"] == "mobilenet-v3-small":
        blocks, last = _mobilenet_v3_conf("mobilenet_v3_small", width_mult=scale)
        return MobileNetV3(blocks, last, num_classes=classes)
    # Widths of PaddleClas's 0.33x; torchvision has none under 0.5x.
    return ShuffleNetV2([4, 8, 4], [24, 32, 64, 128, 512], num_classes=classes)


def read_split(name):
    rows = [line.split(" ") for line in (FOLDER / f"{name}.txt").read_text().splitlines()]
    pictures = np.stack([cv2.imread(str(FOLDER / file))[:, :, ::-1] for file, _ in rows])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2), torch.tensor([int(label) for _, label in rows])


def as_tested(pictures, side):
    """OpenCV's linear resize, as the harness does it."""
    return torch.from_numpy(np.stack([cv2.resize(np.ascontiguousarray(p.permute(1, 2, 0).numpy()), (side, side), interpolation=cv2.INTER_LINEAR) for p in pictures])).permute(0, 3, 1, 2)


def varied(pictures, side, generator):
    """A crop of one window size a batch, another place for each picture, scaled to side x side; changed in light and colour."""
    whole = pictures.shape[-1]
    window = int(torch.randint(whole - 12, whole + 1, (1,), generator=generator))
    offsets = torch.randint(0, whole - window + 1, (len(pictures), 2), generator=generator).tolist()
    x = torch.stack([p[:, dy:dy + window, dx:dx + window] for p, (dy, dx) in zip(pictures, offsets)]).float()
    x = F.interpolate(x, (side, side), mode="bilinear", align_corners=False)
    uniform = lambda *shape: torch.rand(*shape, generator=generator) * 2 - 1
    n = len(x)
    return (x * (1 + 0.2 * uniform(n, 1, 1, 1)) * (1 + 0.1 * uniform(n, 3, 1, 1)) + 12 * uniform(n, 1, 1, 1)).clamp(0, 255)


def main(name):
    config = read_config(name)
    one_thread(config)
    journal = Journal(name)
    pictures, labels = read_split("train")
    # The schedule is fixed: nothing is chosen on the validation pictures. One in ten training pictures is held back to watch the run.
    held = torch.arange(len(labels)) % 10 == 0
    watch, watch_labels = as_tested(pictures[held], config["side"]), labels[held]
    pictures, labels = pictures[~held], labels[~held]
    steps, batch = config["steps"], config["batch"]
    at = device()
    net = build_classifier(config).to(at, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW([
        {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": config["decay"]},
        {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ], lr=config["rate"])
    start, state = 0, journal.resume()
    if state:
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["step"]
    per_epoch = len(labels) // batch
    running = None
    for step in range(start, steps):
        epoch, place = divmod(step, per_epoch)
        if step == start or place == 0:
            order = torch.from_numpy(np.random.RandomState(config["seed"] * 1000 + epoch).permutation(len(labels)))
        rows = order[place * batch:(place + 1) * batch]
        for group in optimiser.param_groups:
            group["lr"] = config["rate"] * cosine(step, steps)
        net.train()
        x = varied(pictures[rows], config["side"], torch.Generator().manual_seed(config["seed"] * 1_000_003 + step))
        loss = F.cross_entropy(net(normalise(x.to(at))), labels[rows].to(at), label_smoothing=0.1)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        running = float(loss) if running is None else 0.98 * running + 0.02 * float(loss)
        done = step + 1
        if done % config["every"] == 0 or done == steps:
            net.eval()
            with torch.no_grad():
                top = torch.cat([net(normalise(watch[i:i + 200].to(at))).argmax(1).cpu() for i in range(0, len(watch), 200)])
            journal.log(step=done, images=done * batch, loss=running, held_top1=(top == watch_labels).float().mean().item())
            journal.save(done, steps=steps, net=net.state_dict(), optimiser=optimiser.state_dict(), config=config)


if __name__ == "__main__":
    main(sys.argv[1])
