"""
Mutual learning, from the paper's section 2.2: python3 mutual.py CONFIG

Two networks of one structure and different starts see the same pictures.
  Loss_arc  (2) = ArcMargin(student) + ArcMargin(teacher)
  Loss_dml  (3) = (KL(S||T) + KL(T||S)) / 2 of the softmax of both head outputs (4)
  Loss_feat (5) = mean square error of both backbone outputs
  plain: (2) for one network; dml: (2) + (3); u-dml: (2) + (3) + (5), which is (6).
All parameters are updated at once. The student is what is kept. Fine-tunes from `start`, so that the three variants differ in nothing but the loss.
"""
import copy
import sys

import torch
import torch.nn.functional as F

from journal import Journal, cosine, device, one_thread, read_config
from margin import ArcMargin
from pool import DevRetrieval, Pool, embedder, jitter, normalise
from recipes import build_embedder, finished


def kl(p_logits, q_logits):
    """KL(p || q), mean over the batch."""
    return F.kl_div(F.log_softmax(q_logits, 1), F.log_softmax(p_logits, 1), reduction="batchmean", log_target=True)


def total_loss(variant, features, outputs, losses_arc):
    """Equation 6 and its two subsets. `features`, `outputs`: of student and teacher (one of each for plain)."""
    loss = sum(losses_arc)
    if variant in ("dml", "u-dml"):
        loss = loss + (kl(outputs[0], outputs[1]) + kl(outputs[1], outputs[0])) / 2
    if variant == "u-dml":
        loss = loss + F.mse_loss(features[0], features[1])
    return loss


def restarted(net, generator, spread):
    """A second network of the same structure: the first one's weights moved by noise of `spread` times their own deviation."""
    other = copy.deepcopy(net)
    with torch.no_grad():
        for p in other.parameters():
            if p.ndim > 1:
                p.add_(torch.randn(p.shape, generator=generator) * p.std() * spread)
    return other


def main(name):
    config = read_config(name)
    one_thread(config)
    journal, pool, dev = Journal(name), Pool(), DevRetrieval()
    steps, batch, variant = config["steps"], config["batch"], config["variant"]
    begin = finished(config["start"])
    first = build_embedder(config)
    first.load_state_dict(begin["net"])
    nets = [first] if variant == "plain" else [first, restarted(first, torch.Generator().manual_seed(config["seed"]), config["spread"])]
    at = device()
    nets = [net.to(at, memory_format=torch.channels_last) for net in nets]
    heads = [ArcMargin(config["dim"], pool.classes).to(at) for _ in nets]
    for head in heads:
        head.weight.data.copy_(begin["head"]["weight"])
    both = torch.nn.ModuleList([*nets, *heads])
    optimiser = torch.optim.SGD(both.parameters(), lr=config["rate"], momentum=0.9, weight_decay=config["decay"])
    start, state = 0, journal.resume()
    if state:
        both.load_state_dict(state["both"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["step"]
    running = None
    for step, rows in pool.pair_batches(batch, config["seed"], start):
        if step >= steps:
            break
        for group in optimiser.param_groups:
            group["lr"] = config["rate"] * cosine(step, steps)
        both.train()
        labels = pool.labels[rows].to(at)
        x = normalise(jitter(pool.pictures(rows), torch.Generator().manual_seed(config["seed"] * 1_000_003 + step)).to(at))
        features = [net.features(x) for net in nets]
        outputs = [head.logits(net.embed(f), labels, config["margin"]) for net, head, f in zip(nets, heads, features)]
        loss = total_loss(variant, features, outputs, [F.cross_entropy(o, labels) for o in outputs])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 5.0)
        optimiser.step()
        running = float(loss) if running is None else 0.98 * running + 0.02 * float(loss)
        done = step + 1
        if done % config["every"] == 0 or done == steps:
            journal.log(step=done, images=done * batch, loss=running, **{f"dev_{k}": v for k, v in dev.score(embedder(nets[0])).items()})
            journal.save(done, steps=steps, net=nets[0].state_dict(), head=heads[0].state_dict(), both=both.state_dict(), optimiser=optimiser.state_dict(), config=config)


if __name__ == "__main__":
    main(sys.argv[1])
