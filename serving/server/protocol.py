"""Choices of the protocol that TF Serving leaves to a flag."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from serving.server.switch import add_switch
from tfrs_app.contract.errors import ServerError


@dataclass(frozen=True)
class ProtocolOptions:
    """Holds choices that change what clients see; the defaults are TF Serving's.

    Attributes:
        check_method_name: refuse signatures whose method name is another call's.
        tensor_content: gRPC answers hold packed bytes instead of `*_val` fields.
        cors: REST answers permit scripts of any web page to read them.
        warm_up: run the warm-up records of a version before it serves.
        warmup_iterations: how often each warm-up record is run.
    """

    check_method_name: bool = False
    tensor_content: bool = False
    cors: bool = False
    warm_up: bool = True
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
    add_switch(
        group,
        "enable_model_warmup",
        default=True,
        help="run the warm-up records of a version before it serves",
    )
    for name, text in {
        "enable_signature_method_name_check": "refuse signatures whose method_name is "
        "another call's",
        "enable_serialization_as_tensor_content": "gRPC answers hold tensor_content "
        "instead of *_val fields",
        "rest_api_enable_cors_support": "send CORS headers with every REST answer",
    }.items():
        add_switch(group, name, default=False, help=text)
    group.add_argument(
        "--num_request_iterations_for_warmup",
        type=int,
        default=1,
        help="how often each warm-up record is run before a version serves",
    )


def protocol_options(flags: argparse.Namespace) -> ProtocolOptions:
    """Returns the options that parsed flags ask for.

    Raises:
        ServerError: a value is out of its range.
    """
    return ProtocolOptions(
        check_method_name=flags.enable_signature_method_name_check,
        tensor_content=flags.enable_serialization_as_tensor_content,
        cors=flags.rest_api_enable_cors_support,
        warm_up=flags.enable_model_warmup,
        warmup_iterations=flags.num_request_iterations_for_warmup,
    )
