"""The one HTTP client: wherever a name or a redirect leads, the policy is asked at the connect."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.runtime.outbound import open_client

NOWHERE = AddressPolicy()
LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.1/32"]))


@dataclass(slots=True)
class Server:
    """Counts who came, and sends people elsewhere."""

    port: int = 0
    paths: list[str] = field(default_factory=list)
    location: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        if request.path == "/redirect":
            return web.Response(status=307, headers={"Location": self.location})
        if request.path == "/cookie":
            answer = web.Response(text="set")
            answer.set_cookie("tracked", "yes")
            return answer
        if request.path == "/slow":
            await asyncio.sleep(5)
        return web.Response(text=request.headers.get("Cookie", "no cookie"))


@asynccontextmanager
async def run_server(host: str) -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with run_server("127.0.0.1") as running:
        yield running


async def refused(policy: AddressPolicy, url: str) -> str:
    """Ask for an address that must be refused; returns what the error says."""
    async with open_client(policy) as client:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await client.get(url)
    return str(caught.value)


@pytest.mark.threat("T13")
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.0.0.1"],
)
async def test_loopback_is_refused_in_every_spelling(server: Server, host: str) -> None:
    said = await refused(NOWHERE, f"http://{host}:{server.port}/")
    assert "settings allow" in said
    assert server.paths == []


@pytest.mark.threat("T13")
@pytest.mark.parametrize("host", ["127.1", "2130706433", "017700000001"])
async def test_a_number_for_a_host_is_no_address(server: Server, host: str) -> None:
    async with open_client(LOOPBACK) as client:
        with pytest.raises(aiohttp.InvalidURL):
            await client.get(f"http://{host}:{server.port}/")
    assert server.paths == []


@pytest.mark.threat("T13")
@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "10.0.0.1", "[fe80::1]", "[fc00::1]", "[::1]", "0.0.0.0", "[::]",
     "224.0.0.1", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "100.64.0.1", "192.0.2.1"],
)  # fmt: skip
async def test_no_special_network_is_connected_to(host: str) -> None:
    assert "settings allow" in await refused(NOWHERE, f"http://{host}:9/")


@pytest.mark.threat("T13")
async def test_a_redirect_into_a_refused_network_ends_there(server: Server) -> None:
    async with run_server("127.0.0.2") as inner:
        server.location = f"http://127.0.0.2:{inner.port}/admin"
        said = await refused(LOOPBACK, f"http://127.0.0.1:{server.port}/redirect")
        assert "127.0.0.2 is not in a network" in said
        server.location = f"http://localhost:{server.port}/there"
        async with open_client(LOOPBACK) as client:
            answer = await client.get(f"http://127.0.0.1:{server.port}/redirect")
            assert answer.status == 200
        assert server.paths == ["/redirect", "/redirect", "/there"]
        assert inner.paths == []


@pytest.mark.threat("T14")
@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://x/"])
async def test_a_redirect_to_another_scheme_is_refused(server: Server, location: str) -> None:
    server.location = location
    async with open_client(LOOPBACK) as client:
        with pytest.raises(aiohttp.ClientError):
            await client.get(f"http://127.0.0.1:{server.port}/redirect")
        with pytest.raises(aiohttp.ClientError):
            await client.get(location)


@pytest.mark.threat("T4")
@pytest.mark.threat("T13")
async def test_our_own_services_are_refused_even_in_an_allowed_network(server: Server) -> None:
    own = AddressPolicy(
        allowed=parse_networks(["127.0.0.0/8", "::/0"]),
        own_endpoints=frozenset({(ipaddress.ip_address("127.0.0.1"), server.port)}),
    )
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        assert "own services" in await refused(own, f"http://{host}:{server.port}/")
    assert server.paths == []
    async with run_server("127.0.0.1") as other, open_client(own) as client:
        answer = await client.get(f"http://127.0.0.1:{other.port}/")
        assert answer.status == 200


async def test_nothing_is_remembered_and_nothing_lasts(server: Server) -> None:
    base = f"http://127.0.0.1:{server.port}"
    async with open_client(LOOPBACK, timeout_s=0.5) as client:
        await (await client.get(base + "/cookie")).read()
        assert await (await client.get(base + "/again")).text() == "no cookie"
        with pytest.raises(TimeoutError):
            await client.get(base + "/slow")


@pytest.mark.threat("T13")
async def test_no_proxy_of_the_environment_leads_past_the_policy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.port}")
    assert "10.0.0.1" in await refused(LOOPBACK, "http://10.0.0.1:9/")
    assert server.paths == []
