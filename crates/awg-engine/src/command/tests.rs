use super::{Command, CommandError, CommandQueue};

fn push(queue: &CommandQueue) -> Result<bool, CommandError> {
    queue
        .push((), |()| Command::Panic)
        .map_err(|(error, ())| error)
}

#[test]
fn a_queue_takes_commands_while_it_is_open_and_wakes_for_the_first() {
    let queue = CommandQueue::new(2);
    assert_eq!(push(&queue), Err(CommandError::NotRunning));
    queue.open();
    assert_eq!(push(&queue), Ok(true));
    assert_eq!(push(&queue), Ok(false));
    assert_eq!(push(&queue), Err(CommandError::QueueFull));
    assert_eq!(queue.close().len(), 2);
    assert_eq!(push(&queue), Err(CommandError::NotRunning));
}

#[test]
fn a_queue_whose_loop_has_ended_before_it_was_opened_stays_closed() {
    let queue = CommandQueue::new(2);
    assert_eq!(queue.close().len(), 0);
    queue.open();
    assert_eq!(push(&queue), Err(CommandError::NotRunning));
}
