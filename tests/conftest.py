"""What every test may lean on: one thread, no hurry, and the folder of larger data."""

import os
from pathlib import Path

# Before torch is loaded, and inherited by the commands that tests start: two test processes on
# two cores compute faster with one thread each, and the numbers do not depend on the machine.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import pytest
import torch

torch.set_num_threads(1)

# A busy machine is slow, not wrong.
hypothesis.settings.register_profile("limbeck", deadline=None)
hypothesis.settings.load_profile("limbeck")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of data sets that the repository does not carry."""
    folder = os.environ.get("LIMBECK_DATA")
    if not folder:
        pytest.skip("LIMBECK_DATA names no folder of data sets")
    return Path(folder)
