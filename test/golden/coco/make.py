"""What pycocotools makes of the cases on standard input (test/golden/coco/cases.ts): see README.md beside this file."""
import contextlib
import copy
import hashlib
import io
import json
import sys
from importlib.metadata import version

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def evaluate(case, shift):
    """COCOeval on one case, annotation ids raised by `shift`."""
    truth = copy.deepcopy(case["truth"])
    for annotation in truth["annotations"]:
        annotation["id"] += shift
    detections = copy.deepcopy(case["detections"])
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = truth
        gt.createIndex()
        if detections:
            dt = gt.loadRes(detections)
        else:  # loadRes looks at the first one
            dt = COCO()
            dt.dataset = {**truth, "annotations": []}
            dt.createIndex()
        evaluation = COCOeval(gt, dt, "bbox")
        params, options = evaluation.params, case["options"]
        params.useCats = 0 if options.get("agnostic") else 1
        if "maxDets" in options:
            params.maxDets = options["maxDets"]
        if "iouThresholds" in options:
            params.iouThrs = np.array(options["iouThresholds"])
        if "areas" in options:
            params.areaRng = [[a["min"], a["max"]] for a in options["areas"]]
            params.areaRngLbl = [a["name"] for a in options["areas"]]
        evaluation.evaluate()
        evaluation.accumulate()
        if not {"maxDets", "areas", "iouThresholds"} & options.keys():
            evaluation.summarize()
    return evaluation


def mean(values):
    """As COCOeval.summarize: None where nothing is defined."""
    values = values[values > -1]
    return float(np.mean(values)) if len(values) else None


def digest(array):
    """Of the bytes of a float64 array in C order."""
    return hashlib.sha256(np.ascontiguousarray(array, dtype="<f8").tobytes()).hexdigest()[:32]


def expected(evaluation):
    precision, recall, scores = (evaluation.eval[key] for key in ("precision", "recall", "scores"))
    _, _, categories, areas, limits = precision.shape
    result = {
        # By area range, then by maxDets.
        "ap": [[mean(precision[:, :, :, [a], [m]]) for m in range(limits)] for a in range(areas)],
        "ar": [[mean(recall[:, :, [a], [m]]) for m in range(limits)] for a in range(areas)],
        "apOfCategory": [mean(precision[:, :, k, 0, -1]) for k in range(categories)],
        "precision": digest(precision),
        "recall": digest(recall),
        "scores": digest(scores),
    }
    if len(evaluation.stats):
        result["stats"] = [float(value) for value in evaluation.stats]
    return result


text = sys.stdin.read()
cases = []
for case in json.loads(text):
    zero = any(annotation["id"] == 0 for annotation in case["truth"]["annotations"])
    entry = {"name": case["name"], "expected": expected(evaluate(case, 1000 if zero else 0))}
    if zero:
        entry["withIdZero"] = expected(evaluate(case, 0))
    cases.append(entry)
head = {"made": f"pycocotools {version('pycocotools')}, numpy {np.__version__}", "inputs": hashlib.sha256(text.encode()).hexdigest()}
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
print(f'{json.dumps(head)[:-1]}, "cases": [\n{lines}\n]}}')
