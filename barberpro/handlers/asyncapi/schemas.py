"""JSON Schemas of the models: all by name in one place."""

from collections.abc import Iterable
from typing import Any, Final, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Json = dict[str, Any]

PLACE: Final = "#/components/schemas/"


class Untitled(GenerateJsonSchema):
    """Without titles of fields, which say no more than their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - pydantic's schemas of all kinds
        return False


class _AsAsyncApi(Untitled):
    """Draft 7, with AsyncAPI's own word for a union's tag."""

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        union = super().tagged_union_schema(schema)
        union["discriminator"] = union["discriminator"]["propertyName"]
        return union


class Schemas:
    """`of` a model its schema; `definitions`: all that these refer to."""

    def __init__(self, models: Iterable[tuple[Any, bool]], generator: type[GenerateJsonSchema] = _AsAsyncApi) -> None:
        """models: each with whether it comes in (and is checked) or goes out (and is written)."""
        # By their names as Python writes them: a union with its tag cannot be a key itself.
        keyed = [(str(model), "validation" if comes_in else "serialization", model) for model, comes_in in models]
        inputs = [(name, cast("Any", mode), TypeAdapter(model)) for name, mode, model in keyed]
        schemas, rest = TypeAdapter.json_schemas(inputs, ref_template=PLACE + "{model}", schema_generator=generator)
        self._schemas = {name: schema for (name, _), schema in schemas.items()}
        self.definitions: Json = rest.get("$defs", {})

    def of(self, model: object) -> Json:
        return self._schemas[str(model)]

    def framed(self, schema: Json, event: str, more: Json) -> Json:
        """The schema of an object that has its event's name in it, too, and what `more` names."""
        for union in ("oneOf", "anyOf"):
            if union in schema and "properties" not in schema:
                return {**schema, union: [self.framed(each, event, more) for each in schema[union]]}
        whole = self.definitions[schema["$ref"].removeprefix(PLACE)]
        own = {"event": {"const": event}, **more}
        required = [*own, *(name for name in whole.get("required", []) if name not in own)]
        return {**whole, "properties": {**own, **whole["properties"]}, "required": required}
