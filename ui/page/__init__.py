"""The staff page: Gradio's shell with the chat and the documents, over the same assistant that the API uses.

The only package that imports gradio. docs/chat.md tells how it is made.
"""

from ui.page.shell import close_streams, mount

__all__ = ["close_streams", "mount"]
