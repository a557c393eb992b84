"""The server's own routes: detection, corrections, health, operations, documents and the web page."""
