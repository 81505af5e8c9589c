"""The errors of the library, one tree.

```
EmbedtuneError(Exception)
|- ConfigurationError(+ValueError)       a setting is wrong; raised before any I/O
|  `- MissingDependencyError             .package .extra
|- DataError(+ValueError)                the user's data is wrong
|  |- DatasetFormatError                 .path .line .problems
|  |- DatasetIntegrityError              .problems
|  `- DimensionMismatchError             .expected .actual
|- BackendError                          .operation .retryable .retry_after
|  |- NotFoundError  AlreadyExistsError  InvalidRequestError
|  |- AuthenticationError  PermissionDeniedError
|  |- UnsupportedOperationError(+NotImplementedError)
|  `- UnavailableError                   retryable = True
|     |- RateLimitedError
|     `- BackendTimeoutError(+TimeoutError)
|- JobError                              .job (the last known tuning job)
|  |- JobFailedError                     ended in FAILED or CANCELLED
|  `- JobTimeoutError(+TimeoutError)     we stopped waiting; it may still run
`- NotBetterError                        .verdict (of the comparison)
```

Wrong arguments by a programmer are `TypeError` and `ValueError`.
Wrong data and settings are `DataError` and `ConfigurationError`.
What the world outside refuses is a `BackendError`.
A `NotBetterError` says that nothing is wrong, but that a gain was not proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self


class EmbedtuneError(Exception):
    """What every error of the library descends from."""

    def __init__(self, message: str) -> None:
        super().__init__(message)

    def __reduce__(
        self,
    ) -> tuple[object, tuple[type[Self], tuple[object, ...], dict[str, object]]]:
        """Pickle by message and facts, whatever the constructor asks for."""
        return _rebuild, (type(self), self.args, self.__dict__.copy())


class ConfigurationError(EmbedtuneError, ValueError):
    """A setting is wrong; raised before anything is read, sent or written."""


class MissingDependencyError(ConfigurationError):
    """A package of an extra is not installed.

    Attributes:
        package: The name to import, for example `"polars"`.
        extra: The extra of embedtune that brings it.
    """

    def __init__(self, message: str, *, package: str, extra: str) -> None:
        super().__init__(message)
        self.package = package
        self.extra = extra


class DataError(EmbedtuneError, ValueError):
    """The user's data is wrong."""


class DatasetFormatError(DataError):
    """A file cannot be read as what it should be.

    Attributes:
        path: The first file with a problem.
        line: Its line, from 1; `None` if the problem is not in one line.
        problems: One sentence for every problem found, in the order of the files.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str,
        line: int | None = None,
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.problems = tuple(problems)


class DatasetIntegrityError(DataError):
    """The parts of a dataset do not fit together.

    Attributes:
        problems: One sentence for every problem found.
    """

    def __init__(self, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class DimensionMismatchError(DataError):
    """Vectors of one length were given where another is needed.

    Attributes:
        expected: The length needed.
        actual: The length given.
    """

    def __init__(self, message: str, *, expected: int, actual: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class BackendError(EmbedtuneError):
    """What a service, a database or a file system answered.

    Attributes:
        operation: What was asked for, for example `"index.search"`.
        retryable: Whether the same call may succeed later.
        retry_after: Seconds after which the service wants to be asked again,
            or `None`.
    """

    retryable = False

    def __init__(
        self, message: str, *, operation: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.retry_after = retry_after


class NotFoundError(BackendError):
    """The thing named does not exist."""


class AlreadyExistsError(BackendError):
    """A thing of that name exists already."""


class InvalidRequestError(BackendError):
    """The backend refuses the request as it is; repeating it does not help."""


class AuthenticationError(BackendError):
    """The caller is not known to the backend."""


class PermissionDeniedError(BackendError):
    """The caller may not do this."""


class UnsupportedOperationError(BackendError, NotImplementedError):
    """This backend cannot do it; the message names one that can."""


class UnavailableError(BackendError):
    """The backend does not answer now; asking again later may help."""

    retryable = True


class RateLimitedError(UnavailableError):
    """The backend refuses for now because it was asked too often."""


class BackendTimeoutError(UnavailableError, TimeoutError):
    """The backend did not answer in time."""


class JobError(EmbedtuneError):
    """A tuning job did not give a model.

    Attributes:
        job: The last known tuning job.
    """

    def __init__(self, message: str, *, job: object) -> None:
        super().__init__(message)
        self.job = job


class JobFailedError(JobError):
    """The job ended in FAILED or CANCELLED; the message gives the reason."""


class JobTimeoutError(JobError, TimeoutError):
    """Waiting ended before the job did; the job may still be running."""


class NotBetterError(EmbedtuneError):
    """Tuned was required to be better than base, and that is not sure.

    Attributes:
        verdict: What the comparison says, and why.
    """

    def __init__(self, message: str, *, verdict: object) -> None:
        super().__init__(message)
        self.verdict = verdict


def _rebuild(
    cls: type[EmbedtuneError], args: tuple[object, ...], facts: dict[str, object]
) -> EmbedtuneError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(facts)
    return error
