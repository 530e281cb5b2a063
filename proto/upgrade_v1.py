"""From V1, `layers { type: CONVOLUTION blobs_lr: 1 }`, to today's `layer { type: "Convolution" }`.

V1 names types by an enum and gives what belongs to each parameter blob in lists of their own;
today the type is a string and each parameter blob has a `param { name lr_mult decay_mult }`.
"""

from ..errors import CaffeError
from ..glog import logger
from .caffe_pb2 import LayerParameter, NetParameter, ParamSpec, V1LayerParameter

_TYPES = {
    V1LayerParameter.NONE: "",
    V1LayerParameter.ABSVAL: "AbsVal",
    V1LayerParameter.ACCURACY: "Accuracy",
    V1LayerParameter.ARGMAX: "ArgMax",
    V1LayerParameter.BNLL: "BNLL",
    V1LayerParameter.CONCAT: "Concat",
    V1LayerParameter.CONTRASTIVE_LOSS: "ContrastiveLoss",
    V1LayerParameter.CONVOLUTION: "Convolution",
    V1LayerParameter.DATA: "Data",
    V1LayerParameter.DECONVOLUTION: "Deconvolution",
    V1LayerParameter.DROPOUT: "Dropout",
    V1LayerParameter.DUMMY_DATA: "DummyData",
    V1LayerParameter.ELTWISE: "Eltwise",
    V1LayerParameter.EUCLIDEAN_LOSS: "EuclideanLoss",
    V1LayerParameter.EXP: "Exp",
    V1LayerParameter.FLATTEN: "Flatten",
    V1LayerParameter.HDF5_DATA: "HDF5Data",
    V1LayerParameter.HDF5_OUTPUT: "HDF5Output",
    V1LayerParameter.HINGE_LOSS: "HingeLoss",
    V1LayerParameter.IM2COL: "Im2col",
    V1LayerParameter.IMAGE_DATA: "ImageData",
    V1LayerParameter.INFOGAIN_LOSS: "InfogainLoss",
    V1LayerParameter.INNER_PRODUCT: "InnerProduct",
    V1LayerParameter.LRN: "LRN",
    V1LayerParameter.MEMORY_DATA: "MemoryData",
    V1LayerParameter.MULTINOMIAL_LOGISTIC_LOSS: "MultinomialLogisticLoss",
    V1LayerParameter.MVN: "MVN",
    V1LayerParameter.POOLING: "Pooling",
    V1LayerParameter.POWER: "Power",
    V1LayerParameter.RELU: "ReLU",
    V1LayerParameter.SIGMOID: "Sigmoid",
    V1LayerParameter.SIGMOID_CROSS_ENTROPY_LOSS: "SigmoidCrossEntropyLoss",
    V1LayerParameter.SILENCE: "Silence",
    V1LayerParameter.SLICE: "Slice",
    V1LayerParameter.SOFTMAX: "Softmax",
    V1LayerParameter.SOFTMAX_LOSS: "SoftmaxWithLoss",
    V1LayerParameter.SPLIT: "Split",
    V1LayerParameter.TANH: "TanH",
    V1LayerParameter.THRESHOLD: "Threshold",
    V1LayerParameter.WINDOW_DATA: "WindowData",
}
_SHARE_MODES = {
    V1LayerParameter.STRICT: ParamSpec.STRICT,
    V1LayerParameter.PERMISSIVE: ParamSpec.PERMISSIVE,
}
_LISTS = ("bottom", "top", "include", "exclude", "blobs", "loss_weight")


def needs_upgrade_v1(net: NetParameter) -> bool:
    """Whether a net has layers in the V1 form (or an older one)."""
    return len(net.layers) > 0


def upgrade_v1_net(net: NetParameter, source: str) -> bool:
    """Rewrite a V1 net in today's form; False where a layer still holds V0 settings.

    Raises CaffeError for a net that mixes `layers` and `layer`.
    """
    if net.layer:
        raise CaffeError(
            f"{source}: has both 'layer' and 'layers' fields, so it cannot be upgraded; write "
            'each layers { type: CONVOLUTION ... } as layer { type: "Convolution" ... }'
        )
    complete = True
    for i, old in enumerate(net.layers):
        _upgrade_layer(old, net.layer.add())
        if old.HasField("layer"):
            logger.error("Input NetParameter has V0 layer -- ignoring.")
            logger.error("Upgrade of input layer %d failed.", i)
            complete = False
    del net.layers[:]
    return complete


def _upgrade_layer(old: V1LayerParameter, new: LayerParameter) -> None:
    if old.HasField("name"):
        new.name = old.name
    if old.HasField("type"):
        new.type = _TYPES[old.type]
    for name in _LISTS:
        getattr(new, name).extend(getattr(old, name))
    for i, param_name in enumerate(old.param):
        _param(new, i).name = param_name
    for i, mode in enumerate(old.blob_share_mode):
        _param(new, i).share_mode = _SHARE_MODES[mode]
    for i, rate in enumerate(old.blobs_lr):
        _param(new, i).lr_mult = rate
    for i, decay in enumerate(old.weight_decay):
        _param(new, i).decay_mult = decay
    for field, value in old.ListFields():
        if field.name.endswith("_param"):
            getattr(new, field.name).CopyFrom(value)


def _param(layer: LayerParameter, i: int) -> ParamSpec:
    while len(layer.param) <= i:
        layer.param.add()
    return layer.param[i]
