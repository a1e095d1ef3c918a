#!/usr/bin/env python3
"""Golden numbers for kith's face pipeline, computed by a second implementation.

Nothing here is shared with the Go code: OpenCV decodes the photos (EXIF
orientation applied) and resizes and warps them, numpy does the rest, and the
networks run in OpenCV's own engine, cv2.dnn, wherever it can load them. A
network that it cannot load (the free-size YuNet graphs, with OpenCV 4.6) runs
unchanged in ONNX Runtime, through run_onnx.js; the header of the output says which
engine ran what. (OpenCV prints an error for each such graph.) yunet-2023mar is
the network of yunet-s-dynamic at a fixed size, which cv2.dnn does load: the two
agreeing is the check of one engine by the other.

    generate.py --models DIR [--models DIR ...] --photos DIR --out FILE
                [--node-modules DIR] [--draw DIR]

--models        folders that hold the ONNX files named in MODELS, searched in order
--photos        the folder demo/ of the npm package @vladmandic/face-api 1.7.15
--node-modules  a node_modules folder that holds onnxruntime-node
--draw          also draw the faces of each photo and detector into this folder

Needs Python 3, OpenCV and numpy, and Node.js for run_onnx.js. Missing or different files are an error: a
checksum is compared before a file is used.

Conventions. A pixel covers [i, i+1) x [j, j+1) of the upright photo; boxes are
x, y, w, h and may reach past the photo (they are not clipped). Image-left
comes first in the landmarks: left eye, right eye, nose tip, left mouth corner,
right mouth corner. Colour planes are in OpenCV's order: blue, green, red.
"""
import argparse
import base64
import hashlib
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import cv2
import numpy as np

MODELS = {  # id: (file, sha256)
    "yunet-n-dynamic": ("yunet_n_dynamic.onnx", "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12"),
    "yunet-s-dynamic": ("yunet_s_dynamic.onnx", "daede24002cc8590f457998cc5e6c9e8b82f45f6bd969506a8913cd4ed10a2d3"),
    "yunet-2023mar": ("face_detection_yunet_2023mar.onnx", "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"),
    "ultraface-rfb-320": ("fr_detect.onnx", "6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854"),
    "fp-landmark68": ("fr_landmark.onnx", "f10b0ba1d2a8a099adefede1ebf3733e44fe370715e7303dbeb7f59c02142258"),
    "fp-feature512": ("fr_feature.onnx", "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581"),
}
PHOTOS = {  # file: (sha256, faces counted by eye)
    "sample1.jpg": ("8ecae4b267b2d3169e06e00c7dee97097aa2a94635d45216f7732a5f4943cb51", 3),
    "sample2.jpg": ("7d2b60ae6f13bf30f422e04df87451081a02c83de469056f25afb44b7000c691", 3),
    "sample3.jpg": ("8eb081c9efb14370fa94d9feab9e5fbeafd19a627491853a80c2bf67f7ffa936", 3),
    "sample4.jpg": ("729efa5923061d40eb4ed5f267a18cc7b8ba6f852bb2757b16d8b7e4937476fc", 4),
    "sample5.jpg": ("6d45095ebb182d8f975c0790e0e4eefd86fbb40609cf4b271776d92e12662938", 5),
    "sample6.jpg": ("9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87", 4),
}
VECTORS_OF = "yunet-n-dynamic"  # the detector whose faces are embedded
VECTORS_PER_PHOTO = 5           # the largest so many of them
VECTOR_STEP = 10000             # vectors are stored as int16 steps of 1/10000

# Five points of a face in a 112 x 112 crop (ArcFace).
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366],
                     [41.5493, 92.3655], [70.7299, 92.2041]])
CROP = 112

RUNNER = pathlib.Path(__file__).with_name("run_onnx.js")


# --- engines -----------------------------------------------------------------

class Network:
    """One ONNX file: cv2.dnn if that can load it, else ONNX Runtime in Node.js."""

    def __init__(self, path, node_modules):
        self.path, self.node_modules = path, node_modules
        try:
            self.net = cv2.dnn.readNetFromONNX(str(path))
            self.engine = f"cv2.dnn {cv2.__version__}"
        except cv2.error as err:
            if node_modules is None:
                raise SystemExit(f"{path}: cv2.dnn cannot load it and --node-modules is not given: {err}")
            package = pathlib.Path(node_modules, "onnxruntime-node", "package.json")
            self.net = None
            self.engine = f"onnxruntime-node {json.loads(package.read_text())['version']}"

    def run(self, blob):
        """The outputs by name, for one float32 input of shape 1 x C x H x W."""
        blob = np.ascontiguousarray(blob, np.float32)
        if self.net is None:
            return self._run_node(blob)
        self.net.setInput(blob)
        names = self.net.getUnconnectedOutLayersNames()
        return dict(zip(names, self.net.forward(names)))

    def _run_node(self, blob):
        with tempfile.TemporaryDirectory() as tmp:
            blob.tofile(os.path.join(tmp, "input"))
            done = subprocess.run(
                ["node", str(RUNNER), str(self.path), tmp, json.dumps(blob.shape)],
                env=dict(os.environ, NODE_PATH=str(pathlib.Path(self.node_modules).resolve())),
                stdout=subprocess.PIPE, text=True, check=True)
            return {name: np.fromfile(os.path.join(tmp, name), np.float32).reshape(shape)
                    for name, shape in json.loads(done.stdout).items()}


def planes(image):
    """H x W x 3 (or H x W) to 1 x C x H x W float32."""
    image = image.astype(np.float32)
    return image[None, None] if image.ndim == 2 else image.transpose(2, 0, 1)[None]


# --- geometry ----------------------------------------------------------------

def resize(image, width, height):
    """Area averaging when shrinking, bilinear when enlarging."""
    shrinks = width < image.shape[1] or height < image.shape[0]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def cut(image, x, y, width, height, fill):
    """The window of whole pixels; what lies outside of the image has the value fill."""
    rows, cols = image.shape[:2]
    left, top = max(0, -x), max(0, -y)
    right, bottom = max(0, x + width - cols), max(0, y + height - rows)
    inside = image[y + top:y + height - bottom, x + left:x + width - right]
    return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(fill,) * 3)


def overlap(a, b):
    """Intersection over union, and intersection over the smaller area, of two corner boxes."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    inter = max(0, w) * max(0, h)
    areas = [(q[2] - q[0]) * (q[3] - q[1]) for q in (a, b)]
    return inter / (sum(areas) - inter), inter / min(areas)


def suppress(found, limit, measure):
    """Greedy suppression, best score first, of (score, box); measure 0: IoU, 1: of the smaller area."""
    kept = []
    for score, box in sorted(found, key=lambda f: -f[0]):
        if all(overlap(box, other)[measure] <= limit for _, other in kept):
            kept.append((score, box))
    return kept


def umeyama(points, target):
    """The least-squares similarity (2 x 3) that maps points to target, without reflection.

    S. Umeyama, Least-squares estimation of transformation parameters between
    two point patterns, IEEE TPAMI 13(4), 1991, equations 34 to 43.
    """
    mean_p, mean_t = points.mean(0), target.mean(0)
    p, t = points - mean_p, target - mean_t
    u, d, vt = np.linalg.svd(t.T @ p / len(points))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = (d * sign).sum() / p.var(0).sum()
    return np.hstack([scale * rotation, (mean_t - scale * rotation @ mean_p)[:, None]])


# --- detectors: photo -> [(score, corner box)] ---------------------------------

def yunet(net, photo, square=None, score_min=0.6, iou_max=0.3, max_side=640):
    """YuNet on the photo scaled to max_side, pasted top-left on zeros.

    The canvas is padded to multiples of 32, or to square x square for the
    graph of a fixed size.
    """
    rows, cols = photo.shape[:2]
    scale = min(1, max_side / max(rows, cols))
    w, h = round(cols * scale), round(rows * scale)
    canvas_w, canvas_h = (square, square) if square else (-(-w // 32) * 32, -(-h // 32) * 32)
    canvas = np.zeros((canvas_h, canvas_w, 3), np.uint8)
    canvas[:h, :w] = resize(photo, w, h)
    out = net.run(planes(canvas))
    found = []
    for stride in (8, 16, 32):
        score = np.sqrt(np.clip(out[f"cls_{stride}"], 0, 1) * np.clip(out[f"obj_{stride}"], 0, 1)).ravel()
        boxes = out[f"bbox_{stride}"].reshape(-1, 4).astype(np.float64)
        for i in np.flatnonzero(score >= score_min):
            row, col = divmod(int(i), canvas_w // stride)
            b = boxes[i]
            cx, cy = (col + b[0]) * stride, (row + b[1]) * stride
            bw, bh = np.exp(b[2:]) * stride
            box = np.array([cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2])
            found.append((float(score[i]), box * np.tile([cols / w, rows / h], 2)))
    return suppress(found, iou_max, 0)


def ultraface_pass(net, photo, window, score_min=0.65, iou_max=0.4):
    """UltraFace on one window x, y, w, h, letterboxed (centred, grey 127) into 320 x 240."""
    x, y, width, height = window
    scale = min(320 / width, 240 / height)
    w, h = round(width * scale), round(height * scale)
    left, top = (320 - w) // 2, (240 - h) // 2
    canvas = np.full((240, 320, 3), 127, np.uint8)
    canvas[top:top + h, left:left + w] = resize(cut(photo, x, y, width, height, 127), w, h)
    out = net.run((planes(canvas) - 127) / 128)
    scores = out["scores"].reshape(-1, 2)[:, 1]
    boxes = out["boxes"].reshape(-1, 4).astype(np.float64) * [320, 240, 320, 240]
    found = []
    for i in np.flatnonzero(scores >= score_min):
        box = (boxes[i] - [left, top, left, top]) * np.tile([width / w, height / h], 2) + [x, y, x, y]
        found.append((float(scores[i]), box))
    return suppress(found, iou_max, 0)


def tiles(cols, rows):
    """Tiles of long side L/1.7 at 4:3, evenly spread, that overlap by at least 30 %."""
    width = round(max(cols, rows) / 1.7)
    height = round(width * 3 / 4)

    def starts(side, tile):
        if tile >= side:
            return [0]
        # L/1.7 is made for exactly two tiles; rounding must not make them three.
        steps = max(1, math.ceil((side - tile) / (0.7 * tile) - 0.01))
        return [round(i * (side - tile) / steps) for i in range(steps + 1)]

    return [(x, y, min(width, cols), min(height, rows)) for y in starts(rows, height) for x in starts(cols, width)]


def ultraface_verified(net, photo):
    """UltraFace: letterbox pass and tiles, merged; a candidate counts if a closer look finds it again."""
    rows, cols = photo.shape[:2]
    found = ultraface_pass(net, photo, (0, 0, cols, rows))
    if max(rows, cols) >= 640:
        for x, y, w, h in tiles(cols, rows):
            for score, box in ultraface_pass(net, photo, (x, y, w, h)):
                cut_off = ((x > 0 and box[0] < x + 0.01 * w) or (x + w < cols and box[2] > x + 0.99 * w) or
                           (y > 0 and box[1] < y + 0.01 * h) or (y + h < rows and box[3] > y + 0.99 * h))
                if not cut_off:
                    found.append((score, box))
    verified = []
    for _, box in suppress(suppress(found, 0.35, 0), 0.65, 1):
        height = 2.5 * (box[3] - box[1])
        width = height * 4 / 3
        x, y = (box[0] + box[2] - width) / 2, (box[1] + box[3] - height) / 2
        again = ultraface_pass(net, photo, (round(x), round(y), round(width), round(height)))
        again = [f for f in again if f[0] >= 0.8 and overlap(f[1], box)[0] >= 0.4]
        if again:
            verified.append(max(again, key=lambda f: overlap(f[1], box)[0]))
    return verified


# --- landmarks and vector ------------------------------------------------------

def five_points(net, photo, box):
    """The five points by the 68-landmark net, on the square of side = box height around the box's centre."""
    side = round(box[3] - box[1])
    x, y = round((box[0] + box[2] - side) / 2), round((box[1] + box[3] - side) / 2)
    grey = cv2.cvtColor(cut(photo, x, y, side, side, 0), cv2.COLOR_BGR2GRAY)
    out = net.run(planes(resize(grey, 64, 64)) / 256)["output"]
    p = out.reshape(68, 2).astype(np.float64) * side + [x, y]
    return np.array([p[36:42].mean(0), p[42:48].mean(0), p[30], p[48], p[54]])


def align(photo, points):
    """The 112 x 112 crop and the 2 x 3 similarity, photo to crop.

    When a crop pixel spans more than one photo pixel, the photo is first
    shrunk to the crop's scale by area averaging: bilinear sampling alone
    would skip pixels.
    """
    matrix = umeyama(points, TEMPLATE)
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    image, to_crop = photo, matrix
    if scale < 1:
        rows, cols = photo.shape[:2]
        w, h = max(1, round(cols * scale)), max(1, round(rows * scale))
        image = cv2.resize(photo, (w, h), interpolation=cv2.INTER_AREA)
        to_crop = umeyama(points * [w / cols, h / rows], TEMPLATE)
    # Coordinates are of pixel corners, warpAffine's of pixel centres.
    a = to_crop[:, :2]
    centred = np.hstack([a, (to_crop[:, 2] + a @ [0.5, 0.5] - 0.5)[:, None]])
    return cv2.warpAffine(image, centred, (CROP, CROP), flags=cv2.INTER_LINEAR), matrix


def embed(net, crop):
    """The L2-normalised 512 values of a crop."""
    vector = net.run((planes(crop) - 127.5) / 128)["output"].ravel().astype(np.float64)
    return vector / np.linalg.norm(vector)


# --- the golden file -------------------------------------------------------------

DETECTORS = {
    "yunet-n-dynamic": yunet,
    "yunet-s-dynamic": yunet,
    "yunet-2023mar": lambda net, photo: yunet(net, photo, square=640),
    "ultraface-rfb-320": ultraface_verified,
}


def locate(name, checksum, folders):
    """The file's path; an error if it is absent or has another checksum."""
    for folder in folders:
        path = pathlib.Path(folder, name)
        if path.is_file():
            if hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
                raise SystemExit(f"{path}: not the file that was expected (SHA-256 differs)")
            return path
    raise SystemExit(f"{name}: in none of {', '.join(map(str, folders))}")


def pack(vector):
    """512 values rounded to steps of 1/VECTOR_STEP, as base64 of little-endian int16."""
    return base64.b64encode(np.rint(vector * VECTOR_STEP).astype("<i2").tobytes()).decode()


def faces_of(photo, detector, nets):
    """The faces of one photo by one detector, largest first."""
    found = DETECTORS[detector](nets[detector], photo)
    found.sort(key=lambda f: -(f[1][2] - f[1][0]) * (f[1][3] - f[1][1]))
    faces = []
    for score, box in found:
        points = five_points(nets["fp-landmark68"], photo, box)
        face = {"box": np.round([*box[:2], *(box[2:] - box[:2])], 2).tolist(), "score": round(score, 4),
                "landmarks": np.round(points, 2).tolist()}
        if detector == VECTORS_OF and len(faces) < VECTORS_PER_PHOTO:
            crop, matrix = align(photo, points)
            face["align"] = np.round(matrix, 6).tolist()
            face["vector"] = pack(embed(nets["fp-feature512"], crop))
        faces.append(face)
    return faces


def draw(photo, faces, path):
    """Boxes, points and scores on a copy of the photo, as PNG."""
    picture = photo.copy()
    for face in faces:
        x, y, w, h = map(round, face["box"])
        cv2.rectangle(picture, (x, y), (x + w, y + h), (0, 255, 0), 3)
        cv2.putText(picture, f"{face['score']:.2f}", (x, y - 8), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 255, 0), 2)
        for px, py in face["landmarks"]:
            cv2.circle(picture, (round(px), round(py)), 4, (0, 0, 255), -1)
    if not cv2.imwrite(str(path), picture):
        raise SystemExit(f"{path}: cannot write")


def header(nets):
    """What a reader of the file must know to compare with it."""
    return {
        "about": "Faces of the demo photos by generate.py, a second implementation in Python; the photos and "
                 "the networks are not kept here, their checksums are.",
        "versions": {"python": platform.python_version(), "opencv": cv2.__version__, "numpy": np.__version__},
        "models": {name: {"file": MODELS[name][0], "sha256": MODELS[name][1], "engine": net.engine}
                   for name, net in nets.items()},
        "photo_source": {"package": "npm @vladmandic/face-api 1.7.15, folder demo/", "license": "MIT",
                         "copyright": "Copyright (c) Vladimir Mandic"},
        "fields": {
            "visible": "faces in the photo, counted by eye; a detector may find more or fewer",
            "faces": "by detector, largest box first",
            "box": "x, y, w, h in pixels of the upright photo, not clipped to it",
            "landmarks": "five points x, y by fp-landmark68 on that box: eye, eye, nose tip, mouth corner, mouth "
                         "corner, the image's left one first; a pixel's centre is at its index + 0.5",
            "align": "the 2 x 3 similarity that maps photo to 112 x 112 crop, both in those coordinates",
            "vector": f"fp-feature512 of that crop, L2-normalised, rounded to steps of 1/{VECTOR_STEP}: base64 of "
                      f"512 little-endian int16, value = integer / {VECTOR_STEP}; only for {VECTORS_OF}, the "
                      f"{VECTORS_PER_PHOTO} largest faces of a photo",
        },
    }


def text(value, indent=0):
    """JSON with one face, or one short value, a line."""
    flat = json.dumps(value)
    if not isinstance(value, (dict, list)) or "score" in value or len(flat) < 100:
        return flat
    pad = "\n" + " " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(k)}: {text(v, indent + 1)}" for k, v in value.items()]
        return "{" + pad + ("," + pad).join(items) + pad[:-1] + "}"
    return "[" + pad + ("," + pad).join(text(v, indent + 1) for v in value) + pad[:-1] + "]"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", action="append", required=True, metavar="DIR")
    parser.add_argument("--photos", required=True, metavar="DIR")
    parser.add_argument("--out", required=True, metavar="FILE")
    parser.add_argument("--node-modules", metavar="DIR")
    parser.add_argument("--draw", metavar="DIR")
    args = parser.parse_args()

    nets = {name: Network(locate(file, checksum, args.models), args.node_modules)
            for name, (file, checksum) in MODELS.items()}
    golden = {**header(nets), "photos": []}
    for file, (checksum, visible) in PHOTOS.items():
        photo = cv2.imread(str(locate(file, checksum, [args.photos])))
        if photo is None:
            raise SystemExit(f"{file}: cannot be decoded")
        entry = {"file": file, "sha256": checksum, "width": photo.shape[1], "height": photo.shape[0],
                 "visible": visible, "faces": {}}
        for detector in DETECTORS:
            faces = faces_of(photo, detector, nets)
            entry["faces"][detector] = faces
            print(file, detector, len(faces), file=sys.stderr)
            if args.draw:
                draw(photo, faces, pathlib.Path(args.draw, f"golden_{file[:-4]}_{detector}.png"))
        golden["photos"].append(entry)
    pathlib.Path(args.out).write_text(text(golden) + "\n")


if __name__ == "__main__":
    main()
