"""Trains a detector: python3 train_detector.py CONFIG"""
import copy
import sys

import numpy as np
import torch

from assignment import detection_loss
from average_precision import average_precision, detect
from detectors import ServerDetector
from journal import CACHE, Journal, cosine, device, one_thread, read_config
from pool import normalise
from scenes import Scenes


def build(config):
    if config["network"] == "residual":
        return ServerDetector(config["side"], tuple(config["widths"]), config["neck"])
    from pico import PicoDetector  # only this one needs the light trunk
    return PicoDetector(config["side"], config["scale"], config["neck"])


def start_from(net, config):
    """Trunk weights of a recognition training, as the paper's detector starts from a classification trunk."""
    state = torch.load(CACHE / "runs" / config["start"] / "last.pt", map_location="cpu")["net"]
    own = net.state_dict()
    taken = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape and k.startswith("trunk.")}
    net.load_state_dict(taken, strict=False)
    print(f"{len(taken)} tensors from {config['start']}", flush=True)


def main(name):
    config = read_config(name)
    one_thread(config)
    journal, scenes, dev = Journal(name), Scenes("train"), Scenes("dev")
    side, steps, batch = config["side"], config["steps"], config["batch"]
    dev_rows = list(range(config["dev"]))
    dev_pictures, dev_boxes, dev_counts = dev.full(dev_rows, side)
    dev_truth = [b[:n] for b, n in zip(dev_boxes, dev_counts)]
    net = build(config)
    state = journal.resume()
    if not state:
        start_from(net, config)
        print(f"{sum(p.numel() for p in net.parameters())} parameters, {scenes.size} scenes", flush=True)
    at = device()
    net = net.to(at, memory_format=torch.channels_last)
    if config.get("frozen_stem"):
        for p in net.trunk.stem.parameters():
            p.requires_grad_(False)
    parameters = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW([
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config["decay"]},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ], lr=config["rate"])
    average = copy.deepcopy(net)
    start = 0
    if state:
        net.load_state_dict(state["raw"])
        average.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["step"]
    per_epoch = scenes.size // batch
    losses = None
    for step in range(start, steps):
        epoch, place = divmod(step, per_epoch)
        if step == start or place == 0:
            order = np.random.RandomState(config["seed"] * 1000 + epoch).permutation(scenes.size)
        generator = torch.Generator().manual_seed(config["seed"] * 1_000_003 + step)
        pictures, truth, counts = scenes.batch(order[place * batch:(place + 1) * batch], side, generator)
        for group in optimiser.param_groups:
            group["lr"] = config["rate"] * cosine(step, steps)
        net.train()
        if config.get("frozen_stem"):
            net.trunk.stem.eval()
        truth, counts = truth.to(at), counts.to(at)
        logits, boxes, bins = net(normalise(pictures.to(at)))
        parts = detection_loss(logits, boxes, bins, net.points, net.assign(net.points, truth, counts), truth)
        optimiser.zero_grad(set_to_none=True)
        sum(parts).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 10.0)
        optimiser.step()
        keep = min(config["average"], (step + 1) / (step + 20))
        with torch.no_grad():
            for mean, now in zip(average.state_dict().values(), net.state_dict().values()):
                if mean.dtype.is_floating_point:
                    mean.lerp_(now, 1 - keep)
                else:
                    mean.copy_(now)
        current = torch.tensor([float(p) for p in parts])
        losses = current if losses is None else 0.97 * losses + 0.03 * current
        done = step + 1
        if done % config["every"] == 0 or done == steps:
            ap = average_precision(detect(average, dev_pictures, normalise, side), dev_truth)
            journal.log(step=done, images=done * batch, score=float(losses[0]), box=float(losses[1]), bins=float(losses[2]), dev_ap50=ap[0], dev_ap=float(np.mean(ap)))
            journal.save(done, steps=steps, net=average.state_dict(), raw=net.state_dict(), optimiser=optimiser.state_dict(), config=config)


if __name__ == "__main__":
    main(sys.argv[1])
