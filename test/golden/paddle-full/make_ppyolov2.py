"""PP-YOLOv2 (ResNet50_vd, deformable convolution) at full size, with inputs and outputs.

    python3 make_ppyolov2.py PADDLEDETECTION OUT

PADDLEDETECTION is a checkout (666f597). Writes OUT/PPYOLOv2/inference.{json,pdiparams} with drawn
weights, and for three inputs of batch 1 and 2 what goes into matrix suppression: x{i}_{batch}.npy,
boxes{i}_{batch}.npy, scores{i}_{batch}.npy. Suppression itself says little of random scores. With
paddlepaddle 3.3.1, numpy 1.26 and what PaddleDetection asks for (PyPI).
"""
import os
import sys

import numpy as np
import paddle

checkout, out = (os.path.abspath(p) for p in sys.argv[1:3])
sys.path.insert(0, checkout)
os.chdir(checkout)
from ppdet.core.workspace import create, load_config  # noqa: E402
from ppdet.modeling import ops  # noqa: E402

folder = os.path.join(out, "PPYOLOv2")
os.makedirs(folder, exist_ok=True)
paddle.seed(3)
random = np.random.RandomState(3)
config = load_config("configs/ppyolo/ppyolov2_r50vd_dcn_365e_coco.yml")
model = create(config.architecture)
for name, layer in model.named_sublayers():
    if isinstance(layer, (paddle.nn.BatchNorm2D, paddle.nn.SyncBatchNorm)):
        size = layer._mean.shape[0]
        layer._mean.set_value(random.uniform(-0.1, 0.1, size).astype("float32"))
        layer._variance.set_value(random.uniform(0.8, 1.25, size).astype("float32"))
    # Offsets that move: they are made as zeros.
    if name.endswith("conv_offset"):
        shape = layer.weight.shape
        layer.weight.set_value(random.normal(0, 0.01, shape).astype("float32"))
# Raw outputs of one or so, as trained ones are: exponents of hundreds would only show rounding.
for layer in model.yolo_head.sublayers():
    if isinstance(layer, paddle.nn.Conv2D):
        layer.weight.set_value(layer.weight * 0.004)
model.eval()

caught = {}


def catch(bboxes, scores, **settings):
    caught["boxes"], caught["scores"] = bboxes.numpy(), scores.numpy()
    return ops_matrix_nms(bboxes, scores, **settings)


ops_matrix_nms = paddle.vision.ops.matrix_nms
ops.matrix_nms = catch
for i in range(3):
    x = random.standard_normal((2, 3, 640, 640)).astype("float32")
    for batch in (1, 2):
        feed = {
            "image": paddle.to_tensor(x[:batch]),
            "im_shape": paddle.full([batch, 2], 640.0),
            "scale_factor": paddle.ones([batch, 2]),
        }
        with paddle.no_grad():
            model(feed)
        np.save(os.path.join(folder, f"x{i}_{batch}.npy"), x[:batch])
        for name, value in caught.items():
            np.save(os.path.join(folder, f"{name}{i}_{batch}.npy"), value)
ops.matrix_nms = ops_matrix_nms
specs = {
    "image": paddle.static.InputSpec([None, 3, 640, 640], "float32", name="image"),
    "im_shape": paddle.static.InputSpec([None, 2], "float32", name="im_shape"),
    "scale_factor": paddle.static.InputSpec([None, 2], "float32", name="scale_factor"),
}
static = paddle.jit.to_static(model, input_spec=[specs])
paddle.jit.save(static, os.path.join(folder, "inference"))
print("written", {k: v.shape for k, v in caught.items()}, float(np.abs(caught["scores"]).max()))
