"""Embedding engines, one per file: functions named after the file that map codes (N, D) to points (N, 2).

An engine that can place further codes (M, D) into its map returns ``(points, place)``, where ``place`` maps them to
(M, 2). Modules with a leading underscore are shared code. This room imports `analysis` and the rooms below it.
"""

from vaeviz.embeddings._base import Embedding, choose_engine, clear_embedding_cache, embed

__all__ = ["Embedding", "choose_engine", "clear_embedding_cache", "embed"]
