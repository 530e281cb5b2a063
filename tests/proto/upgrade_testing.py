"""Nets from text, and what becomes of old ones."""

import pytest

from caffe.errors import CaffeError
from caffe.proto import prototxt, upgrade
from caffe.proto.caffe_pb2 import NetParameter


def net(text):
    return prototxt.parse(text, NetParameter(), "new")


def upgraded(text):
    net = prototxt.parse(text, NetParameter(), "old")
    assert upgrade.net_needs_upgrade(net)
    assert upgrade.upgrade_net(net, "old")
    assert not upgrade.net_needs_upgrade(net)
    return net


def refusal(text):
    with pytest.raises(CaffeError) as caught:
        upgrade.upgrade_net(prototxt.parse(text, NetParameter(), "old"), "old")
    return str(caught.value)
