"""The one exception for everything a user can mend."""


class CaffeError(RuntimeError):
    """Bad input: a file, a model, data or a call that does not fit.

    Its text is one line: what is wrong, where (file, line, layer, blob or record key), and what
    to do about it. The command line prints that line and exits with 1; inside Python it is an
    ordinary exception and every object stays usable.

    item: where the trouble is one item of a batch, its index in the batch. The net uses it to add
    the name of the database record to the message.
    """

    def __init__(self, message: str, item: int | None = None):
        super().__init__(message)
        self.item = item
