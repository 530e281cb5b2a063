"""The learning rate as a function of the iteration t: Caffe's seven policies.

fixed      base_lr
step       base_lr * gamma ^ floor(t / stepsize)
exp        base_lr * gamma ^ t
inv        base_lr * (1 + gamma * t) ^ -power
multistep  base_lr * gamma ^ (the number of stepvalues reached)
poly       base_lr * (1 - t / max_iter) ^ power
sigmoid    base_lr / (1 + exp(-gamma * (t - stepsize)))
"""

import difflib
import math
from typing import Any

from ..errors import CaffeError
from ..glog import logger

_NEEDS = {
    "fixed": (),
    "step": ("gamma", "stepsize"),
    "exp": ("gamma",),
    "inv": ("gamma", "power"),
    "multistep": ("gamma", "stepvalue"),
    "poly": ("power", "max_iter"),
    "sigmoid": ("gamma", "stepsize"),
}
_LARGEST_EXPONENT = 700.0  # e to this still fits a double


class LearningRate:
    """The learning rate that a SolverParameter asks for.

    current_step: how many steps of `step` and `multistep` have been taken (kept in snapshots).
    Raises CaffeError for a policy that does not exist or lacks one of its numbers.
    """

    def __init__(self, param: Any):
        policy = param.lr_policy
        if policy not in _NEEDS:
            near = difflib.get_close_matches(policy, _NEEDS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(_NEEDS)}"
            what = f"unknown lr_policy '{policy}'" if policy else "lr_policy is not given"
            raise CaffeError(f"solver: {what}; {hint}")
        given = {field.name for field, _ in param.ListFields()}
        missing = [name for name in ("base_lr", *_NEEDS[policy]) if name not in given]
        if missing:
            raise CaffeError(
                f"solver: lr_policy '{policy}' needs {' and '.join(missing)}; "
                "add it to the solver's prototxt"
            )
        if "stepsize" in _NEEDS[policy] and param.stepsize <= 0:
            raise CaffeError(f"solver: stepsize is {param.stepsize}; it must be positive")
        self.current_step = 0
        self._rate = getattr(self, f"_{policy}")
        self._base = param.base_lr
        self._gamma = param.gamma
        self._power = param.power
        self._stepsize = param.stepsize
        self._stepvalues = list(param.stepvalue)
        self._max_iter = param.max_iter

    def __call__(self, iteration: int) -> float:
        """The rate of an iteration. Raises CaffeError where it is no number."""
        try:
            return self._rate(iteration)
        except (ValueError, OverflowError):
            raise CaffeError(
                f"solver: the learning rate of iteration {iteration} is not a number; "
                "check gamma and power"
            ) from None

    def _fixed(self, t: int) -> float:
        return self._base

    def _step(self, t: int) -> float:
        self.current_step = t // self._stepsize
        return self._base * math.pow(self._gamma, self.current_step)

    def _exp(self, t: int) -> float:
        return self._base * math.pow(self._gamma, t)

    def _inv(self, t: int) -> float:
        return self._base * math.pow(1 + self._gamma * t, -self._power)

    def _multistep(self, t: int) -> float:
        steps = self._stepvalues
        # One step a call, as in Caffe: after a resume without current_step it catches up.
        if self.current_step < len(steps) and t >= steps[self.current_step]:
            self.current_step += 1
            logger.info("MultiStep Status: Iteration %d, step = %d", t, self.current_step)
        return self._base * math.pow(self._gamma, self.current_step)

    def _poly(self, t: int) -> float:
        left = 1 - t / self._max_iter
        return self._base * math.pow(left, self._power) if left > 0 else 0.0

    def _sigmoid(self, t: int) -> float:
        exponent = min(-self._gamma * (t - self._stepsize), _LARGEST_EXPONENT)
        return self._base / (1 + math.exp(exponent))
