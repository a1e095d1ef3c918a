#!/usr/bin/env python3
"""Faces and their vectors by OpenCV, to compare kith with.

    opencv.py INSTALLATION YUNET ALBUM

INSTALLATION is a JSON file with kith's models and their paths. YUNET is the
detector's file: OpenCV 4.6 reads no network with a free input size, as the
installation's has, but the one of fixed size, which it then runs at any. ALBUM
is a folder of photos.

Each photo goes the way of OpenCV's samples: imread at full size, resize to a
long side of 640, the networks by cv2.dnn, warpAffine of the full photo to the
crops, one thread. resize and warpAffine are linear, which is their default and
the cheapest. OpenCV's own FaceDetectorYN is not used: in 4.6 it reads only an
older YuNet, and from 4.8 on it does what is written out here.

One line of JSON on standard output has the faces, the CPU and wall-clock
seconds from the first photo to the last (starting Python and loading the
models are not counted) and the highest resident memory of the process in
bytes. It needs Linux. BenchmarkPipelines of package index runs it.
"""

import json
import os
import sys
import time

import cv2
import numpy

# The five points in a crop of 112x112 pixels (ArcFace).
ARCFACE = numpy.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


class Detector:
    """YuNet: three strides, anchor-free; the manifest gives its thresholds."""

    strides = (8, 16, 32)

    def __init__(self, model, path):
        self.net = cv2.dnn.readNetFromONNX(path)
        self.outputs = [f"{name}_{s}" for name in ("cls", "obj", "bbox") for s in self.strides]
        self.side = model["input"]["max_side"]
        self.score, self.iou = model["params"]["score"], model["params"]["iou"]
        self.find(numpy.zeros((self.side, self.side, 3), numpy.uint8))  # what loads may still not run

    def find(self, photo):
        h, w = photo.shape[:2]
        scale = max(1, max(w, h) / self.side)
        small = cv2.resize(photo, (round(w / scale), round(h / scale)))
        sh, sw = small.shape[:2]
        small = cv2.copyMakeBorder(small, 0, -sh % 32, 0, -sw % 32, cv2.BORDER_CONSTANT)
        self.net.setInput(cv2.dnn.blobFromImage(small))
        out = self.net.forward(self.outputs)
        boxes, scores = [], []
        for i, stride in enumerate(self.strides):
            cols = small.shape[1] // stride
            cls, obj, box = (out[i + 3 * k].reshape(-1, n) for k, n in ((0, 1), (1, 1), (2, 4)))
            score = numpy.sqrt(numpy.clip(cls, 0, 1) * numpy.clip(obj, 0, 1))[:, 0]
            at = numpy.flatnonzero(score >= self.score)
            centre = (numpy.stack([at % cols, at // cols], 1) + box[at, :2]) * stride
            size = numpy.exp(box[at, 2:]) * stride
            boxes.append(numpy.hstack([centre - size / 2, size]) * scale)
            scores.append(score[at])
        boxes, scores = numpy.concatenate(boxes), numpy.concatenate(scores)
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), self.score, self.iou)
        return boxes[numpy.array(kept, int).reshape(-1)]


def crop(photo, matrix, side):
    """Samples the photo where matrix, for positions with pixel centres at a half, maps the crop."""
    m = numpy.array(matrix, float)
    m[:, 2] += m[:, :2] @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(photo, m, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def blob(model, pixels):
    given = model["input"]
    return cv2.dnn.blobFromImage(pixels, given["scale"], mean=(given["mean"],) * 3, swapRB=given["color"] == "RGB")


def five_points(net, model, photo, box):
    x, y, w, h = box
    side = model["input"]["width"]
    left, top = x + w / 2 - h / 2, y
    face = crop(photo, [[h / side, 0, left], [0, h / side, top]], side)
    net.setInput(blob(model, cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)))
    p = net.forward().reshape(68, 2) * h + (left, top)
    return numpy.stack([p[36:42].mean(0), p[42:48].mean(0), p[30], p[48], p[54]])


def aligned(points):
    """The similarity that maps the crop onto the photo, by least squares."""
    rows = numpy.zeros((10, 4))
    rows[0::2] = numpy.column_stack([points[:, 0], -points[:, 1], numpy.ones(5), numpy.zeros(5)])
    rows[1::2] = numpy.column_stack([points[:, 1], points[:, 0], numpy.zeros(5), numpy.ones(5)])
    a, b, c, d = numpy.linalg.lstsq(rows, ARCFACE.reshape(-1), rcond=None)[0]
    return cv2.invertAffineTransform(numpy.array([[a, -b, c], [b, a, d]]))


def embed(net, model, photo, points):
    net.setInput(blob(model, crop(photo, aligned(points), model["input"]["width"])))
    v = net.forward().reshape(-1)
    return v / numpy.linalg.norm(v)


def peak():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no VmHWM")


def main(installation, yunet, album):
    cv2.setNumThreads(1)
    with open(installation, encoding="utf-8") as f:
        models = json.load(f)
    landmarker, embedder = models["Landmarker"], models["Embedder"]
    detector = Detector(models["Detector"], yunet)
    landmarks, features = (cv2.dnn.readNetFromONNX(m["Path"]) for m in (landmarker, embedder))

    faces = []
    cpu, wall = time.process_time(), time.perf_counter()
    for name in sorted(os.listdir(album)):
        photo = cv2.imread(os.path.join(album, name))
        if photo is None:
            raise RuntimeError(f"{name}: not read")
        for box in detector.find(photo):
            points = five_points(landmarks, landmarker, photo, box)
            vector = embed(features, embedder, photo, points)
            faces.append({"photo": name, "box": box.tolist(), "vector": vector.tolist()})
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({
        "version": "OpenCV " + cv2.__version__ + " with " + os.path.basename(yunet),
        "cpu_seconds": cpu, "wall_seconds": wall, "rss_peak": peak(), "faces": faces,
    }))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
