"""The generation service on Ray Serve and its client."""
