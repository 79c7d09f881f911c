"""Write the byte code of what the sandbox imports at boot, so that the first start is no slower.

Compiling all that is installed would take half a minute; most of it is never imported.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
BACKENDS = (
    *("apigatewayv2", "awslambda", "cloudwatch", "dynamodb", "events", "iam", "kms", "logs"),
    *("s3", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions", "sts"),
)
MODULES = (
    "cli.__main__",
    "cli.commands.demo",
    "cli.commands.up",
    "sandbox.aws.server",
    "sandbox.world.composition",
    "samtranslator.translator.translator",
    "awslambdaric.bootstrap",
    "boto3.session",
    "botocore.auth",
    *(f"moto.{name}.{part}" for name in BACKENDS for part in ("models", "responses", "urls")),
    *(f"functions.{path.stem}" for path in sorted((ROOT / "functions").glob("*.py"))),
)


def main() -> None:
    """Import each module; one that this machine lacks is left out."""
    sys.dont_write_bytecode = False
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            if (error.name or "").partition(".")[0] != "awslambdaric":  # Linux only
                raise


if __name__ == "__main__":
    main()
