//! Shards without sockets: two over a wire in memory, with a clock that the test moves.

mod carrier;
mod commands;
mod ends;
mod failing;
mod flows;
mod full_socket;
mod harm;
mod path;
mod records;
mod recovery;
mod sessions;
