"""What to say of a store that cannot be reached: which one, where, and why. Passwords are left out."""

from urllib.parse import parse_qs, unquote, urlsplit

from redis.exceptions import RedisError


def no_postgres(database_url: str, error: OSError) -> str:
    """In one line, for an error that connecting to `database_url` raised."""
    return f"DATABASE_URL: cannot reach Postgres at {_postgres_place(database_url)}: {_reason(error)}"


def no_redis(redis_url: str, error: RedisError) -> str:
    """In one line, for an error that connecting to `redis_url` raised."""
    cause = error.__cause__ or error.__context__
    reason = _reason(cause) if isinstance(cause, OSError) else str(error)
    return f"REDIS_URL: cannot reach Redis at {_redis_place(redis_url)}: {reason}"


def _postgres_place(url: str) -> str:
    address = urlsplit(url)
    query = parse_qs(address.query)
    # As asyncpg has it: the URL's host, or several with commas between them, or else the query's.
    hosts = unquote(address.netloc.rpartition("@")[2]) or query.get("host", [""])[0]
    port = query.get("port", ["5432"])[0]
    if not hosts:
        return f"its customary sockets and localhost:{port}"
    if hosts.startswith("/"):
        return f"{hosts}/.s.PGSQL.{port}"
    return hosts if ":" in hosts else f"{hosts}:{port}"


def _redis_place(url: str) -> str:
    address = urlsplit(url)
    return (
        unquote(address.path)
        if address.scheme == "unix"
        else f"{address.hostname or 'localhost'}:{address.port or 6379}"
    )


def _reason(error: OSError) -> str:
    """The system's words. An error of several attempts has only its own; one that ran out of time has none."""
    return error.strerror or str(error) or "no answer in time"
