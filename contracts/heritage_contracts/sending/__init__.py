"""From a call to a receipt: one owner of keys and nonces, signed bytes on disk before they are sent."""
