"""The learning rate as a function of the iteration t: Caffe's seven policies.

fixed      base_lr
step       base_lr * gamma ^ floor(t / stepsize)
exp        base_lr * gamma ^ t
inv        base_lr * (1 + gamma * t) ^ -power
multistep  base_lr * gamma ^ (the number of stepvalues reached)
poly       base_lr * (1 - t / max_iter) ^ power
sigmoid    base_lr / (1 + exp(-gamma * (t - stepsize)))
"""

import contextlib
import copy
import math
from typing import Any

from ..errors import CaffeError, suggestion
from ..glog import logger

_NEEDS = {
    "fixed": (),
    "step": ("gamma", "stepsize"),
    "exp": ("gamma",),
    "inv": ("gamma", "power"),
    "multistep": ("gamma",),
    "poly": ("power", "max_iter"),
    "sigmoid": ("gamma", "stepsize"),
}
_LARGEST_EXPONENT = 700.0  # e to this still fits a double


class LearningRate:
    """The learning rate that a SolverParameter asks for; what is changed there takes effect.

    current_step: how many steps of `step` and `multistep` have been taken (kept in snapshots).
    Raises CaffeError for a policy that does not exist or lacks one of its numbers.
    """

    def __init__(self, param: Any):
        self.current_step = 0
        self._param = param
        self._set_policy()

    def _set_policy(self) -> None:
        param = self._param
        policy = param.lr_policy
        if policy not in _NEEDS:
            what = f"unknown lr_policy '{policy}'" if policy else "lr_policy is not given"
            raise CaffeError(f"solver: {what}; {suggestion(policy, _NEEDS)}")
        given = {field.name for field, _ in param.ListFields()}
        missing = [name for name in ("base_lr", *_NEEDS[policy]) if name not in given]
        if missing:
            raise CaffeError(
                f"solver: lr_policy '{policy}' needs {' and '.join(missing)}; "
                "add it to the solver's prototxt"
            )
        if "stepsize" in _NEEDS[policy] and param.stepsize <= 0:
            raise CaffeError(f"solver: stepsize is {param.stepsize}; it must be positive")
        self._policy = policy

    def __call__(self, iteration: int) -> float:
        """The rate of an iteration. Raises CaffeError where it is no number."""
        before = self.current_step
        rate = self._rate(iteration)
        if self._policy == "multistep" and self.current_step > before:
            logger.info("MultiStep Status: Iteration %d, step = %d", iteration, self.current_step)
        return rate

    def ahead(self, first: int, count: int) -> list[float]:
        """The rates of so many iterations, the first included, up to one that has none."""
        own = copy.copy(self)
        rates: list[float] = []
        with contextlib.suppress(CaffeError):
            rates.extend(own._rate(t) for t in range(first, first + count))
        return rates or [self._rate(first)]

    def _rate(self, iteration: int) -> float:
        param = self._param
        if param.lr_policy != self._policy:
            self._set_policy()
        try:
            return param.base_lr * getattr(self, f"_{self._policy}")(param, iteration)
        except (ValueError, OverflowError, ZeroDivisionError):
            raise CaffeError(
                f"solver: the learning rate of iteration {iteration} is not a number; "
                f"check the numbers of lr_policy '{self._policy}', such as gamma and power"
            ) from None

    def _fixed(self, param: Any, t: int) -> float:
        return 1.0

    def _step(self, param: Any, t: int) -> float:
        self.current_step = t // param.stepsize
        return math.pow(param.gamma, self.current_step)

    def _exp(self, param: Any, t: int) -> float:
        return math.pow(param.gamma, t)

    def _inv(self, param: Any, t: int) -> float:
        return math.pow(1 + param.gamma * t, -param.power)

    def _multistep(self, param: Any, t: int) -> float:
        steps = param.stepvalue
        # One step a call, as in Caffe: after a resume without current_step it catches up.
        if self.current_step < len(steps) and t >= steps[self.current_step]:
            self.current_step += 1
        return math.pow(param.gamma, self.current_step)

    def _poly(self, param: Any, t: int) -> float:
        left = 1 - t / param.max_iter
        return math.pow(left, param.power) if left > 0 else 0.0

    def _sigmoid(self, param: Any, t: int) -> float:
        exponent = min(-param.gamma * (t - param.stepsize), _LARGEST_EXPONENT)
        return 1 / (1 + math.exp(exponent))
