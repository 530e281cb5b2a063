"""Caffe, reborn in Python: every number computed by hand-written Numba kernels."""

from . import glog

glog.install()
