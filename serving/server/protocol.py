"""Choices of the protocol that TF Serving leaves to a flag."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from tfrs_app.contract.errors import ServerError


@dataclass(frozen=True)
class ProtocolOptions:
    """Holds choices that change what clients see; the defaults are TF Serving's.

    Attributes:
        check_method_name: refuse signatures whose method name is another call's.
        tensor_content: gRPC answers hold packed bytes instead of `*_val` fields.
        cors: REST answers permit scripts of any web page to read them.
        warmup_iterations: how often each warm-up record is run.
    """

    check_method_name: bool = False
    tensor_content: bool = False
    cors: bool = False
    warmup_iterations: int = 1

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
            ServerError: names the option, its value and the remedy.
        """
        if self.warmup_iterations < 1:
            raise ServerError(
                f"num_request_iterations_for_warmup {self.warmup_iterations} must be "
                "at least 1"
            )


UPSTREAM = ProtocolOptions()


def add_protocol_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that `protocol_options` reads."""
    group = parser.add_argument_group("protocol")
    group.add_argument(
        "--enable_signature_method_name_check",
        type=parse_bool,
        nargs="?",
        const=True,
        default=False,
        help="refuse signatures whose method_name is another call's",
    )
    group.add_argument(
        "--enable_serialization_as_tensor_content",
        type=parse_bool,
        nargs="?",
        const=True,
        default=False,
        help="gRPC answers hold tensor_content instead of *_val fields",
    )
    group.add_argument(
        "--rest_api_enable_cors_support",
        type=parse_bool,
        nargs="?",
        const=True,
        default=False,
        help="send CORS headers with every REST answer",
    )
    group.add_argument(
        "--num_request_iterations_for_warmup",
        type=int,
        default=1,
        help="how often each warm-up record is run before a version serves",
    )


def parse_bool(text: str) -> bool:
    """Returns a flag's truth value in the spellings that TF Serving takes.

    Raises:
        argparse.ArgumentTypeError: another spelling.
    """
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return values[text.lower()]


def protocol_options(flags: argparse.Namespace) -> ProtocolOptions:
    """Returns the options that parsed flags ask for.

    Raises:
        ServerError: a value is out of its range.
    """
    return ProtocolOptions(
        check_method_name=flags.enable_signature_method_name_check,
        tensor_content=flags.enable_serialization_as_tensor_content,
        cors=flags.rest_api_enable_cors_support,
        warmup_iterations=flags.num_request_iterations_for_warmup,
    )
