"""Asks an ONNX file in a process of its own: python outside.py FILE ROWS.npz ANSWER.npz.

Kindling is not imported. Each .npz holds `names`, then an array for each name, called 0, 1, ...
"""

import sys

import numpy as np
import onnxruntime

file, rows, answer = sys.argv[1:]
session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
with np.load(rows) as given:
    feed = {str(name): given[str(number)] for number, name in enumerate(given["names"])}
# numpy stores text in a fixed width; onnxruntime takes objects.
feed = {name: x.astype(object) if x.dtype.kind == "U" else x for name, x in feed.items()}
answers = session.run(None, feed)
assert not {"kindling", "torch", "sklearn"} & set(sys.modules)
texts = [x.astype(str) if x.dtype == object else x for x in answers]
numbered = {str(number): x for number, x in enumerate(texts)}
np.savez(answer, names=np.array([output.name for output in session.get_outputs()]), **numbered)
