"""Write barberpro/storage/schema.sql anew from the migrations: python -m tests.integration.regenerate_schema"""

import asyncio
import tempfile
from pathlib import Path

from barberpro.server.embedded import EmbeddedServices
from barberpro.storage.migrate import migrate
from tests.support.schema import SCHEMA, dump_schema


async def main() -> None:
    """Migrate an empty database and write down what it has become."""
    with tempfile.TemporaryDirectory() as directory:
        async with EmbeddedServices(Path(directory)) as urls:
            await migrate(urls.database_url)
            dumped = await asyncio.to_thread(dump_schema, urls.database_url)
    await asyncio.to_thread(SCHEMA.write_text, dumped)


if __name__ == "__main__":
    asyncio.run(main())
