"""Floor 1: the kernels. Arrays in, arrays out.

`cpu` and (to come) `cuda` are twins: the same files, functions and signatures. `reference` holds
the plain NumPy definition of each, under the same name: read that first.
"""
