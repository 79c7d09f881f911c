"""The SAM transform, by AWS's own translator, offline."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from boto3 import Session


def translate(
    template: dict[str, Any], parameters: dict[str, str], session: Session
) -> dict[str, Any]:
    """Return the CloudFormation template that a packaged SAM template stands for.

    The session only says the region. Raise samtranslator's InvalidDocumentException with every
    mistake that it found.
    """
    from samtranslator.parser.parser import Parser  # noqa: PLC0415 - 0.3 s, wanted off the start
    from samtranslator.translator.translator import Translator  # noqa: PLC0415 - as above

    logging.getLogger("samtranslator.metrics.metrics").disabled = True
    translator = Translator({}, Parser(), boto_session=session)
    translated: dict[str, Any] = translator.translate(template, dict(parameters))
    return translated
