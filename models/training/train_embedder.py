"""Trains the residual recognition network from scratch: python3 train_embedder.py CONFIG"""
import sys

import torch

from journal import Journal, cosine, device, one_thread, read_config
from margin import ArcMargin, two_view_contrast
from pool import DevRetrieval, Pool, embedder, jitter, normalise, thumbnail
from recipes import build_embedder


def main(name):
    config = read_config(name)
    one_thread(config)
    journal, pool, dev = Journal(name), Pool(only=config.get("labels")), DevRetrieval()
    steps, batch = config["steps"], config["batch"]
    at = device()
    net = build_embedder(config).to(at, memory_format=torch.channels_last)
    head = ArcMargin(config["dim"], pool.classes).to(at)
    matrices = [p for p in net.parameters() if p.ndim > 1]
    vectors = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config["decay"], "factor": 1.0},
        {"params": head.parameters(), "weight_decay": config["decay"], "factor": 3.0},
        {"params": vectors, "weight_decay": 0.0, "factor": 1.0},
    ]
    optimiser = torch.optim.SGD(groups, lr=config["rate"], momentum=0.9, nesterov=True)
    start = 0
    state = journal.resume()
    if state:
        net.load_state_dict(state["net"])
        head.load_state_dict(state["head"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["step"]
    else:
        print(f"{sum(p.numel() for p in net.parameters())} parameters, {pool.classes} classes, {2 * len(pool.pairs)} pictures; 32x32 pixels: {dev.score(thumbnail)}", flush=True)
    mean_loss = None
    for step, rows in pool.pair_batches(batch, config["seed"], start):
        if step >= config.get("until", steps):
            break
        share = step / steps
        for group in optimiser.param_groups:
            group["lr"] = config["rate"] * group["factor"] * cosine(step, steps)
        generator = torch.Generator().manual_seed(config["seed"] * 1_000_003 + step)
        labels = pool.labels[rows].to(at)
        net.train()
        embedding = net(normalise(jitter(pool.pictures(rows), generator).to(at)))
        margin = config["margin"] * min(1.0, max(0.0, share - 0.25) / 0.3)
        arc = head(embedding, labels, margin)
        loss = arc * min(1.0, 0.1 + share * 4) + config["contrast"] * two_view_contrast(embedding)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 20.0)
        optimiser.step()
        mean_loss = arc.item() if mean_loss is None else 0.98 * mean_loss + 0.02 * arc.item()
        done = step + 1
        if done % config["every"] == 0 or done == steps or done == config.get("until"):
            journal.log(step=done, images=done * batch, arc=mean_loss, **{f"dev_{k}": v for k, v in dev.score(embedder(net)).items()})
            journal.save(done, steps=steps, net=net.state_dict(), head=head.state_dict(), optimiser=optimiser.state_dict(), config=config)


if __name__ == "__main__":
    main(sys.argv[1])
