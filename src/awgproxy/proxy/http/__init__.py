"""HTTP as a proxy speaks it to applications (RFC 9110, RFC 9112): CONNECT, and requests in absolute form.

`head` takes one request's head apart from the bytes, `request` says what it asks for, `conversation` is what a listener
drives up to there. CONNECT then is a connection like any other. A request in absolute form is an `exchange` with its
target, which `forwarding` drives: its bytes are framed anew at each side, so that nothing that an application or a
target sends can be taken for another message.
"""
