"""What can be asked, whatever the way in. Imports the standard library, the domain and `returns`."""

from fastapi_easy.application.context import NOBODY, Context
from fastapi_easy.application.kernel import Kernel, UseCases
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.application.resources.count_entities import CountEntities
from fastapi_easy.application.resources.create_entity import CreateEntity
from fastapi_easy.application.resources.delete_entity import DeleteEntity
from fastapi_easy.application.resources.get_entity import GetEntity
from fastapi_easy.application.resources.list_entities import ListEntities
from fastapi_easy.application.resources.perform_action import Action, PerformAction
from fastapi_easy.application.resources.replace_entity import ReplaceEntity
from fastapi_easy.application.resources.update_entity import UpdateEntity

__all__ = [
    "NOBODY",
    "Action",
    "Context",
    "CountEntities",
    "CreateEntity",
    "DeleteEntity",
    "GetEntity",
    "Handler",
    "Kernel",
    "ListEntities",
    "PerformAction",
    "ReplaceEntity",
    "Step",
    "Target",
    "UpdateEntity",
    "UseCases",
]
