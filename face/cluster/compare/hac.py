#!/usr/bin/env python3
"""Average linkage by scikit-learn, to compare kith's grouping with.

    hac.py VECTORS DIM SIMILARITY LABELS

VECTORS is a raw file of little-endian float32, DIM numbers a row. Clusters are
joined while the mean cosine similarity between them is at least SIMILARITY.
The labels are written to LABELS as little-endian int32; one line of JSON on
standard output tells the CPU seconds of the clustering (all threads, without
reading and importing) and the process' resident memory in bytes: before the
vectors were read, and at its highest. It needs Linux and scikit-learn 1.2 or
later. BenchmarkScikitLearn of package face/cluster runs it.
"""

import json
import sys
import time

import numpy
import sklearn
from sklearn.cluster import AgglomerativeClustering


def memory(field):
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def main(vectors, dim, similarity, labels):
    before = memory("VmRSS")
    x = numpy.fromfile(vectors, dtype="<f4").reshape(-1, int(dim))
    start = time.process_time()
    model = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - float(similarity)
    )
    found = model.fit_predict(x)
    cpu = time.process_time() - start
    found.astype("<i4").tofile(labels)
    print(json.dumps({
        "cpu_seconds": cpu,
        "rss_before": before,
        "rss_peak": memory("VmHWM"),
        "version": "scikit-learn " + sklearn.__version__,
    }))


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
