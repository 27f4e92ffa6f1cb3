"""Writes goldens.json and goldens.bin beside this file: small pictures, and what cv2.resize makes of them. See README.md."""
import hashlib
import json
import pathlib
import zlib

import cv2
import numpy as np

HERE = pathlib.Path(__file__).parent
INTERPOLATION = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def noise(width, height, seed):
    return np.random.RandomState(seed).randint(0, 256, (height, width, 3)).astype(np.uint8)


def edges(width, height, seed):
    """Only 0 and 255: cubic overshoots on both sides."""
    return (np.random.RandomState(seed).randint(0, 2, (height, width, 3)) * 255).astype(np.uint8)


def waves(width, height, seed):
    """Smooth, as a photo: many values near a rounding tie."""
    y, x = np.mgrid[0:height, 0:width]
    phase = np.random.RandomState(seed).uniform(0, 6.28, 3)
    channels = [127.5 + 120 * np.sin(x / 7.0 + p) * np.cos(y / 5.0 - p) for p in phase]
    return np.rint(np.stack(channels, axis=2)).astype(np.uint8)


# source width, height, target width, height
SIZES = [
    (1, 1, 1, 1), (1, 1, 7, 5), (1, 9, 4, 3), (9, 1, 3, 4), (2, 2, 3, 3), (3, 2, 1, 1), (5, 4, 5, 4), (2, 1, 5, 1), (3, 50, 20, 4),
    (64, 48, 32, 24),  # half: linear becomes the mean of 2 x 2
    (64, 48, 32, 25), (63, 48, 32, 24), (65, 49, 32, 24),  # nearly half: it does not
    (48, 36, 12, 9), (45, 30, 15, 10),  # a quarter, a third
    (20, 15, 40, 30), (33, 21, 70, 7), (17, 19, 29, 31), (60, 40, 23, 17), (70, 3, 7, 40), (31, 17, 53, 18),
] + [(21, 13, width, 11) for width in range(8, 16)]  # every length of the tail behind whole groups of 8 values
# A window of a larger picture: x0, y0, x1, y1 of 40 x 30, and the target
WINDOWS = [((5, 3, 27, 22), 16, 16), ((0, 0, 40, 30), 20, 15), ((39, 29, 40, 30), 3, 3), ((7, 0, 8, 30), 5, 12), ((11, 9, 40, 30), 45, 28)]

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
TENSORS = [
    ("rgb", "nchw", "cubic", 1 / 255, *IMAGENET),
    ("bgr", "nchw", "linear", 1 / 255, *IMAGENET),
    ("rgb", "nhwc", "linear", 1 / 255, *IMAGENET),
    ("rgb", "nchw", "linear", 1.0, [128.0, 128.0, 128.0], [128.0, 128.0, 128.0]),
]


def main():
    payload, cases = [], []

    def put(array):
        offset = sum(len(p) for p in payload)
        payload.append(np.ascontiguousarray(array).tobytes())
        return offset

    def case(source, window, width, height, name):
        x0, y0, x1, y1 = window
        entry = {"picture": name, "sourceWidth": source.shape[1], "sourceHeight": source.shape[0], "window": list(window),
                 "width": width, "height": height, "source": put(source)}
        for interpolation, flag in INTERPOLATION.items():
            entry[interpolation] = put(cv2.resize(source[y0:y1, x0:x1], (width, height), interpolation=flag))
        cases.append(entry)

    pictures = [noise, edges, waves]
    for i, (sw, sh, width, height) in enumerate(SIZES):
        picture = pictures[i % 3]
        case(picture(sw, sh, i), (0, 0, sw, sh), width, height, picture.__name__)
    for i, (window, width, height) in enumerate(WINDOWS):
        picture = pictures[i % 3]
        case(picture(40, 30, 100 + i), window, width, height, picture.__name__)

    tensors = []
    source = waves(31, 23, 200)
    at = put(source)
    for colour, layout, interpolation, scale, mean, std in TENSORS:
        resized = cv2.resize(source, (18, 13), interpolation=INTERPOLATION[interpolation])
        ordered = resized if colour == "rgb" else resized[:, :, ::-1]
        mean32, std32 = np.array(mean, "float32").reshape(1, 1, 3), np.array(std, "float32").reshape(1, 1, 3)
        tensor = (ordered.astype("float32") * np.float32(scale) - mean32) / std32
        tensors.append({"sourceWidth": 31, "sourceHeight": 23, "source": at, "tensor": put(tensor.transpose((2, 0, 1)) if layout == "nchw" else tensor),
                        "spec": {"width": 18, "height": 13, "interpolation": interpolation, "colour": colour, "layout": layout,
                                 "scale": scale, "mean": mean, "std": std}})

    data = b"".join(payload)
    (HERE / "goldens.bin").write_bytes(zlib.compress(data, 9))
    index = {"cv2": cv2.__version__, "numpy": np.__version__, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "cases": cases, "tensors": tensors}
    (HERE / "goldens.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"{len(cases)} pictures, {len(tensors)} tensors, {len(data)} bytes, {(HERE / 'goldens.bin').stat().st_size} packed")


if __name__ == "__main__":
    main()
