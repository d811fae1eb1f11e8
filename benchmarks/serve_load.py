"""How long `kindling serve` takes to answer, how many rows a second, and what a stop loses.

python benchmarks/serve_load.py latest              # about 30 s, over loopback
python benchmarks/serve_load.py runs/penguins_auto/...  --rate 100

The rows are the example of the model's own description. Requests for one row are sent by the clock,
whether or not the ones before are answered, and timed from the moment when they should have been
sent. The load comes from this process, on the same machine: it takes a part of the cores.
"""

import argparse
import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from urllib.request import urlopen


class Client:
    """A few connections to one server, each for one request at a time."""

    def __init__(self, address: str) -> None:
        self.host, _, self.port = address.removeprefix("http://").rpartition(":")
        self.free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, body: bytes, media_type: str = "application/json") -> int:
        """Post to /predict; return the status once the whole answer is there."""
        pair = await self.connection()
        reader, writer = pair
        head = f"POST /predict HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: {media_type}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
        await reader.readexactly(length)
        self.free.append(pair)
        return int(answer.split()[1])

    async def connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Take one that the server has not closed since it was used, or open one."""
        while self.free:
            pair = self.free.pop()
            if not pair[0].at_eof():
                return pair
            pair[1].close()
        return await asyncio.open_connection(self.host, self.port)


@contextmanager
def serving(run: str):
    """Start the server on a free port; give its process and its address."""
    code = "from kindling.cli.command_line import main; main()"
    command = [sys.executable, "-c", code, "serve", run]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def example(address: str) -> dict:
    """Return the row that the server describes as an example."""
    with urlopen(f"{address}/openapi.json") as answer:
        described = json.load(answer)
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    return content["application/json"]["schema"]["examples"][0]["rows"][0]


async def by_the_clock(client: Client, body: bytes, rate: int, seconds: int) -> list[float]:
    """Send at a fixed rate; return the latencies in ms."""
    start = time.perf_counter() + 0.1

    async def send(number: int) -> float:
        due = start + number / rate
        await asyncio.sleep(due - time.perf_counter())
        assert await client.post(body) == 200
        return 1000 * (time.perf_counter() - due)

    return list(await asyncio.gather(*(send(number) for number in range(rate * seconds))))


async def as_fast_as_it_goes(
    post: Callable[[], Awaitable[int]], num_clients: int, seconds: float
) -> float:
    """Let a few clients each ask again as soon as they are answered; return requests per second."""
    start, count = time.perf_counter(), 0

    async def ask() -> None:
        nonlocal count
        while time.perf_counter() - start < seconds:
            assert await post() == 200
            count += 1

    await asyncio.gather(*(ask() for _ in range(num_clients)))
    return count / (time.perf_counter() - start)


async def stop_in_flight(client: Client, body: bytes, process: subprocess.Popen, num: int) -> int:
    """Ask for many batches at once, stop the server at the first answer, count the answers."""
    asked = [asyncio.create_task(client.post(body)) for _ in range(num)]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    process.send_signal(signal.SIGTERM)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    return sum(answer == 200 for answer in answers)


async def measure(process: subprocess.Popen, address: str, rate: int, seconds: int) -> None:
    """Print one line for each question."""
    row, client = example(address), Client(address)
    one, many = (json.dumps({"rows": [row] * count}).encode() for count in (1, 1000))
    line = ",".join("" if value is None else str(value) for value in row.values())
    table = "\n".join([",".join(row), *[line] * 1000]).encode()
    await as_fast_as_it_goes(lambda: client.post(one), 1, 1.0)  # warm

    times = statistics.quantiles(await by_the_clock(client, one, rate, seconds), n=100)
    print(f"one row, {rate} requests/s   p50 {times[49]:.1f} ms   p99 {times[98]:.1f} ms")
    fast = await as_fast_as_it_goes(lambda: client.post(one), 8, 5.0)
    print(f"one row, 8 clients        {fast:,.0f} requests/s")
    for name, body, media_type in (("JSON", many, "application/json"), ("CSV", table, "text/csv")):
        rows = await as_fast_as_it_goes(lambda b=body, m=media_type: client.post(b, m), 2, 5.0)
        print(f"1,000 rows as {name:<4}        {1000 * rows:,.0f} rows/s")
    answered = await stop_in_flight(client, many, process, 32)
    print(f"SIGTERM amid 32 requests  {answered} answered, exit code {process.wait()}")


def main() -> None:
    """Read the command line, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN", help="a run on a table")
    parser.add_argument("--rate", type=int, default=50, help="requests per second")
    parser.add_argument("--seconds", type=int, default=15, help="of requests for one row")
    arguments = parser.parse_args()
    with serving(arguments.run) as (process, address):
        asyncio.run(measure(process, address, arguments.rate, arguments.seconds))


if __name__ == "__main__":
    main()
