"""What shapes are made of."""

from typing import Any, get_args

from socialsupport_core.model.event import DeliveryState
from socialsupport_core.store.outbox import NEXT

Shape = dict[str, Any]
TEXT: Shape = {"type": "string"}
FLAG: Shape = {"type": "boolean"}
NUMBER: Shape = {"type": "integer"}
TIME: Shape = {"type": "string", "format": "date-time"}
EMPTY: Shape = {"type": "object", "maxProperties": 0}
COUNTS: Shape = {"type": "object", "additionalProperties": NUMBER}
VISIBILITY: Shape = {"enum": ["public", "private"]}
STATE: Shape = {"enum": sorted({*NEXT, *get_args(DeliveryState)})}


def ref(name: str) -> Shape:
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Shape) -> Shape:
    return {"type": "array", "items": items}


def fields(**properties: Shape) -> Shape:
    """An object of exactly these fields; one in whose name a `_` is last may be absent."""
    named = {name.removesuffix("_"): shape for name, shape in properties.items()}
    required = [name for name in properties if not name.endswith("_")]
    return {"type": "object", "properties": named, "required": required, "additionalProperties": False}
