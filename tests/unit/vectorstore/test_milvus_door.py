"""The door to Milvus: every fault has its error, and is repeated when that is safe.

Here a scripted server answers, over the real wire to the real client.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
import pymilvus
import pytest
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc, schema_pb2
from pytest_mock import MockerFixture

from embedtune.errors import (
    AlreadyExistsError,
    AuthenticationError,
    BackendError,
    BackendTimeoutError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnavailableError,
    UnsupportedOperationError,
)
from embedtune.retry import RetryPolicy
from embedtune.vectorstore.milvus import _STATUSES, Client

Fault = int | grpc.StatusCode
"""A code in the answer's status, or a call that fails."""

_OK = common_pb2.Status(code=0)


class Server(milvus_pb2_grpc.MilvusServiceServicer):
    """Answers as the script says, and well when the script is over."""

    def __init__(self) -> None:
        self.version = "v2.6.0"
        self.faults: deque[Fault] = deque()
        self.calls: list[str] = []
        self.reason = "because"
        self.refusal: grpc.StatusCode | None = None
        self.release = threading.Event()

    def _status(self, call: str, context: Any) -> Any:
        self.calls.append(call)
        if not self.faults:
            return _OK
        fault = self.faults.popleft()
        if fault == grpc.StatusCode.DEADLINE_EXCEEDED:
            self.release.wait(10)  # the client gives up first
        if isinstance(fault, grpc.StatusCode):
            context.abort(fault, self.reason)
        return common_pb2.Status(code=fault, error_code=1, reason=self.reason)

    def Connect(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Let everybody in, unless the script says otherwise."""
        if self.refusal:
            context.abort(self.refusal, self.reason)
        return milvus_pb2.ConnectResponse(
            status=_OK, server_info=common_pb2.ServerInfo(build_tags=self.version)
        )

    def GetVersion(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Say what was said before."""
        return milvus_pb2.GetVersionResponse(status=_OK, version=self.version)

    def Query(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Count to three."""
        count = schema_pb2.FieldData(field_name="count(*)", type=5)
        count.scalars.long_data.data.append(3)
        return milvus_pb2.QueryResults(
            status=self._status("query", context),
            fields_data=[count],
            output_fields=["count(*)"],
        )

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Delete nothing."""
        return milvus_pb2.MutationResult(status=self._status("delete", context))

    def CreateAlias(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Create nothing."""
        return self._status("create_alias", context)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run the scripted server on a free port of the loopback."""
    scripted = Server()
    running = grpc.server(futures.ThreadPoolExecutor(4))
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(scripted, running)
    scripted.port = running.add_insecure_port("127.0.0.1:0")  # type: ignore[attr-defined]
    running.start()
    yield scripted
    scripted.release.set()
    running.stop(grace=None).wait()
    assert not scripted.faults


@pytest.fixture
def no_wait(mocker: MockerFixture) -> None:
    """Let no time pass between tries."""
    mocker.patch("embedtune.retry.sleep")


@pytest.fixture
def connect(server: Server, no_wait: None) -> Iterator[Callable[..., Client]]:
    """Open clients that are closed in the end."""
    opened = []

    def open_client(*, timeout: float = 5.0, attempts: int = 3) -> Client:
        client = Client(
            f"http://127.0.0.1:{server.port}",  # type: ignore[attr-defined]
            token="user:secret",  # noqa: S106 -- there is no such user
            timeout=timeout,
            retry=RetryPolicy(attempts=attempts),
            label="the test's",
        )
        opened.append(client)
        return client

    yield open_client
    for client in opened:
        client.close()


def count(client: Client) -> object:
    """Read."""
    return client.count("kb__1", "index.count")


def delete(client: Client) -> object:
    """Write what may be written again."""
    return client.delete("kb__1", 'doc_id in ["a"]', "index.sync")


def create_alias(client: Client) -> object:
    """Write what may not be written again."""
    return client.create_alias("kb__1", "kb", "index.sync")


_STATUS = grpc.StatusCode
CASES = [  # call, faults, raises, requests seen
    (count, [], None, 1),
    (count, [101], None, 2),
    (count, [101, 101], None, 3),
    (count, [101] * 3, UnavailableError, 3),
    (count, [100], NotFoundError, 1),
    (count, [1600], NotFoundError, 1),
    (count, [65535], InvalidRequestError, 1),
    (count, [1], InvalidRequestError, 1),
    (count, [1100], InvalidRequestError, 1),
    (count, [1400], AuthenticationError, 1),
    (count, [1401], PermissionDeniedError, 1),
    (count, [9] * 3, UnavailableError, 3),
    (count, [8], None, 2),
    (count, [_STATUS.PERMISSION_DENIED], PermissionDeniedError, 1),
    (count, [_STATUS.UNAUTHENTICATED], AuthenticationError, 1),
    (count, [_STATUS.INVALID_ARGUMENT], InvalidRequestError, 1),
    (count, [_STATUS.RESOURCE_EXHAUSTED], InvalidRequestError, 1),
    (count, [_STATUS.UNIMPLEMENTED], UnsupportedOperationError, 1),
    (count, [_STATUS.ALREADY_EXISTS], AlreadyExistsError, 1),
    (count, [_STATUS.UNAVAILABLE], None, 2),
    (count, [_STATUS.INTERNAL], None, 2),
    (delete, [_STATUS.UNAVAILABLE, 101], None, 3),
    (delete, [101] * 3, UnavailableError, 3),
    (delete, [65535], InvalidRequestError, 1),
    (create_alias, [101], UnavailableError, 1),
    (create_alias, [1601], AlreadyExistsError, 1),
    (create_alias, [1602], AlreadyExistsError, 1),
]


@pytest.mark.parametrize(("call", "faults", "raises", "requests"), CASES)
def test_faults(
    server: Server,
    connect: Callable[..., Client],
    call: Callable[[Client], object],
    faults: list[Fault],
    raises: type[BackendError] | None,
    requests: int,
) -> None:
    """Each fault gives its error after as many requests as are right."""
    client = connect()
    server.faults.extend(faults)
    if raises is None:
        call(client)
    else:
        with pytest.raises(raises, match="because") as info:
            call(client)

        assert raises is type(info.value)
        assert info.value.operation in {"index.count", "index.sync"}

    assert [call.__name__.replace("count", "query")] * requests == server.calls


def test_a_read_that_takes_too_long(
    server: Server, connect: Callable[..., Client]
) -> None:
    """A read is given up after its time, and tried again."""
    client = connect(timeout=0.2, attempts=2)
    server.faults.extend([_STATUS.DEADLINE_EXCEEDED] * 2)

    with pytest.raises(BackendTimeoutError, match="DEADLINE_EXCEEDED"):
        count(client)

    assert ["query"] * 2 == server.calls


def test_a_server_that_always_asks_to_wait(
    server: Server, connect: Callable[..., Client]
) -> None:
    """A rate limit that does not end is told as one."""
    client = connect(timeout=0.3, attempts=1)
    server.faults.extend([8] * 50)

    with pytest.raises(RateLimitedError, match="because"):
        count(client)
    server.faults.clear()


def test_a_server_that_stays_away(
    server: Server, connect: Callable[..., Client]
) -> None:
    """Pymilvus' own tries end with the time of one call."""
    client = connect(timeout=0.3, attempts=1)
    server.faults.extend([_STATUS.UNAVAILABLE] * 50)

    with pytest.raises(UnavailableError, match="UNAVAILABLE"):
        count(client)
    server.faults.clear()


def test_lite_never_writes_again(
    server: Server, connect: Callable[..., Client]
) -> None:
    """A write that failed on Milvus Lite is not repeated."""
    server.version = "milvus_lite-3.2.2"
    client = connect()
    server.faults.append(101)
    assert client.is_lite

    with pytest.raises(UnavailableError):
        delete(client)
    assert ["delete"] == server.calls


def test_exists_by_its_words(server: Server, connect: Callable[..., Client]) -> None:
    """Where a code stands for anything, the words tell that something exists."""
    client = connect()
    for reason in ["collection 'x' already exists", "[Errno 17] File exists: 'x'"]:
        server.faults.append(1)
        server.reason = reason
        with pytest.raises(AlreadyExistsError):
            create_alias(client)


def test_reasons_are_kept_short(server: Server, connect: Callable[..., Client]) -> None:
    """The first line of a reason is enough, and not too much of that."""
    client = connect()
    server.faults.append(65535)
    server.reason = "x" * 5_000 + "\nsecond line"

    with pytest.raises(InvalidRequestError) as info:
        count(client)
    assert 200 < len(str(info.value)) < 500
    assert "second" not in str(info.value)


def test_nobody_there(no_wait: None) -> None:
    """A server that does not answer is told within the time, with its address."""
    with pytest.raises(UnavailableError) as info:
        Client(
            "http://me:secret@127.0.0.1:9",
            token="",
            timeout=0.3,
            retry=RetryPolicy(attempts=1),
            label="http://127.0.0.1:9",
        )
    assert "index.open" == info.value.operation
    assert (
        "the server at 'http://127.0.0.1:9' did not answer;"
        " check that it runs and that the address is right"
    ) == str(info.value)


def test_a_server_that_lets_nobody_in(
    server: Server, connect: Callable[..., Client]
) -> None:
    """A refusal while connecting is told as what it is, not as a missing answer."""
    server.refusal = grpc.StatusCode.UNAUTHENTICATED
    server.reason = "who are you"

    with pytest.raises(AuthenticationError, match=r"UNAUTHENTICATED.*who are you"):
        connect()


def test_the_log_is_silent_for_our_calls_only(
    server: Server,
    connect: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
    mocker: MockerFixture,
) -> None:
    """Pymilvus' log says nothing of our failures, and all of other people's."""
    mocker.patch.object(logging.getLogger("pymilvus"), "propagate", new=True)
    client = connect()
    server.faults.append(100)
    with pytest.raises(NotFoundError):
        count(client)
    assert [] == caplog.records

    server.faults.append(100)
    other = pymilvus.MilvusClient(f"http://127.0.0.1:{server.port}", dedicated=True)  # type: ignore[attr-defined]
    with pytest.raises(pymilvus.MilvusException):
        other.query("kb__1", output_fields=["count(*)"])
    other.close()
    assert {"pymilvus.decorators"} == {record.name for record in caplog.records}


def test_every_status_has_an_error() -> None:
    """No status of gRPC is left to chance; the odd ones are plain errors."""
    odd = {"OK", "UNKNOWN", "FAILED_PRECONDITION", "OUT_OF_RANGE", "DATA_LOSS"}

    assert odd == {one.name for one in grpc.StatusCode if one not in _STATUSES}
