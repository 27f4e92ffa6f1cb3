"""Evaluates one truth and detection file with a peer, and reports its numbers and what they cost: coco-peer.py PACKAGE TRUTH DETECTIONS."""
import contextlib
import io
import json
import resource
import sys

package, truth, detections = sys.argv[1:]
with contextlib.redirect_stdout(io.StringIO()):
    if package == "faster_coco_eval":
        from faster_coco_eval import COCO, COCOeval_faster as Evaluation, __version__ as version
    else:
        from importlib.metadata import version as version_of
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval as Evaluation
        version = version_of("pycocotools")
    gt = COCO(truth)
    evaluation = Evaluation(gt, gt.loadRes(detections), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "version": version,
    "values": [float(value) for value in evaluation.stats[:12]],
    "cpuS": used.ru_utime + used.ru_stime,
    "peakKiB": used.ru_maxrss,
}))
