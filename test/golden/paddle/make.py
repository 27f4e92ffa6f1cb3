"""Small Paddle models with inputs and outputs: an operator zoo in both of Paddle's formats.

Run once in each of two environments, from this folder:

    pip install paddlepaddle==2.6.2 "numpy<2" "setuptools<70"   ->  python make.py old
    pip install paddlepaddle==3.3.1 "numpy<2"                   ->  python make.py pir

Every case is a network of random weights (paddle.seed 3). Outputs come from the saved model, loaded
again and run by Paddle on the CPU. Written: CASE/FORMAT/inference.*, CASE/FORMAT/y0.npy ...,
CASE/x0.npy ... (the same in both formats).
"""

import os
import sys

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

FORMAT = sys.argv[1]
ONLY = sys.argv[2:]


class Blocks(nn.Layer):
    """Convolutions as backbones have them: SAME, dilated, grouped, with and without bias, normed."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2D(3, 8, 3, stride=2, padding="SAME", bias_attr=False)
        self.norm = nn.BatchNorm2D(8, epsilon=1e-3)
        self.depthwise = nn.Conv2D(8, 8, 5, padding=2, groups=8)
        self.grouped = nn.Conv2D(8, 12, 3, padding=[1, 0, 2, 1], groups=4, dilation=2)
        self.norm2 = nn.BatchNorm2D(12)
        self.up = nn.Conv2DTranspose(12, 6, 4, stride=2, padding=1, groups=2)
        self.norm3 = nn.BatchNorm2D(6)
        self.squeeze = nn.Conv2D(6, 4, 1)
        self.excite = nn.Conv2D(4, 6, 1)
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = F.hardswish(self.norm(self.stem(x)))
        x = F.relu(self.norm2(self.grouped(self.depthwise(x) + x)))
        x = F.leaky_relu(self.norm3(self.up(x)), 0.2)
        s = F.hardsigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1)))), slope=0.2)
        x = F.dropout(x * s, 0.3, training=False, mode="downscale_in_infer")
        return x, self.fc(paddle.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Pools(nn.Layer):
    def forward(self, x):
        return (
            F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
            F.avg_pool2d(x, 3, 2, 1, exclusive=False),
            F.avg_pool2d(x, 3, 2, 1, exclusive=True, ceil_mode=True),
            F.avg_pool2d(x, 2, 2, 0, exclusive=False, ceil_mode=True),
            F.max_pool2d(x, 3, 2, "SAME"),
            F.adaptive_avg_pool2d(x, [3, 4]),
            F.adaptive_max_pool2d(x, 4),
            F.interpolate(x, scale_factor=2, mode="nearest"),
            F.interpolate(x, size=[9, 20], mode="bilinear", align_corners=False, align_mode=0),
            F.interpolate(x, size=[9, 20], mode="bilinear", align_corners=False, align_mode=1),
            F.interpolate(x, size=[9, 20], mode="bilinear", align_corners=True),
        )


class Activations(nn.Layer):
    def __init__(self):
        super().__init__()
        self.prelu = nn.PReLU(3)

    def forward(self, x):
        parts = [
            F.relu(x), F.relu6(3 * x), F.sigmoid(x), paddle.tanh(x), F.elu(x), F.swish(x), F.silu(x),
            F.mish(x), F.gelu(x), F.gelu(x, approximate=True), F.softplus(x), F.hardswish(x),
            F.hardsigmoid(x), F.softmax(x, 1), self.prelu(x), paddle.clip(x, -0.5, 0.25),
            paddle.exp(x), paddle.log(x * x + 1), paddle.sqrt(x * x), paddle.rsqrt(x * x + 1),
            paddle.abs(x), paddle.floor(x), paddle.ceil(x), paddle.square(x), paddle.erf(x),
            paddle.pow(x, 3.0), paddle.sin(x), paddle.cos(x), paddle.scale(x, 2.0, 1.0, False),
            paddle.maximum(x, 0.3 * x), paddle.minimum(x, 0.3 * x), x / (x * x + 1),
            paddle.where(x > 0, x, 2 * x), (x >= 0.1).astype("float32"),
            paddle.logical_and(x > -1, x < 1).astype("float32"), (x != x).astype("float32"),
        ]
        return paddle.stack(parts, axis=1)


class Shapes(nn.Layer):
    def forward(self, x):
        n = paddle.shape(x)[0]
        a = paddle.reshape(x, [n, 6, -1])
        b = paddle.transpose(a, [0, 2, 1])
        c = paddle.concat([b[:, 1:5, :], b[:, -3:, ::2].tile([1, 1, 2])], axis=1)
        d, e = paddle.split(c, [2, -1], axis=-1)
        f = paddle.unsqueeze(d, [1, 2]).squeeze(1)
        g = paddle.stack(paddle.unstack(f, axis=3), axis=-1)
        h = paddle.flip(g, [2, 3])
        i = F.pad(x, [1, 2, 0, 1], value=0.5)
        j = F.pad(x, [1, 1, 1, 1], mode="reflect")
        k = paddle.expand(x[:, :1], [-1, 3, -1, -1]) + paddle.full([1], 2.0)
        l = F.pixel_shuffle(paddle.concat([x, x[:, :2]], 1), 2)
        channels = paddle.reshape(x, [n, 2, 3, x.shape[2], x.shape[3]])
        shuffled = paddle.reshape(paddle.transpose(channels, [0, 2, 1, 3, 4]), [n, 6, 8, 8])
        return c, e, h, i, j, k, l, shuffled, paddle.flatten(x, 2, 3), paddle.flatten(x, 0, 1)


class Reductions(nn.Layer):
    def __init__(self):
        super().__init__()
        self.layer = nn.LayerNorm([8, 8])
        self.instance = nn.InstanceNorm2D(6)
        self.table = self.create_parameter([5, 4])

    def forward(self, x):
        top, where = paddle.topk(x, 3, axis=2)
        grid = paddle.meshgrid(paddle.arange(4, dtype="float32"), paddle.arange(3, dtype="float32"))
        rows = paddle.gather(self.table, paddle.to_tensor([3, 0, 3]))
        nd = paddle.gather_nd(self.table, paddle.to_tensor([[1, 2], [4, 0]]))
        return (
            paddle.mean(x, [2, 3]), paddle.max(x, 1, keepdim=True), paddle.sum(x, -1), paddle.min(x, 2),
            paddle.mean(x), top, where.astype("float32"), paddle.argmax(x, 1).astype("float32"),
            paddle.cumsum(x, 1), self.layer(x), self.instance(x), grid[0] * 3 + grid[1], rows, nd,
            paddle.index_select(self.table, paddle.to_tensor([1, 1]), axis=1),
            paddle.norm(x, 2, axis=1, keepdim=True),
            paddle.matmul(x, x, transpose_y=True), paddle.bmm(x[:, 0], x[:, 1]),
        )


class Loop(nn.Layer):
    """Control flow over the batch, as older detectors have it."""

    def forward(self, x):
        rows = []
        for i in range(x.shape[0]):
            row = x[i]
            if paddle.shape(row)[1] > 4:
                row = row * 2
            else:
                row = row + 1
            rows.append(row)
        return paddle.stack(rows)


class Suppressed(nn.Layer):
    def forward(self, boxes, scores):
        from paddle.vision import ops
        if FORMAT == "old":
            out, num = nms3(boxes, scores)
        else:
            out, num = nms3_pir(boxes, scores)
        rows, count = ops.matrix_nms(boxes, scores, 0.1, 0.05, 20, 12, True, 2.0, -1, True, False)[:2]
        linear, few = ops.matrix_nms(boxes, scores, 0.1, 0.05, 20, 12, False, 2.0, 0, True, False)[:2]
        return out, num, rows, count, linear, few


def nms_attributes():
    return dict(background_label=-1, score_threshold=0.2, nms_top_k=20, nms_threshold=0.4,
                keep_top_k=12, normalized=True, nms_eta=1.0)


def nms3(boxes, scores):
    from paddle.base.layer_helper import LayerHelper
    helper = LayerHelper("multiclass_nms3")
    out = helper.create_variable_for_type_inference(dtype=boxes.dtype)
    index = helper.create_variable_for_type_inference(dtype="int32")
    num = helper.create_variable_for_type_inference(dtype="int32")
    helper.append_op(type="multiclass_nms3", inputs={"BBoxes": boxes, "Scores": scores},
                     attrs=nms_attributes(),
                     outputs={"Out": out, "Index": index, "NmsRoisNum": num})
    return out, num


def nms3_pir(boxes, scores):
    a = nms_attributes()
    out, _, num = paddle._C_ops.multiclass_nms3(
        boxes, scores, None, a["score_threshold"], a["nms_top_k"], a["keep_top_k"],
        a["nms_threshold"], a["normalized"], a["nms_eta"], a["background_label"])
    return out, num


class Yolo(nn.Layer):
    def forward(self, x, y, size):
        from paddle.vision import ops
        a = ops.yolo_box(x, size, [10, 13, 16, 30], 4, 0.3, 8, True, scale_x_y=1.05)
        b = ops.yolo_box(y, size, [10, 13, 16, 30], 4, 0.3, 8, False, iou_aware=True,
                         iou_aware_factor=0.4)
        return (*a, *b)


class Deformed(nn.Layer):
    def __init__(self):
        super().__init__()
        from paddle.vision.ops import DeformConv2D
        self.offset = nn.Conv2D(4, 18, 3, padding=1)
        self.mask = nn.Conv2D(4, 9, 3, padding=1)
        self.conv = DeformConv2D(4, 6, 3, padding=1, bias_attr=False)
        self.plain = DeformConv2D(4, 6, 3, padding=1)

    def forward(self, x):
        offset = self.offset(x)
        return self.conv(x, offset, F.sigmoid(self.mask(x))), self.plain(x, offset)


def boxes_and_scores(random):
    corners = random.uniform(0, 60, (1, 40, 2))
    sides = random.uniform(10, 40, (1, 40, 2))
    boxes = np.concatenate([corners, corners + sides], -1).astype("float32")
    return [boxes, random.uniform(0, 1, (1, 3, 40)).astype("float32")]


def picture(*shape):
    return lambda random: [random.standard_normal(shape).astype("float32")]


def yolo_inputs(random):
    maps = [random.standard_normal((2, c, 4, 5)).astype("float32") for c in (18, 20)]
    return [*maps, np.array([[32, 40], [64, 70]], "int32")]


CASES = {
    "blocks": (Blocks, picture(2, 3, 21, 24), [[None, 3, 21, 24]]),
    "pools": (Pools, picture(2, 3, 11, 14), [[None, 3, 11, 14]]),
    "activations": (Activations, picture(2, 3, 4, 5), [[None, 3, 4, 5]]),
    "shapes": (Shapes, picture(2, 6, 8, 8), [[None, 6, 8, 8]]),
    "reductions": (Reductions, picture(2, 6, 8, 8), [[None, 6, 8, 8]]),
    "loop": (Loop, picture(2, 3, 5), [[-1, 3, 5]]),
    "suppressed": (Suppressed, boxes_and_scores, [[1, 40, 4], [1, 3, 40]]),
    "yolo": (Yolo, yolo_inputs, [[None, 18, 4, 5], [None, 20, 4, 5], [None, 2]]),
    "deformed": (Deformed, picture(2, 4, 7, 6), [[None, 4, 7, 6]]),
}


def disturb_norms(model, random):
    for layer in model.sublayers():
        if isinstance(layer, nn.BatchNorm2D):
            size = layer._mean.shape[0]
            layer._mean.set_value(random.uniform(-0.2, 0.2, size).astype("float32"))
            layer._variance.set_value(random.uniform(0.5, 2, size).astype("float32"))
            layer.weight.set_value(random.uniform(0.5, 1.5, size).astype("float32"))
            layer.bias.set_value(random.uniform(-0.2, 0.2, size).astype("float32"))


def make(name):
    network, inputs_of, shapes = CASES[name]
    random = np.random.RandomState(3)
    paddle.seed(3)
    model = network()
    model.eval()
    inputs = inputs_of(random)
    disturb_norms(model, random)
    specs = [paddle.static.InputSpec(s, str(x.dtype), name=f"x{i}")
             for i, (s, x) in enumerate(zip(shapes, inputs))]
    folder = os.path.join(name, FORMAT)
    os.makedirs(folder, exist_ok=True)
    paddle.jit.save(paddle.jit.to_static(model, input_spec=specs), os.path.join(folder, "inference"))
    info = os.path.join(folder, "inference.pdiparams.info")
    if os.path.exists(info):
        os.remove(info)
    loaded = paddle.jit.load(os.path.join(folder, "inference"))
    loaded.eval()
    outputs = loaded(*[paddle.to_tensor(x) for x in inputs])
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    for i, x in enumerate(inputs):
        np.save(os.path.join(name, f"x{i}.npy"), x)
    for i, y in enumerate(outputs):
        np.save(os.path.join(folder, f"y{i}.npy"), y.numpy())
    print(name, [list(y.shape) for y in outputs])


for name in ONLY or CASES:
    try:
        make(name)
    except Exception as error:
        print("FAILED", name, repr(error)[:600])
