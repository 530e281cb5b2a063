"""Launches that are recorded once and repeated."""

import numpy as np
from kernel_testing import gpu_only

from caffe.kernels.synced_memory import SyncedMemory

pytestmark = gpu_only


def test_recording_does_not_run_and_repeating_does():
    from caffe.kernels import cuda

    values, row = SyncedMemory(300), SyncedMemory(1, np.int64)

    def run():
        cuda.relu_forward(values.device(), values.device(), 2.0)
        cuda.next_row(row.device())

    values.host()[:] = -1
    run()
    recording = cuda.Recording(run)
    for repetition in range(3):
        assert (values.host() == -(2.0 ** (repetition + 1))).all()
        assert row.host()[0] == repetition + 1
        SyncedMemory.return_to_device()
        recording.replay()
