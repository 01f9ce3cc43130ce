"""Encrypted values."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from stepgraph.compat.langgraph.checkpoint.serde.base import CipherProtocol, SerializerProtocol
from stepgraph.compat.langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

__all__ = ("EncryptedSerializer",)


class EncryptedSerializer(SerializerProtocol):
    """Encrypts what another serializer makes; what was stored before is read as it is."""

    def __init__(self, cipher: CipherProtocol, serde: SerializerProtocol | None = None) -> None:
        self.cipher = cipher
        self.serde: SerializerProtocol = JsonPlusSerializer() if serde is None else serde

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        kind, content = self.serde.dumps_typed(obj)
        name, hidden = self.cipher.encrypt(content)
        return f"{kind}+{name}", hidden

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        kind, separator, name = data[0].partition("+")
        return self.serde.loads_typed((kind, self.cipher.decrypt(name, data[1])) if separator else data)

    @classmethod
    def from_pycryptodome_aes(cls, serde: SerializerProtocol | None = None, **kwargs: Any) -> EncryptedSerializer:
        """With AES of pycryptodome. The key is `key`, or in the environment as LANGGRAPH_AES_KEY.

        Raises ValueError without a key or for one of the wrong length.
        """
        try:
            aes: Any = import_module("Crypto.Cipher.AES")
        except ImportError:
            raise ImportError("Pycryptodome is not installed: `pip install pycryptodome`.") from None
        key = kwargs.pop("key", None)
        if key is None:
            given = os.getenv("LANGGRAPH_AES_KEY")
            if given is None:
                raise ValueError("LANGGRAPH_AES_KEY environment variable is not set.")
            key = given.encode()
            if len(key) not in (16, 24, 32):
                raise ValueError("LANGGRAPH_AES_KEY must be 16, 24, or 32 bytes long.")
        if kwargs.get("mode") is None:
            kwargs["mode"] = aes.MODE_EAX
        return cls(_Aes(aes.new, key, kwargs), serde)


class _Aes(CipherProtocol):
    """The nonce and the tag, 16 bytes each, then what is hidden."""

    def __init__(self, make: Any, key: bytes, options: dict[str, Any]) -> None:
        self.make, self.key, self.options = make, key, options

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        cipher = self.make(self.key, **self.options)
        hidden, tag = cipher.encrypt_and_digest(plaintext)
        return "aes", cipher.nonce + tag + hidden

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        if ciphername != "aes":
            raise AssertionError(f"Unsupported cipher: {ciphername}")
        nonce, tag, hidden = ciphertext[:16], ciphertext[16:32], ciphertext[32:]
        found: bytes = self.make(self.key, **self.options, nonce=nonce).decrypt_and_verify(hidden, tag)
        return found
