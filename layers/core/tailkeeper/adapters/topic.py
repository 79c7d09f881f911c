"""The stack's SNS topic, by which people hear of what they must decide.

SNS speaks AWS's query protocol (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html) and
cannot tell a repeated message from a new one: nothing is sent again here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from tailkeeper.adapters.aws import Aws


VERSION = "2010-03-31"
MESSAGE_ID = re.compile(r"<MessageId>([^<]+)</MessageId>")


@dataclass(frozen=True)
class Topic:
    """The topic that the environment names."""

    aws: Aws = field(default_factory=Aws)

    def publish(self, subject: str, text: str) -> str:
        """Send a message, once; return its id. Raise AwsError; below 500, nothing was sent."""
        parameters = {"TopicArn": os.environ["TOPIC"], "Subject": subject, "Message": text}
        answer = self.aws.query("sns", "Publish", VERSION, **parameters)
        found = MESSAGE_ID.search(answer)
        return found[1] if found else ""
