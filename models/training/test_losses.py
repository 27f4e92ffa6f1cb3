"""Losses and assignments against numbers worked out by hand: make -C models/training test"""
import math
import unittest

import torch
import torch.nn.functional as F

from assignment import atss, centre_sampling, detection_loss, generalised_iou, grid, overlap
from average_precision import average_precision, suppress
from hashing import dshsd, pair_terms
from lcnet import LightEmbedder, scaled
from margin import ArcMargin
from mutual import kl, total_loss
from pico import PicoDetector
from quantise import Range


class Margins(unittest.TestCase):
    def test_arc_margin_adds_to_the_angle_of_the_true_class_only(self):
        head = ArcMargin(2, 2)
        head.weight.data.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        angle = 0.5
        logits = head.logits(torch.tensor([[math.cos(angle), math.sin(angle)]]), torch.tensor([0]), 0.2)
        self.assertAlmostEqual(logits[0, 0].item(), 30 * math.cos(angle + 0.2), places=4)
        self.assertAlmostEqual(logits[0, 1].item(), 30 * math.cos(math.pi / 2 - angle), places=4)


class Mutual(unittest.TestCase):
    def test_kl_equals_its_definition(self):
        p, q = torch.tensor([[1.0, 2.0, 0.5]]), torch.tensor([[0.2, 0.1, 3.0]])
        a, b = F.softmax(p, 1), F.softmax(q, 1)
        self.assertAlmostEqual(kl(p, q).item(), (a * (a / b).log()).sum().item(), places=6)

    def test_total_is_equation_six(self):
        f, o = [torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 5.0]])], [torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])]
        arcs = [torch.tensor(2.0), torch.tensor(3.0)]
        both = (kl(o[0], o[1]) + kl(o[1], o[0])) / 2
        self.assertEqual(total_loss("plain", f, o, arcs[:1]).item(), 2.0)
        self.assertAlmostEqual(total_loss("dml", f, o, arcs).item(), 5 + both.item(), places=6)
        self.assertAlmostEqual(total_loss("u-dml", f, o, arcs).item(), 5 + both.item() + (4 + 9) / 2, places=5)


class Hashing(unittest.TestCase):
    def test_dshsd_pulls_pairs_of_a_label_and_pushes_others_to_the_margin(self):
        u, labels = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]), torch.tensor([0, 0, 1])
        distance, same, other = pair_terms(u, labels)
        self.assertEqual(distance[0, 1].item(), 4.0)
        self.assertEqual(same.sum().item(), 2.0)
        self.assertEqual(other.sum().item(), 4.0)
        # Two ordered pairs of one label at 4; others at 8 and 4, margin 6: 0 and 2, each twice. Mean over 6.
        logits = torch.zeros(3, 2)
        self.assertAlmostEqual(dshsd(u, logits, labels, 0.05, 6.0).item(), 0.05 * (2 * 4 + 2 * 2) / 6 + math.log(2), places=6)


class Detection(unittest.TestCase):
    def setUp(self):
        self.points = grid(160, (8, 16, 32, 64))
        self.boxes = torch.zeros(1, 12, 4)
        self.boxes[0, 0], self.boxes[0, 1] = torch.tensor([20.0, 20, 60, 60]), torch.tensor([100.0, 90, 116, 108])
        self.count = torch.tensor([2])

    def test_grid_has_the_cells_of_each_stride(self):
        self.assertEqual(len(self.points), 20 ** 2 + 10 ** 2 + 5 ** 2 + 3 ** 2)
        self.assertEqual(self.points[1].tolist(), [12.0, 4.0, 8.0])

    def test_every_box_is_assigned_and_absent_rows_are_not(self):
        for assign, points in ((atss, self.points), (centre_sampling, grid(160, (8, 16)))):
            found = assign(points, self.boxes, self.count)[0]
            self.assertEqual(set(found.tolist()), {-1, 0, 1})
            for number in (0, 1):
                at = points[found == number]
                x0, y0, x1, y1 = self.boxes[0, number].tolist()
                self.assertTrue(((at[:, 0] > x0 - 8) & (at[:, 0] < x1 + 8) & (at[:, 1] > y0 - 8) & (at[:, 1] < y1 + 8)).all())

    def test_giou_of_apart_and_equal_boxes(self):
        a = torch.tensor([[0.0, 0, 2, 2], [0.0, 0, 2, 2]])
        iou, giou = generalised_iou(a, torch.tensor([[0.0, 0, 2, 2], [4.0, 0, 6, 2]]))
        self.assertAlmostEqual(giou[0].item(), 1.0, places=4)
        self.assertAlmostEqual(iou[1].item(), 0.0, places=4)
        self.assertAlmostEqual(giou[1].item(), -(12 - 8) / 12, places=4)

    def test_a_perfect_prediction_costs_nothing(self):
        assigned = atss(self.points, self.boxes, self.count)
        exact = torch.where((assigned >= 0)[..., None], self.boxes[0][assigned.clamp(min=0)], torch.tensor([0.0, 0, 1, 1]))
        logits = torch.where(assigned >= 0, 12.0, -12.0)
        self.assertLess(float(sum(detection_loss(logits, exact, None, self.points, assigned, self.boxes))), 0.02)

    def test_ap_of_one_hit_one_miss_one_false(self):
        truth = [torch.tensor([[0.0, 0, 10, 10], [50.0, 50, 60, 60]])]
        found = [(torch.tensor([[0.0, 0, 10, 10], [20.0, 20, 30, 30]]), torch.tensor([0.9, 0.8]))]
        self.assertAlmostEqual(average_precision(found, truth)[0], 51 / 101, places=6)  # precision 1 up to recall 0.5

    def test_suppress_keeps_the_better_of_two(self):
        boxes = torch.tensor([[0.0, 0, 10, 10], [1.0, 0, 11, 10], [40.0, 40, 50, 50]])
        self.assertGreater(overlap(boxes[:1], boxes[1:2]).item(), 0.6)
        self.assertEqual(suppress(boxes, torch.tensor([0.5, 0.9, 0.1])), [1, 2])


class Networks(unittest.TestCase):
    def test_widths_follow_the_rule_of_eight(self):
        self.assertEqual([scaled(w, 0.25) for w in (16, 32, 64, 128, 256, 512)], [8, 8, 16, 32, 64, 128])

    def test_shapes(self):
        self.assertEqual(LightEmbedder().eval()(torch.zeros(2, 3, 64, 64)).shape, (2, 256))
        logits, boxes, bins = PicoDetector().eval()(torch.zeros(1, 3, 160, 160))
        self.assertEqual((logits.shape, boxes.shape, bins.shape), ((1, 534), (1, 534, 4), (1, 534, 4, 8)))

    def test_a_range_reproduces_its_ends_and_zero(self):
        r = Range(1.0)
        r.watch(torch.tensor([-1.0, 0.3, 3.0]))
        out = r.apply(torch.tensor([-1.0, 0.0, 3.0, 9.0]))
        self.assertEqual(out[1].item(), 0.0)
        self.assertTrue(torch.allclose(out, torch.tensor([-1.0, 0.0, 3.0, 3.0]), atol=4 / 255))


if __name__ == "__main__":
    unittest.main()
