"""The answering side: retrieve -> evidence -> answer -> cite, and the HTTP API."""
