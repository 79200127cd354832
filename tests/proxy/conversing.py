"""An application's bytes into a front, as a listener gives them."""


def feed(users, front, pieces) -> bytes:
    """The answers to pieces of bytes; what is offered meanwhile is judged by `users`."""
    answers = b""
    for piece in pieces:
        front.handle_bytes(piece)
        answers += front.poll_answer()
        if front.offered is not None:
            front.judge(right=users.know(front.offered))
            answers += front.poll_answer()
    return answers
