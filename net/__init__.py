"""Floor 4: layers wired into a net, its weights in and out."""

from .net import Net

__all__ = ["Net"]
