"""What PaddleClas's and PaddleDetection's own networks compute with the weights that are drawn here.

Beside the project, in an environment of its own:

    pip install paddlepaddle==3.3.1 "numpy<2" onnx==1.17.0 scipy pyyaml easydict requests
    python make.py PADDLECLAS PADDLEDETECTION ONNX_FOLDER > outputs.json

with checkouts of PaddleClas (d178931, develop, October 2024) and PaddleDetection (666f597), and in
ONNX_FOLDER the networks of sizes.json as `npx tsx write-models.ts ONNX_FOLDER` writes them.

Tensors go over by name: the graphs use the names of the state dicts. The input is a fixed pattern.
Kept are 48 values of each output, evenly spaced, and the largest magnitude of all.
"""

import json
import subprocess
import sys
import types

import numpy as np
import onnx
import onnx.numpy_helper
import paddle

CLAS, DET, FOLDER, *ONE = sys.argv[1:]
KEPT = 48


def stand_in(root, package, folders):
    """Packages without their __init__, which would import every dependency of a training."""
    for name in [package, *(f"{package}.{folder}" for folder in folders)]:
        module = types.ModuleType(name)
        module.__path__ = [f"{root}/{name.replace('.', '/')}"]
        sys.modules[name] = module


stand_in(CLAS, "ppcls", ["utils", "arch", "arch.backbone", "arch.backbone.base",
                         "arch.backbone.legendary_models", "arch.backbone.model_zoo",
                         "arch.backbone.variant_models"])
stand_in(DET, "ppdet", ["utils", "core", "modeling", "modeling.backbones", "modeling.necks",
                        "modeling.heads", "modeling.assigners", "modeling.losses"])
sys.modules["ppdet.modeling.losses"].IouLoss = None  # named by the head's file, for training alone


def classifier(name):
    from ppcls.utils import logger
    logger.init_logger()
    zoo = "ppcls.arch.backbone."
    family, width = name.rsplit("-", 1)
    width = float(width[:-1]) if width.endswith("x") else None
    load = lambda module: __import__(zoo + module, fromlist=["_"])
    if family == "pp-lcnet":
        net = load("legendary_models.pp_lcnet")
        return net.PPLCNet(scale=width, stages_pattern=net.MODEL_STAGES_PATTERN["PPLCNet"])
    if family == "mobilenet-v1":
        net = load("legendary_models.mobilenet_v1")
        return net.MobileNet(net.MODEL_STAGES_PATTERN["MobileNetV1"], scale=width)
    if family == "mobilenet-v2":
        return load("model_zoo.mobilenet_v2").MobileNet(scale=width)
    if family.startswith("mobilenet-v3"):
        net = load("legendary_models.mobilenet_v3")
        kind = family.rsplit("-", 1)[1]
        squeeze = {"large": net.LAST_SECOND_CONV_LARGE, "small": net.LAST_SECOND_CONV_SMALL}[kind]
        return net.MobileNetV3(net.NET_CONFIG[kind], net.MODEL_STAGES_PATTERN[f"MobileNetV3_{kind}"],
                               scale=width, class_squeeze=squeeze)
    if family == "shufflenet-v2":
        return load("model_zoo.shufflenet_v2").ShuffleNet(scale=width)
    if name == "resnet50-vd":
        return load("legendary_models.resnet").ResNet50_vd()
    return load("variant_models.resnet_variant").ResNet50_last_stage_stride1()


class Recogniser(paddle.nn.Layer):
    """A backbone up to where PaddleClas's RecModel stops it, and a neck."""

    def __init__(self, backbone, stop, neck):
        super().__init__()
        backbone.stop_after(stop)
        self.backbone, self.neck, self.stop = backbone, neck, stop

    def forward(self, x):
        return self.neck(self.backbone(x))


def recogniser(name):
    backbone = classifier({"rec-pp-lcnet-2.5x": "pp-lcnet-2.5x"}.get(name, name.replace("rec-", "")))
    if name == "rec-resnet50-last-stride-1":
        neck = paddle.nn.Layer()
        neck.conv = paddle.nn.Conv2D(2048, 512, 1)
        neck.forward = lambda x: paddle.flatten(neck.conv(x), 1)
        return Recogniser(backbone, "avg_pool", neck)
    neck = paddle.nn.Layer()
    neck.fc = paddle.nn.Linear(1280 if "lcnet" in name else 2048, 512)
    neck.forward = lambda x: neck.fc(x)
    return Recogniser(backbone, "flatten", neck)


class Detector(paddle.nn.Layer):
    def __init__(self, backbone, neck, head, outputs):
        super().__init__()
        self.backbone, self.neck, self.outputs = backbone, neck, outputs
        setattr(self, "head" if outputs is picodet_outputs else "yolo_head", head)

    def forward(self, x):
        return self.outputs(self, self.neck(self.backbone({"image": x})), x.shape[2])


def picodet_outputs(net, maps, size):
    scores, distances = net.head(maps, export_post_process=False)
    named = {}
    for level, (s, d) in enumerate(zip(scores, distances)):
        named[f"scores_{8 * 2 ** level}"] = s
        named[f"distances_{8 * 2 ** level}"] = d
    return named


def yolo_outputs(net, maps, size):
    boxes, scores = [], []
    for level, y in enumerate(net.yolo_head(maps)):
        b, s = paddle.vision.ops.yolo_box(
            y, paddle.to_tensor([[size, size]], "int32"), net.yolo_head.mask_anchors[level], 80,
            0.0, 32 // 2 ** level, False, scale_x_y=1.05)
        boxes.append(b)
        scores.append(s.transpose([0, 2, 1]))
    return {"boxes": paddle.concat(boxes, 1), "scores": paddle.concat(scores, 2)}


def picodet(channels, classes, act, depth, kernel):
    from ppdet.modeling.backbones.lcnet import LCNet
    from ppdet.modeling.heads.pico_head import PicoFeat, PicoHead
    from ppdet.modeling.necks.csp_pan import CSPPAN
    backbone = LCNet(scale=2.5, feature_maps=[3, 4, 5])
    neck = CSPPAN([s.channels for s in backbone.out_shape], channels, kernel_size=kernel,
                  num_features=4, act=act, spatial_scales=[0.125, 0.0625, 0.03125])
    feat = PicoFeat(channels, channels, num_fpn_stride=4, num_convs=depth, share_cls_reg=True, act=act)
    loss = types.SimpleNamespace(use_sigmoid=True)
    head = PicoHead(feat, num_classes=classes, fpn_stride=[8, 16, 32, 64], loss_class=loss,
                    reg_max=7, feat_in_chan=channels, cell_offset=0.5)
    return Detector(backbone, neck, head, picodet_outputs)


def yolo(backbone, neck, anchors, masks, **kwargs):
    from ppdet.modeling.heads.yolo_head import YOLOv3Head
    head = YOLOv3Head([s.channels for s in neck.out_shape], anchors, masks, 80, loss=None, **kwargs)
    return Detector(backbone, neck, head, yolo_outputs)


def detector(name):
    if name == "picodet-lcnet-2.5x":
        return picodet(128, 80, "hard_swish", 4, 5)
    if name == "picodet-lcnet-2.5x-mainbody":
        return picodet(96, 1, "leaky_relu", 2, 3)
    from ppdet.modeling.backbones.mobilenet_v3 import MobileNetV3
    from ppdet.modeling.backbones.resnet import ResNet
    from ppdet.modeling.necks.yolo_fpn import PPYOLOFPN, PPYOLOPAN, PPYOLOTinyFPN
    depths = lambda b: [s.channels for s in b.out_shape]
    if name == "pp-yolo-v2":
        b = ResNet(50, variant="d", return_idx=[1, 2, 3], dcn_v2_stages=[3], freeze_at=-1, freeze_norm=False)
        anchors = [[10, 13], [16, 30], [33, 23], [30, 61], [62, 45], [59, 119], [116, 90], [156, 198], [373, 326]]
        return yolo(b, PPYOLOPAN(depths(b), drop_block=True, spp=True), anchors,
                    [[6, 7, 8], [3, 4, 5], [0, 1, 2]], iou_aware=True, iou_aware_factor=0.5)
    if name == "pp-yolo-mobilenet-v3":
        b = MobileNetV3(1.0, "large", [13, 16], extra_block_filters=[])
        anchors = [[11, 18], [34, 47], [51, 126], [115, 71], [120, 195], [254, 235]]
        neck = PPYOLOFPN(depths(b), coord_conv=True, conv_block_num=0, spp=True, drop_block=True)
        return yolo(b, neck, anchors, [[3, 4, 5], [0, 1, 2]])
    b = MobileNetV3(0.5, "large", [7, 13, 16], extra_block_filters=[])
    anchors = [[10, 15], [24, 36], [72, 42], [35, 87], [102, 96], [60, 170], [220, 125], [128, 222], [264, 266]]
    return yolo(b, PPYOLOTinyFPN(depths(b), [160, 128, 96], spp=True, drop_block=True), anchors,
                [[6, 7, 8], [3, 4, 5], [0, 1, 2]])


def pattern(size):
    """((7919 i) mod 1000) / 500 - 1: no picture, but the same numbers in every language."""
    place = np.arange(3 * size * size, dtype=np.int64)
    return ((place * 7919 % 1000) / 500 - 1).astype(np.float32).reshape(1, 3, size, size)


def put_weights(net, model):
    given = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    state = net.state_dict()
    unused = []
    for key, tensor in state.items():
        if key in given:
            assert list(tensor.shape) == list(given[key].shape), (key, tensor.shape, given[key].shape)
            tensor.set_value(given[key])
        else:
            unused.append(key)
    learned = {k for k in given if k.rsplit(".", 1)[-1] in ("weight", "bias", "_mean", "_variance")}
    assert learned <= set(state), sorted(learned - set(state))[:5]
    return unused


def computed(name, size):
    kind = "rec" if name.startswith("rec-") else "det" if "yolo" in name or "picodet" in name else "cls"
    net = {"rec": recogniser, "det": detector, "cls": classifier}[kind](name)
    net.eval()
    unused = put_weights(net, onnx.load(f"{FOLDER}/{name}.onnx"))
    with paddle.no_grad():
        outputs = net(paddle.to_tensor(pattern(size)))
    if not isinstance(outputs, dict):
        outputs = {"features" if kind == "rec" else "logits": outputs}
    return {"size": size, "unused": unused, "outputs": {k: kept(v.numpy()) for k, v in outputs.items()}}


def main():
    sizes = json.load(open(f"{sys.path[0]}/sizes.json"))
    if ONE:
        json.dump(computed(ONE[0], sizes[ONE[0]]), sys.stdout)
        return
    # A process each: networks of two widths share names of parameters, which Paddle wants unique.
    results = {}
    for name in sizes:
        run = subprocess.run([sys.executable, __file__, CLAS, DET, FOLDER, name], capture_output=True, text=True)
        if run.returncode != 0:
            print(name, run.stderr[-1500:], file=sys.stderr)
            continue
        results[name] = json.loads(run.stdout.splitlines()[-1])
        print(name, results[name]["unused"][:4], file=sys.stderr)
    json.dump(results, sys.stdout, indent=1)


def kept(values):
    flat = values.reshape(-1)
    places = np.linspace(0, flat.size - 1, KEPT).astype(np.int64)
    return {"shape": list(values.shape), "largest": float(np.abs(flat).max()),
            "places": places.tolist(), "values": [float(f"{v:.9g}") for v in flat[places]]}


main()
