"""The libraries that a cluster imports, none of which reads our settings: two thirds of its start.

Loaded once by the process from which the tests' clusters are forked (cluster.py).
"""

import aiohttp
import channels.generic.websocket
import channels_redis.pubsub
import charset_normalizer
import daphne.server
import django.contrib.admin
import django.core.management
import django.db.models
import django.test
import docx
import limits.storage
import limits.strategies
import markdown_it
import nh3
import openai.resources
import openai.types.responses
import psycopg
import pypdf
import redis.asyncio.cluster

__all__ = [
    "aiohttp",
    "channels",
    "channels_redis",
    "charset_normalizer",
    "daphne",
    "django",
    "docx",
    "limits",
    "markdown_it",
    "nh3",
    "openai",
    "psycopg",
    "pypdf",
    "redis",
]
