"""A mistake on the command line is told in one line that names the key and the value, and ends with code 2."""

import asyncio
import tempfile
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.programs import Finished, program, run
from tests.support.sites import Site

POSTGRES, REDIS = "postgresql://nobody@127.0.0.1:1/none", "redis://127.0.0.1:1/0"
# The mistake: arguments, environment, and what its line has to say.
MISTAKES: dict[str, tuple[list[str], dict[str, str], list[str]]] = {
    "a port that is no number": (["serve"], {"BARBERPRO_PORT": "abc"}, ["BARBERPRO_PORT", "'abc'", "integer"]),
    "a port that there is not": (["serve", "--port", "99999"], {}, ["--port is 99999", "65535"]),
    "port 0": (["serve", "--port", "0"], {"BARBERPRO_PORT": "8000"}, ["--port is 0"]),
    "a variable that there is not": (["serve"], {"BARBERPRO_PROT": "1"}, ["BARBERPRO_PROT", "BARBERPRO_PORT?"]),
    "stores that are embedded and elsewhere": (
        ["serve"],
        {"BARBERPRO_EMBEDDED": "data", "REDIS_URL": REDIS},
        ["BARBERPRO_EMBEDDED", "REDIS_URL", "either"],
    ),
    "Postgres without Redis": (["serve"], {"DATABASE_URL": POSTGRES}, ["REDIS_URL is missing"]),
    "a URL of another kind": (
        ["check"],
        {"DATABASE_URL": "mysql://root:secret@db/x", "REDIS_URL": REDIS},
        ["barberpro: DATABASE_URL", "postgresql://"],
    ),
    "a port of Postgres that is a piece of its password": (
        ["check", "--database-url", "postgresql://root:secret/@db/x", "--redis-url", REDIS],
        {},
        ["--database-url", "port", "%2F"],
    ),
    "no stores at all": (["serve"], {}, ["--embedded", "--database-url"]),
    "a directory that is a file": (["seed", "--embedded", "file"], {}, ["file", "directory"]),
    "stores that are not there": (
        ["check"],
        {"DATABASE_URL": POSTGRES, "REDIS_URL": REDIS},
        ["DATABASE_URL", "127.0.0.1:1"],
    ),
    "a host of Postgres that has no address": (
        ["check", "--database-url", "postgresql://root:secret@nowhere.invalid/x", "--redis-url", REDIS],
        {},
        ["DATABASE_URL", "nowhere.invalid:5432"],
    ),
    "a socket of Postgres that is not there": (
        ["check", "--database-url", "postgresql:///x?host=/nowhere", "--redis-url", REDIS],
        {},
        ["DATABASE_URL", "/nowhere/.s.PGSQL.5432"],
    ),
    "a screen of no shop": (["token", "--role", "display"], {}, ["--role display", "--shop"]),
    "production without keys": (
        ["token", "--role", "admin"],
        {"BARBERPRO_ENVIRONMENT": "production"},
        ["BARBERPRO_KEYS_DIR"],
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told() -> dict[str, Finished]:
    """How each of them ended; run side by side, as each takes a second of a processor to start."""
    turns = asyncio.Semaphore(3)

    async def make(home: Path, arguments: list[str], environment: dict[str, str]) -> Finished:
        async with turns:
            return await run(home, *arguments, **environment)

    with tempfile.TemporaryDirectory(prefix="bp-") as name:
        home = Path(name)
        (home / "file").touch()
        ends = await asyncio.gather(*(make(home, *mistake[:2]) for mistake in MISTAKES.values()))
    return dict(zip(MISTAKES, ends, strict=True))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(told: dict[str, Finished], mistake: str) -> None:
    end, words = told[mistake], MISTAKES[mistake][2]
    assert end.code == 2, end
    assert end.out == ""
    assert len(end.err.splitlines()) == 1, end.err
    assert end.err.startswith("barberpro: ")
    assert all(word in end.err for word in words), end.err
    assert "Traceback" not in end.err


def test_a_password_in_a_url_is_not_repeated(told: dict[str, Finished]) -> None:
    assert not [end for end in told.values() if "secret" in end.err]


async def test_a_slip_in_the_env_file_is_told(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / ".env").write_text, "BARBERPRO_WORKRES=2\n")
    end = await run(tmp_path, "token", "--role", "admin")
    assert (end.code, end.out) == (2, "")
    assert end.err == "barberpro: BARBERPRO_WORKRES: there is no such setting; is it BARBERPRO_WORKERS?\n"


async def test_a_redis_that_is_not_there_is_told_by_check_and_by_a_server_that_starts_without_it(site: Site) -> None:
    away = "REDIS_URL: cannot reach Redis at nowhere.invalid:6379"
    async with site.stores() as urls:
        stores = ["--database-url", urls.database_url, "--redis-url", "redis://nowhere.invalid"]
        async with program(site.home, "serve", "--port", str(site.port), *stores) as server:
            await server.says('"event": "listening"')
            assert away in (await server.says('"event": "redis_away"'))[0]
        check = await run(site.home, "check", *stores)
    assert check.code == 2
    assert check.err.startswith(f"barberpro: {away}"), check.err


async def test_a_port_that_is_taken_a_host_and_a_shop_that_there_are_not_are_told(site: Site) -> None:
    async with site.stores():
        # A server that shares its port, as workers do: with a second server's workers it must not.
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0, reuse_port=True)
        async with server:
            taken = server.sockets[0].getsockname()[1]
            ends = await asyncio.gather(
                site.run("serve", "--port", str(taken)),
                site.run("serve", "--port", str(taken), "--workers", "2"),
                site.run("serve", "--host", "nowhere.invalid"),
                site.run("simulate", "--shop", "sh_nowhere"),
            )
    told_of = (f"127.0.0.1:{taken} (--port is taken", f"127.0.0.1:{taken} (--port is taken", "--host", "sh_nowhere")
    for end, words in zip(ends, told_of, strict=True):
        told = [line for line in end.err.splitlines() if line.startswith("barberpro: ")]
        assert end.code == 2, end
        assert len(told) == 1
        assert words in told[0]
        assert "Traceback" not in end.err
