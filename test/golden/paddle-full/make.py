"""Networks of PaddleClas at full size, with inputs and outputs: for the importer's slow tests.

    python3 make.py PADDLECLAS OUT [NETWORK ...]

PADDLECLAS is a checkout (d178931). For each network, in a process of its own (names of parameters
collide otherwise): OUT/NETWORK/inference.{json,pdiparams} with drawn weights and without softmax,
x0.npy to x2.npy (batch 2), y0.npy to y2.npy (batch 2) and y0_1.npy to y2_1.npy (their first picture
alone), as Paddle's saved model gives them on the CPU, without its graph optimiser. With
paddlepaddle 3.3.1 and numpy 1.26 (PyPI), or with paddlepaddle 2.6.2 and setuptools below 70 for
inference.pdmodel, the older format; OUT/NETWORK/paddle2onnx.onnx where paddle2onnx 2.1.0 is
installed. Then

    SHITU_PADDLE_FULL=OUT npx vitest run test/import/full-size.test.ts
    npx tsx bench/import-speed.ts OUT
"""
import os
import subprocess
import sys

checkout, out = (os.path.abspath(p) for p in sys.argv[1:3])
modules = {
    "PPLCNet_x2_5": "legendary_models.pp_lcnet", "PPLCNet_x0_25": "legendary_models.pp_lcnet",
    "PPLCNetV2_base": "legendary_models.pp_lcnet_v2", "ResNet50_vd": "legendary_models.resnet",
    "ResNet50": "legendary_models.resnet", "MobileNetV1": "legendary_models.mobilenet_v1",
    "MobileNetV2": "model_zoo.mobilenet_v2", "MobileNetV3_small_x0_35": "legendary_models.mobilenet_v3",
    "MobileNetV3_large_x1_0": "legendary_models.mobilenet_v3",
    "ShuffleNetV2_x0_33": "model_zoo.shufflenet_v2", "PPHGNet_small": "legendary_models.pp_hgnet",
    "PPHGNetV2_B0": "legendary_models.pp_hgnet_v2",
}
networks = sys.argv[3:] or list(modules)

if len(networks) > 1:
    for network in networks:
        done = subprocess.run([sys.executable, __file__, checkout, out, network])
        if done.returncode != 0:
            print("FAILED", network, flush=True)
    sys.exit()

sys.path.insert(0, checkout)
import importlib  # noqa: E402
import types  # noqa: E402

import numpy as np  # noqa: E402
import paddle  # noqa: E402

# Of the checkout only the architectures: not its trainers, which need more packages.
for name in ("ppcls", "ppcls.utils", "ppcls.arch", "ppcls.arch.backbone"):
    module = types.ModuleType(name)
    module.__path__ = [os.path.join(checkout, *name.split("."))]
    sys.modules[name] = module
from ppcls.utils import logger  # noqa: E402

logger.init_logger()
network = networks[0]
backbone = importlib.import_module(f"ppcls.arch.backbone.{modules[network]}")
folder = os.path.join(out, network)
os.makedirs(folder, exist_ok=True)
paddle.seed(3)
random = np.random.RandomState(3)
model = getattr(backbone, network)(class_num=64)
for layer in model.sublayers():
    if isinstance(layer, (paddle.nn.BatchNorm2D, paddle.nn.BatchNorm)):
        size = layer._mean.shape[0]
        layer._mean.set_value(random.uniform(-0.1, 0.1, size).astype("float32"))
        layer._variance.set_value(random.uniform(0.8, 1.25, size).astype("float32"))
model.eval()
for layer in model.sublayers():
    if hasattr(layer, "re_parameterize"):
        layer.re_parameterize()
    elif hasattr(layer, "rep"):
        layer.rep()
spec = [paddle.static.InputSpec([None, 3, 224, 224], "float32", name="x")]
prefix = os.path.join(folder, "inference")
paddle.jit.save(paddle.jit.to_static(model, input_spec=spec), prefix)

from paddle.inference import Config, create_predictor  # noqa: E402

old = os.path.exists(prefix + ".pdmodel")
config = Config(prefix + (".pdmodel" if old else ".json"), prefix + ".pdiparams")
config.disable_gpu()
config.switch_ir_optim(False)
predictor = create_predictor(config)


def run(x):
    predictor.get_input_handle(predictor.get_input_names()[0]).copy_from_cpu(x)
    predictor.run()
    return predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()


for i in range(3):
    x = random.standard_normal((2, 3, 224, 224)).astype("float32")
    np.save(os.path.join(folder, f"x{i}.npy"), x)
    np.save(os.path.join(folder, f"y{i}.npy"), run(x))
    np.save(os.path.join(folder, f"y{i}_1.npy"), run(x[:1].copy()))
try:
    import paddle2onnx

    graph = prefix + (".pdmodel" if old else ".json")
    target = os.path.join(folder, "paddle2onnx.onnx")
    paddle2onnx.export(graph, prefix + ".pdiparams", target, opset_version=17)
except Exception as error:  # noqa: BLE001
    print(network, "paddle2onnx:", repr(error)[:200])
print(network, "written", flush=True)
