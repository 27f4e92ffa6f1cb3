"""Average precision for watching a training (COCO's 101-point rule, one class). The figures on the cards come from the harness, not from here."""
import numpy as np
import torch

from assignment import overlap


def suppress(boxes, scores, iou=0.6):
    """Greedy non-maximum suppression: kept rows, best first."""
    order, kept = scores.argsort(descending=True), []
    while len(order):
        kept.append(int(order[0]))
        order = order[1:][overlap(boxes[order[:1]], boxes[order[1:]])[0] <= iou]
    return kept


def detect(net, pictures, normalise, side, batch=32, threshold=0.025):
    """A list of (boxes N x 4, scores N), a pair a picture."""
    net.eval()
    found, at = [], next(net.parameters()).device
    with torch.no_grad():
        for i in range(0, len(pictures), batch):
            logits, boxes, _ = net(normalise(pictures[i:i + batch].to(at)))
            logits, boxes = logits.cpu(), boxes.cpu()
            for score, box in zip(logits.sigmoid(), boxes.clamp(0, side)):
                rows = (score > threshold).nonzero()[:, 0]
                rows = rows[suppress(box[rows], score[rows])][:100]
                found.append((box[rows], score[rows]))
    return found


def average_precision(found, truth, thresholds=(0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)):
    """AP at each IoU threshold. `truth`: a list of N x 4."""
    total, out = sum(len(t) for t in truth), []
    tables = [overlap(b, t) if len(b) and len(t) else None for (b, _), t in zip(found, truth)]
    scores = np.concatenate([s.numpy() for _, s in found])
    order = np.argsort(-scores, kind="mergesort")
    for threshold in thresholds:
        hits = []
        for (boxes, _), table in zip(found, tables):
            table = None if table is None else table.clone()
            for row in range(len(boxes)):
                best, at = (table[row].max(0) if table is not None else (torch.tensor(-1.0), None))
                hit = best >= threshold
                if hit:
                    table[:, at] = -1
                hits.append(bool(hit))
        right = np.cumsum(np.array(hits)[order])
        recall, precision = right / total, right / np.arange(1, len(right) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(recall, np.linspace(0, 1, 101))
        out.append(float(np.mean([precision[i] if i < len(precision) else 0.0 for i in at])))
    return out
