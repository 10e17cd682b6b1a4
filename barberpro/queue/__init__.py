"""The queue engine: transitions in Lua, made durable in Postgres, folded into views."""
