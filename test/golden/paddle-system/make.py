"""PaddleClas's own pipeline with drawn parameters, for comparison with `shitu recognize --system`.

    python3 make.py DEPLOY GRAPHS DRINKS OUT

DEPLOY is PaddleClas's deploy folder (d178931), GRAPHS the folder of the two official graphs (with
`inference.pdmodel` each), DRINKS the drink data set's gallery folder. Writes OUT/deploy with both models,
their drawn parameters, the gallery that PaddleClas builds and the configuration, and
OUT/answers.json with what `SystemPredictor` says of ten pictures. With paddlepaddle 3.3.1, faiss-cpu
1.7.4, opencv-python-headless 4.8.1.78 and numpy 1.26 (PyPI).
"""
import json
import os
import shutil
import struct
import sys

# The official graphs are of the older format.
os.environ["FLAGS_enable_pir_api"] = "0"

import numpy as np  # noqa: E402

deploy, graphs, drinks, out = (os.path.abspath(p) for p in sys.argv[1:5])
# Its modules name each other as paddleclas.deploy.
package = os.path.join(out, "package", "paddleclas")
os.makedirs(package, exist_ok=True)
open(os.path.join(package, "__init__.py"), "w").close()
if not os.path.lexists(os.path.join(package, "deploy")):
    os.symlink(deploy, os.path.join(package, "deploy"))
sys.path.insert(0, os.path.dirname(package))
work = os.path.join(out, "deploy")
os.makedirs(os.path.join(work, "configs"), exist_ok=True)

from paddle.base.proto import framework_pb2  # noqa: E402

detector = "picodet_PPLCNet_x2_5_mainbody_lite_v1.0_infer"
embedder = "general_PPLCNet_x2_5_lite_v1.0_infer"


def draw(name, shape, rng):
    """Weights that keep the size of what flows through."""
    if name.endswith("_variance") or ".w_2" in name:
        return np.ones(shape)
    if ".w_1" in name or name.endswith("_mean"):
        return np.zeros(shape)
    if len(shape) > 1:
        fan = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
        weights = rng.normal(0, np.sqrt(2 / fan), shape)
        # What all pictures have in common is not to drown what tells them apart.
        return weights - weights.mean(0) if len(shape) == 2 else weights
    if name.endswith("_offset") or ".b_" in name:
        return rng.normal(0, 0.1, shape)
    return np.ones(shape) + rng.normal(0, 0.1, shape)


def make_model(name, seed):
    folder = os.path.join(work, "models", name)
    os.makedirs(folder, exist_ok=True)
    for file in os.listdir(os.path.join(graphs, name)):
        shutil.copyfile(os.path.join(graphs, name, file), os.path.join(folder, file))
    program = framework_pb2.ProgramDesc()
    with open(os.path.join(folder, "inference.pdmodel"), "rb") as handle:
        program.ParseFromString(handle.read())
    variables = sorted(
        (v for v in program.blocks[0].vars if v.persistable and v.name not in ("feed", "fetch")),
        key=lambda v: v.name.encode(),
    )
    rng = np.random.default_rng(seed)
    with open(os.path.join(folder, "inference.pdiparams"), "wb") as handle:
        for variable in variables:
            desc = variable.type.dense_tensor.tensor
            data = draw(variable.name, list(desc.dims), rng).astype("<f4")
            message = desc.SerializeToString()
            handle.write(struct.pack("<IQ", 0, 0) + struct.pack("<Ii", 0, len(message)) + message)
            handle.write(data.tobytes())


make_model(detector, 1)
make_model(embedder, 2)

with open(os.path.join(deploy, "configs", "inference_general.yaml")) as handle:
    text = handle.read()
text = text.replace("general_PPLCNetV2_base_pretrained_v1.0_infer", embedder)
text = text.replace("use_gpu: True", "use_gpu: False").replace("enable_mkldnn: True", "enable_mkldnn: False")
text = text.replace("enable_benchmark: True", "enable_benchmark: False")
text = text.replace("./drink_dataset_v2.0/gallery/drink_label.txt", os.path.join(out, "gallery.txt"))
text = text.replace("./drink_dataset_v2.0/gallery/", drinks)
text = text.replace('"./drink_dataset_v2.0/index"', '"./index"').replace("HNSW32\" #", "Flat\" #")
config_file = os.path.join(work, "configs", "inference_general.yaml")
with open(config_file, "w") as handle:
    handle.write(text)

with open(os.path.join(drinks, "drink_label.txt"), encoding="utf8") as handle:
    rows = [line.rstrip("\n") for line in handle if line.strip()]
step = len(rows) // 120
with open(os.path.join(out, "gallery.txt"), "w", encoding="utf8") as handle:
    handle.write("".join(row + "\n" for row in rows[::step]))
pictures = [row.split("\t")[0] for row in rows[step // 2 :: len(rows) // 10]][:10]

os.chdir(work)
import cv2  # noqa: E402
from paddleclas.deploy.utils import config as config_module  # noqa: E402
from paddleclas.deploy.python.build_gallery import GalleryBuilder  # noqa: E402
from paddleclas.deploy.python.predict_system import SystemPredictor  # noqa: E402

config = config_module.get_config(config_file, overrides=[], show=False)
GalleryBuilder(config)
predictor = SystemPredictor(config)
answers = []
for picture in pictures:
    image = cv2.imread(os.path.join(drinks, picture))[:, :, ::-1]
    found = predictor.det_predictor.predict(image)
    said = predictor.predict(image)
    answers.append({
        "picture": picture,
        "detections": [[float(d["score"]), *map(float, d["bbox"])] for d in found],
        "answers": [
            {"box": [int(v) for v in a["bbox"]], "label": a["rec_docs"], "score": float(a["rec_scores"])}
            for a in said
        ],
    })
with open(os.path.join(out, "answers.json"), "w", encoding="utf8") as handle:
    json.dump(answers, handle, indent=1, ensure_ascii=False)
    handle.write("\n")
