"""New configurations: a server's and its clients', matching, with obfuscation parameters drawn at random.

The clients' files hold nothing but AmneziaWG's own keys, and a line that is a comment to everybody else, so that they
serve this client and the AmneziaWG apps alike.
"""

from awgproxy.config.generate.files import write_new
from awgproxy.config.generate.pair import Generated, Plan, generate
from awgproxy.config.generate.parameters import Profile
from awgproxy.config.generate.signatures import Signature

__all__ = ["Generated", "Plan", "Profile", "Signature", "generate", "write_new"]
