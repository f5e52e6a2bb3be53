"""How much longer `limbeck.score` takes than its teacher alone.

`python -m benchmarks.score` asks a convolutional net about images in MNIST's shape: once bare, in
the same batches, and once by the public `limbeck.score`, whole calls with all they cost: hashing
the inputs, asking a sample twice, checking, writing and syncing. Nothing else should run on the
machine meanwhile.
"""

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import limbeck
from benchmarks.measured import ratio, write
from limbeck import students, teachers
from limbeck.scoring import Storage

NET = students.convnet("small")
EXAMPLES, BATCH = 4_096, 512
CLASSES = [str(digit) for digit in range(10)]


def main() -> None:
    """Measures, writes and prints the ratio."""
    drawn = np.random.default_rng(0)
    images = drawn.integers(0, 256, (EXAMPLES, 1, 28, 28)).astype(np.uint8)
    examples = limbeck.Examples.of(images, classes=CLASSES)
    net = NET.sized((1, 28, 28), 10).build(0).eval()
    net = net.to(memory_format=torch.channels_last)
    storage = Storage(batch=BATCH)

    def bare() -> None:
        with torch.inference_mode():
            for start in range(0, EXAMPLES, BATCH):
                batch = torch.from_numpy(images[start : start + BATCH]).float()
                net(batch.contiguous(memory_format=torch.channels_last)).numpy()

    with tempfile.TemporaryDirectory() as folder:
        places = (Path(folder) / f"call-{i}" for i in itertools.count())

        def ours() -> None:
            teacher = teachers.module(net, CLASSES)
            # A copy, so that nothing which an earlier call worked out is still known.
            limbeck.score(teacher, replace(examples), to=next(places), storage=storage)

        found = ratio(ours, bare, repeats=9)
    what = (
        f"seconds of limbeck.score over seconds of its teacher alone, {students.parameters(net):,} "
        f"parameters of convnet('small'), {EXAMPLES:,} images of 28x28 in batches of {BATCH}"
    )
    print(write("score", what, found), found)


if __name__ == "__main__":
    main()
