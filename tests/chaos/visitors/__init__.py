"""The clients: visitors with tabs, who behave as the page does and record what they see."""

from tests.chaos.visitors.crowd import Crowd

__all__ = ["Crowd"]
