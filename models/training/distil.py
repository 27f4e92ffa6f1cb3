"""
Trains a light recognition network from a residual teacher: python3 distil.py CONFIG

The role that SSLD has in the paper. Loss: `cosine` (1 - cos to the teacher's embedding) + `soft` KL to the teacher's class distribution (its own proxies, scale 20)
+ `arc` ArcMargin on the labels from 30% of the run on, its margin ramped to 0.2.
"""
import sys

import numpy as np
import torch
import torch.nn.functional as F

from journal import Journal, cosine, device, one_thread, read_config
from margin import ArcMargin
from pool import DevRetrieval, Pool, embedder, normalise
from recipes import build_embedder, load_head, teacher_embeddings


def main(name):
    config = read_config(name)
    one_thread(config)
    journal, pool, dev = Journal(name), Pool(), DevRetrieval()
    at = device()
    targets, proxies = teacher_embeddings(config["teacher"], pool), load_head(config["teacher"]).to(at)
    steps, batch = config["steps"], config["batch"]
    net = build_embedder(config).to(at, memory_format=torch.channels_last)
    head = ArcMargin(config["dim"], pool.classes).to(at)
    head.weight.data.copy_(proxies)
    optimiser = torch.optim.AdamW([
        {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": config["decay"], "factor": 1.0},
        {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0.0, "factor": 1.0},
        {"params": head.parameters(), "weight_decay": 0.0, "factor": 0.5},
    ], lr=config["rate"])
    start, state = 0, journal.resume()
    if state:
        net.load_state_dict(state["net"])
        head.load_state_dict(state["head"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["step"]
    else:
        print(f"{sum(p.numel() for p in net.parameters())} parameters, {pool.size} pictures", flush=True)
    per_epoch = pool.size // batch
    losses = None
    for step in range(start, steps):
        epoch, place = divmod(step, per_epoch)
        if step == start or place == 0:
            order = np.random.RandomState(config["seed"] * 1000 + epoch).permutation(pool.size)
        rows = np.sort(order[place * batch:(place + 1) * batch])
        generator = torch.Generator().manual_seed(config["seed"] * 1_000_003 + step)
        share = step / steps
        for group in optimiser.param_groups:
            group["lr"] = config["rate"] * group["factor"] * cosine(step, steps)
        target = F.normalize(targets[torch.from_numpy(rows)].to(at).float())
        uniform = lambda: 2 * torch.rand(batch, 1, 1, 1, generator=generator) - 1
        x = pool.pictures(rows).float() * (1 + 0.08 * uniform()) + 8 * uniform()
        net.train()
        embedding = net(normalise(x.to(at)))
        unit = F.normalize(embedding)
        near = 1 - (unit * target).sum(1).mean()
        wanted = F.softmax(20 * target @ proxies.T, 1)
        soft = (wanted * (torch.log(wanted + 1e-9) - F.log_softmax(20 * unit @ proxies.T, 1))).sum(1).mean()
        arc = torch.zeros(())
        if share > 0.3:
            arc = head(embedding, pool.labels[rows].to(at), config["margin"] * min(1.0, (share - 0.3) / 0.3))
        loss = config["cosine"] * near + config["soft"] * soft + config["arc"] * min(1.0, max(0.0, (share - 0.3) / 0.1)) * arc
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        current = torch.tensor([float(near), float(soft), float(arc)])
        losses = current if losses is None else 0.98 * losses + 0.02 * current
        done = step + 1
        if done % config["every"] == 0 or done == steps:
            journal.log(step=done, images=done * batch, distance=float(losses[0]), soft=float(losses[1]), arc=float(losses[2]), **{f"dev_{k}": v for k, v in dev.score(embedder(net)).items()})
            journal.save(done, steps=steps, net=net.state_dict(), head=head.state_dict(), optimiser=optimiser.state_dict(), config=config)


if __name__ == "__main__":
    main(sys.argv[1])
