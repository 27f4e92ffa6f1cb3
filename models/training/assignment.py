"""Which anchor points are to find which box, and the losses of a one-class detector. Boxes are x0 y0 x1 y1 in pixels of the network's input."""
import math

import torch
import torch.nn.functional as F


def grid(side, strides):
    """A x 3: centre x, centre y, stride of every cell, level after level."""
    cells = []
    for stride in strides:
        n = math.ceil(side / stride)
        y, x = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
        cells.append(torch.stack([(x + 0.5) * stride, (y + 0.5) * stride, torch.full_like(x, stride).float()], -1).view(-1, 3))
    return torch.cat(cells)


def overlap(a, b):
    """IoU of N x 4 with M x 4, N x M."""
    low, high = torch.max(a[..., :, None, :2], b[..., None, :, :2]), torch.min(a[..., :, None, 2:], b[..., None, :, 2:])
    inner = (high - low).clamp(min=0).prod(-1)
    area = lambda t: (t[..., 2:] - t[..., :2]).prod(-1)
    return inner / (area(a)[..., :, None] + area(b)[..., None, :] - inner + 1e-6)


def present(boxes, counts):
    return torch.arange(boxes.shape[1], device=counts.device)[None] < counts[:, None]


def centre_sampling(points, boxes, counts, small=44.0, large=36.0):
    """FCOS-like: points near a box's centre, boxes up to `small` px on the finer level, from `large` px on the coarser. B x A box numbers, -1 for none."""
    centre, size = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
    length, stride = size.clamp(min=1e-3).prod(-1).sqrt(), points[None, :, None, 2]
    away = (points[None, :, None, :2] - centre[:, None]).abs()
    near = (away < torch.minimum((size / 2)[:, None], 1.5 * stride[..., None])).all(-1) | (away <= 0.5 * stride[..., None]).all(-1)
    finest = points[:, 2].min()
    fits = torch.where(stride == finest, length[:, None] <= small, length[:, None] >= large)
    ok = near & fits & present(boxes, counts)[:, None]
    area = torch.where(ok, size.prod(-1)[:, None].expand_as(ok), size.new_tensor(math.inf))
    smallest, number = area.min(2)
    return torch.where(smallest < math.inf, number, -1)


def atss(points, boxes, counts, nearest=9, anchor=5.0):
    """Adaptive training sample selection (Zhang et al. 2020): the `nearest` points a level, those whose square anchor overlaps by mean + deviation. B x A, -1 for none."""
    there = present(boxes, counts)
    anchors = torch.cat([points[:, :2] - points[:, 2:] * anchor / 2, points[:, :2] + points[:, 2:] * anchor / 2], 1)
    iou = overlap(anchors[None], boxes)  # B A M
    distance = torch.cdist(points[None, :, :2].expand(len(boxes), -1, -1), (boxes[..., :2] + boxes[..., 2:]) / 2)
    candidate = torch.zeros_like(iou, dtype=torch.bool)
    start = 0
    for stride in points[:, 2].unique():
        n = int((points[:, 2] == stride).sum())
        chosen = distance[:, start:start + n].topk(min(nearest, n), dim=1, largest=False)[1] + start
        candidate.scatter_(1, chosen, True)
        start += n
    among = torch.where(candidate, iou, iou.new_tensor(math.nan))
    mean = torch.nanmean(among, 1, keepdim=True)
    deviation = torch.sqrt(torch.nanmean((among - mean) ** 2, 1, keepdim=True))
    inside = torch.stack([points[None, :, None, 0] - boxes[:, None, :, 0], points[None, :, None, 1] - boxes[:, None, :, 1],
                          boxes[:, None, :, 2] - points[None, :, None, 0], boxes[:, None, :, 3] - points[None, :, None, 1]], -1).amin(-1) > 0.01
    positive = candidate & inside & (iou >= mean + deviation) & there[:, None]
    best, number = torch.where(positive, iou, iou.new_tensor(-1.0)).max(2)
    return torch.where(best >= 0, number, -1)


def generalised_iou(a, b):
    """Rezatofighi et al. 2019, pairwise: returns (IoU, GIoU), each N."""
    low, high = torch.max(a[:, :2], b[:, :2]), torch.min(a[:, 2:], b[:, 2:])
    inner = (high - low).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inner + 1e-6
    hull = (torch.max(a[:, 2:], b[:, 2:]) - torch.min(a[:, :2], b[:, :2])).prod(1) + 1e-6
    return inner / union, inner / union - (hull - union) / hull


def detection_loss(logits, boxes, bins, points, assigned, truth):
    """
    Quality focal loss on the scores (the target is the IoU of the predicted box), GIoU loss on the boxes, distribution focal loss on the bins where there are any
    (Generalized Focal Loss, Li et al. 2020). logits B x A, boxes B x A x 4, bins B x A x 4 x K or None, assigned B x A, truth B x M x 4.
    """
    b, a = torch.nonzero(assigned >= 0, as_tuple=True)
    count = max(1, len(b))
    target = torch.zeros_like(logits)
    box_loss = bin_loss = logits.sum() * 0
    if len(b):
        goal = truth[b, assigned[b, a]]
        iou, giou = generalised_iou(boxes[b, a], goal)
        target[b, a] = iou.detach().clamp(0, 1)
        weight = target[b, a].clamp(min=0.1)
        box_loss = ((1 - giou) * weight).sum() / weight.sum()
        if bins is not None:
            k = bins.shape[-1]
            centre, stride = points[a, :2], points[a, 2:]
            distance = (torch.cat([centre - goal[:, :2], goal[:, 2:] - centre], 1) / stride).clamp(0, k - 1 - 0.01).view(-1)
            lower = distance.long()
            logit = bins[b, a].reshape(-1, k)
            losses = F.cross_entropy(logit, lower, reduction="none") * (lower + 1 - distance) + F.cross_entropy(logit, lower + 1, reduction="none") * (distance - lower)
            bin_loss = (losses.view(-1, 4).mean(1) * weight).sum() / weight.sum()
    quality = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * (target - logits.sigmoid()).abs().pow(2).detach()
    return quality.sum() / count, 2 * box_loss, 0.25 * bin_loss
