"""Answers requests on stdin with OpenCV and NumPy, one thread: the reference that preprocess.ts and preprocess-parity.ts compare with.

A request is one line of JSON, followed by `bytes` bytes of payload; the answer has the same form. Operations:
  versions             -> {"cv2", "numpy", "build"}
  load                 payload: RGB picture, kept as the current picture {"width", "height"}
  resize               the current picture's `window` to `width` x `height` with `interpolation`; the picture comes back as payload
  chain                the same, then normalised to a CHW float32 tensor; the answer has "ms" (best clock available), the tensor
                       comes back as payload where "want" is true
  decode               payload: an encoded picture; EXIF applied, RGB; "ms", and the pixels as payload where "want" is true
"""
import json
import sys
import time

import cv2
import numpy as np

cv2.setNumThreads(1)
INTERPOLATION = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer


def read_exactly(count):
    data = stdin.read(count)
    if len(data) != count:
        raise EOFError
    return data


def answer(header, payload=b""):
    header["bytes"] = len(payload)
    stdout.write(json.dumps(header).encode() + b"\n")
    stdout.write(payload)
    stdout.flush()


def crop(picture, window):
    x0, y0, x1, y1 = window
    return picture[y0:y1, x0:x1]


def chain(picture, request, mean, std):
    """PaddleClas's ResizeImage, NormalizeImage and ToCHWImage, one after the other."""
    patch = crop(picture, request["window"])
    resized = cv2.resize(patch, (request["width"], request["height"]), interpolation=INTERPOLATION[request["interpolation"]])
    normalised = (resized.astype("float32") * np.float32(request["scale"]) - mean) / std
    return np.ascontiguousarray(normalised.transpose((2, 0, 1)))


picture = None
while True:
    line = stdin.readline()
    if not line:
        break
    request = json.loads(line)
    payload = read_exactly(request.get("bytes", 0))
    op = request["op"]
    if op == "versions":
        answer({"cv2": cv2.__version__, "numpy": np.__version__})
    elif op == "load":
        picture = np.frombuffer(payload, np.uint8).reshape(request["height"], request["width"], 3)
        answer({})
    elif op == "resize":
        patch = crop(picture, request["window"])
        resized = cv2.resize(patch, (request["width"], request["height"]), interpolation=INTERPOLATION[request["interpolation"]])
        answer({}, resized.tobytes())
    elif op == "chain":
        mean = np.array(request["mean"], "float32").reshape(1, 1, 3)
        std = np.array(request["std"], "float32").reshape(1, 1, 3)
        start = time.perf_counter()
        tensor = chain(picture, request, mean, std)
        ms = (time.perf_counter() - start) * 1e3
        answer({"ms": ms}, tensor.tobytes() if request.get("want") else b"")
    elif op == "decode":
        encoded = np.frombuffer(payload, np.uint8)
        start = time.perf_counter()
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        if decoded is not None:
            decoded = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
        ms = (time.perf_counter() - start) * 1e3
        if decoded is None:
            answer({"ms": ms, "width": 0, "height": 0})
        else:
            answer({"ms": ms, "width": decoded.shape[1], "height": decoded.shape[0]},
                   decoded.tobytes() if request.get("want") else b"")
    else:
        answer({"error": "unknown operation"})
